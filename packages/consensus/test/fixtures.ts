import {
  type Address,
  type CommitCertificate,
  createValidatorSet,
  type Hash,
  type Height,
  idOfName,
  type PolkaCertificate,
  Power,
  type Proposal,
  type PublicKey,
  type Round,
  type ValidatorSet,
  type Vote,
  type VoteKind,
} from '@quoin/protocol'

/** Short names for heights, rounds, values and validators. Signatures are empty because the driver does not check them. */
export const height = (value: number): Height => value as Height
export const round = (value: number): Round => value as Round

const hexOf = (text: string, bytes: number): string =>
  `0x${[...text]
    .map((character) => character.charCodeAt(0).toString(16).padStart(2, '0'))
    .join('')
    .padEnd(2 * bytes, '0')}`

/** Converts a name to a value id that contains it, and back. */
export const value = (name: string): Hash => hexOf(name, 32) as Hash
export const nameOf = (id: Hash): string =>
  id
    .slice(2)
    .replace(/(00)+$/, '')
    .replace(/../g, (byte) => String.fromCharCode(Number.parseInt(byte, 16)))
/** Converts a name to an address that contains it. Addresses have the order of the names. */
export const address = (name: string): Address => hexOf(name, 20) as Address

export const validatorSet = (powers: Readonly<Record<string, number>>): ValidatorSet =>
  createValidatorSet(
    Object.entries(powers).map(([name, power]) => ({
      id: idOfName(name)!,
      address: address(name),
      publicKey: new Uint8Array(34) as PublicKey,
      power: Power(power),
      feeAddress: address(name),
    })),
  )

/** Four validators of power 1. */
export const FOUR = validatorSet({ v1: 1, v2: 1, v3: 1, v4: 1 })

const signature = new Uint8Array(64)

export const vote = (kind: VoteKind, r: number, by: string, of: string | undefined, h = 1): Vote => ({
  kind,
  height: height(h),
  round: round(r),
  valueId: of === undefined ? undefined : value(of),
  validator: address(by),
  signature,
})

export const prevote = (r: number, by: string, of?: string, h = 1): Vote => vote('prevote', r, by, of, h)
export const precommit = (r: number, by: string, of?: string, h = 1): Vote => vote('precommit', r, by, of, h)

export const proposal = (r: number, by: string, of: string, polRound?: number, h = 1): Proposal => ({
  height: height(h),
  round: round(r),
  valueId: value(of),
  polRound: polRound === undefined ? undefined : round(polRound),
  proposer: address(by),
  signature,
})

const signatures = (by: readonly string[]) => by.toSorted().map((name) => ({ validator: address(name), signature }))

export const polka = (r: number, of: string, by: readonly string[], h = 1): PolkaCertificate => ({
  height: height(h),
  round: round(r),
  valueId: value(of),
  signatures: signatures(by),
})

export const commit = (r: number, of: string, by: readonly string[], h = 1): CommitCertificate => ({
  height: height(h),
  round: round(r),
  blockHash: value(of),
  signatures: signatures(by),
})
