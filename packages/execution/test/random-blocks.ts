import { type Address, contractAddress, hexToBytes, type Nonce, nobleCrypto } from '@quoin/protocol'
import fc from 'fast-check'
import { bytesToHex, encodeFunctionData, type Hex } from 'viem'
import { containerOf } from '../../../test/contracts/contract.mjs'
import { CODE_REGISTRY_ABI, CODE_REGISTRY_ADDRESS } from '../src/contract/native/code-registry.ts'
import { MULTICALL_ABI, MULTICALL_ADDRESS } from '../src/contract/native/multicall.ts'
import { abiOf } from './contracts.ts'
import { PROGRAM_ABI, program, type RandomProgram, sourceOfProgram } from './random-programs.ts'
import { addressOf, type Spec, transfer } from './transactions.ts'

/** Blocks of transactions that deploy, call, upgrade and pause random contracts. */

const ABI = abiOf(PROGRAM_ABI)
/** Contracts that the first block creates. The first sender is their authority. */
export const CONTRACTS = 3
export const SENDERS = [1, 2, 3].map(addressOf)
const [DEPLOYER] = SENDERS as [Address, ...Address[]]
const PLAIN = addressOf(0x77)

const contractAt = (place: number): Address => contractAddress(nobleCrypto, DEPLOYER, place as Nonce)

/** Container of a program, placed among the first contracts or anywhere. */
function containerAt(one: RandomProgram, place: number): Uint8Array {
  const peers = Array.from({ length: CONTRACTS }, (_, i) => contractAt((place + 1 + i) % CONTRACTS))
  const source = sourceOfProgram(one, { peers, plain: PLAIN, native: CODE_REGISTRY_ADDRESS })
  return containerOf(source, ABI, { upgradeAuthority: { kind: 'deployer' } })
}

/** Gas of a transaction: plenty, or an amount that ends it at an arbitrary point. */
const gas = fc.oneof(
  { weight: 3, arbitrary: fc.constant(3_000_000) },
  { weight: 1, arbitrary: fc.integer({ min: 30_000, max: 1_200_000 }) },
)
const place = fc.nat(CONTRACTS - 1)
const sender = fc.nat(SENDERS.length - 1)
const value = fc.constantFrom(0n, 0n, 0n, 5n)

const action = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      kind: fc.constant('call' as const),
      ...{ sender, place, gas, value },
      name: fc.constantFrom('f0', 'f0', 'f1', 'v'),
      x: fc.oneof(fc.bigInt(0n, 1_000n), fc.constant(2n ** 256n - 1n)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('aggregate' as const),
      ...{ sender, gas },
      calls: fc.array(
        fc.record({ place, value, allowFailure: fc.boolean(), name: fc.constantFrom('f0', 'f1', 'v'), x: fc.bigInt(0n, 1_000n) }),
        { maxLength: 4 },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('data' as const),
      sender,
      place,
      gas,
      value,
      data: fc.uint8Array({ maxLength: 70 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('create' as const), sender, gas, value, program, place }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('upgrade' as const), sender: fc.constantFrom(0, 0, 0, 1), gas, place, program }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('pause' as const),
      sender: fc.constantFrom(0, 0, 0, 1),
      place,
      paused: fc.boolean(),
      gas,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('broken' as const), sender, gas, program, at: fc.nat(3_000), byte: fc.nat(255) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('transfer' as const), sender, place, value: fc.bigInt(0n, 9n) }) },
)
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never

export const firstPrograms = fc.array(program, { minLength: CONTRACTS, maxLength: CONTRACTS })
export const randomBlock = fc.array(action, { minLength: 1, maxLength: 9, size: 'max' })

const PLENTY = 3_000_000
/** `f0` succeeds and emits, `f1` fails. */
const telling = (tableSize: number): RandomProgram => ({
  functions: [
    { isAsync: false, statements: [{ kind: 'emit', length: 3 }] },
    { isAsync: false, statements: [{ kind: 'end', how: 0, modulus: 1 }] },
  ],
  ...{ view: [], creation: [], migration: undefined, tableSize },
})

/**
 * Fixed programs and blocks that contain everything a run should have: calls that succeed and fail, logs, aggregates, creations,
 * upgrades.
 */
export const TELLING_RUN: { readonly programs: RandomProgram[]; readonly blocks: Action[][] } = {
  programs: [telling(0), telling(1), telling(2)],
  blocks: [
    [
      { kind: 'call', sender: 0, place: 0, gas: PLENTY, value: 5n, name: 'f0', x: 1n },
      { kind: 'call', sender: 1, place: 1, gas: PLENTY, value: 0n, name: 'f1', x: 1n },
      { kind: 'create', sender: 2, gas: PLENTY, value: 0n, program: telling(300), place: 0 },
      { kind: 'aggregate', sender: 1, gas: PLENTY, calls: [{ place: 1, value: 5n, allowFailure: false, name: 'f0', x: 2n }] },
    ],
    [
      { kind: 'upgrade', sender: 0, gas: PLENTY, place: 1, program: telling(4) },
      { kind: 'pause', sender: 0, place: 2, paused: true, gas: PLENTY },
      { kind: 'call', sender: 0, place: 2, gas: PLENTY, value: 0n, name: 'f0', x: 1n },
    ],
  ],
}

/** Makes transactions from actions, and counts their senders' nonces. */
export class Sending {
  #nonces = SENDERS.map(() => 0)

  /** The senders' nonces at the start of the next block. */
  settle(nonces: readonly number[]): void {
    this.#nonces = nonces.slice()
  }

  deployments(programs: readonly RandomProgram[]): readonly Spec[] {
    return programs.map((one, i) => this.#spec(0, undefined, { data: containerAt(one, i), gas: 9_000_000, value: 50n }))
  }

  specOf(one: Action): Spec {
    switch (one.kind) {
      case 'call': {
        const data = encode({ abi: ABI, functionName: one.name, args: [one.x] })
        return this.#spec(one.sender, contractAt(one.place), { data, value: one.name === 'f0' ? one.value : 0n, gas: one.gas })
      }
      case 'aggregate': {
        const calls = one.calls.map(({ place: callee, name: functionName, x, allowFailure, value: given }) => ({
          ...{ target: contractAt(callee), allowFailure, value: functionName === 'f0' ? given : 0n },
          callData: encodeFunctionData({ abi: ABI, functionName, args: [x] } as never),
        }))
        const sum = calls.reduce((total, call) => total + call.value, 0n)
        const data = encode({ abi: MULTICALL_ABI, functionName: 'aggregate3Value', args: [calls] })
        return this.#spec(one.sender, MULTICALL_ADDRESS, { data, value: sum, gas: one.gas })
      }
      case 'data':
        return this.#spec(one.sender, contractAt(one.place), { data: one.data, value: one.value, gas: one.gas })
      case 'create':
        return this.#spec(one.sender, undefined, { data: containerAt(one.program, one.place), value: one.value, gas: one.gas })
      case 'upgrade': {
        const container = bytesToHex(containerAt(one.program, one.place))
        const migrates = one.program.migration !== undefined
        const args = [contractAt(one.place), container, migrates ? '0x0102' : '0x']
        return this.#spec(one.sender, CODE_REGISTRY_ADDRESS, {
          data: encode({ abi: CODE_REGISTRY_ABI, functionName: 'upgrade', args }),
          gas: one.gas,
        })
      }
      case 'pause': {
        const data = encode({ abi: CODE_REGISTRY_ABI, functionName: 'setPaused', args: [contractAt(one.place), one.paused] })
        return this.#spec(one.sender, CODE_REGISTRY_ADDRESS, { data, gas: one.gas })
      }
      case 'broken': {
        const data = containerAt(one.program, 0)
        data[one.at % data.length] = one.byte
        return this.#spec(one.sender, undefined, { data, gas: one.gas })
      }
      case 'transfer':
        return this.#spec(one.sender, contractAt(one.place), { value: one.value, gas: 400_000 })
    }
  }

  #spec(by: number, to: Address | undefined, { value: amount = 0n, ...other }: Partial<Spec>): Spec {
    const nonce = this.#nonces[by]!++
    // Every candidate is valid in a block; the transfers' test covers invalid ones.
    const least = 21_000 + 16 * (other.data?.length ?? 0) + (to === undefined ? 33_000 + (other.data?.length ?? 0) : 0)
    return transfer(SENDERS[by]!, nonce, to as Address, amount, { ...other, gas: Math.max(least, other.gas ?? 0) })
  }
}

const encode = (call: object): Uint8Array => hexToBytes(encodeFunctionData(call as never) as Hex)
