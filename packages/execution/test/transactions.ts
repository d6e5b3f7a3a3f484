import { type Address, encodeRlp, type Hex, hexToBytes, integerPayload, type RlpValue } from '@quoin/protocol'
import type { Candidate, CandidateQueue } from '../src/executor.ts'

/** Fields of a transaction. Types 0 and 1 take their price from `maxFee`. */
export interface Spec {
  readonly type: 0 | 1 | 2
  readonly sender: Address
  readonly nonce: number
  readonly maxFee: bigint
  readonly tip: bigint
  readonly gas: number
  readonly to: Address | undefined
  readonly value: bigint
  readonly data: Uint8Array
  /** Storage keys of each entry of the access list; ignored by type 0. */
  readonly accessListKeys: readonly number[]
}

export const CHAIN_ID = 31_337

/**
 * The network encoding, with a made-up signature: execution gets the sender from the node, which recovers it. Written from the
 * EIPs, independent of protocol's decoder.
 */
export function rawTransaction(spec: Spec): Uint8Array {
  const { type, nonce, maxFee, tip, gas, to, value, data, accessListKeys } = spec
  const int = (x: number | bigint) => integerPayload(x)
  const common: RlpValue[] = [int(gas), to === undefined ? new Uint8Array(0) : hexToBytes(to), int(value), data]
  const signature: RlpValue[] = [int(1), int(1)]
  if (type === 0) return encodeRlp([int(nonce), int(maxFee), ...common, int(2 * CHAIN_ID + 35), ...signature])
  const accessList = accessListKeys.map((keys) => [
    new Uint8Array(20).fill(9),
    Array.from({ length: keys }, (_, i) => new Uint8Array(32).fill(i)),
  ])
  const prices = type === 1 ? [int(maxFee)] : [int(tip), int(maxFee)]
  const fields: RlpValue[] = [int(CHAIN_ID), int(nonce), ...prices, ...common, accessList, int(0), ...signature]
  return Uint8Array.from([type, ...encodeRlp(fields)])
}

export const executable = (spec: Spec): Candidate => ({ raw: rawTransaction(spec), sender: spec.sender, gasLimit: spec.gas })

/** Candidates for a block, in the order in which it takes them. */
export const inOrder = (candidates: readonly Candidate[]): readonly CandidateQueue[] => [{ use: 0, candidates }]

/** A plain transfer of type 2, with a test's changes. */
export const transfer = (sender: Address, nonce: number, to: Address, value: bigint, other: Partial<Spec> = {}): Spec => ({
  type: 2,
  sender,
  nonce,
  maxFee: 10n ** 10n,
  tip: 1n,
  gas: 21_000,
  to,
  value,
  data: new Uint8Array(0),
  accessListKeys: [],
  ...other,
})

/** The nth address of a test. */
export const addressOf = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}` as Hex as Address
