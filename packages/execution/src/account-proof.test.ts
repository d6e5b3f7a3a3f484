import {
  type Account,
  type AccountProofJson,
  type Address,
  accountCodec,
  accountKey,
  bytesToHex,
  codec,
  formatAccountProof,
  Hash,
  type Height,
  type Hex,
  hexToBytes,
  type Nonce,
  storageKey,
  treeKey,
  unwrap,
  verifyAccountProof,
  type Wei,
} from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryKv } from '../test/memory-kv.ts'
import { crypto } from '../test/tree-support.ts'
import { AccountProver } from './account-proof.ts'
import { flatOps, historyOps } from './state/history.ts'
import { flatKeyOf } from './state/keys.ts'
import { openTree, type StateTree } from './state/tree/index.ts'

const HISTORY = 3
const addresses = ['0xaa', '0xab', '0xbb'].map((start) => `${start}${'00'.repeat(19)}` as Address)
const rawKeys = ['0x', '0x00', '0x01', '0x0100', `0x${'6b'.repeat(128)}`].map((key) => hexToBytes(key as Hex))
const accountOf = (n: number): Account => ({
  nonce: n as Nonce,
  balance: BigInt(n * n) as Wei,
  codeHash: n % 3 === 0 ? Hash(new Uint8Array(32).fill(n)) : undefined,
})

/** A database with flat state, history and tree, as blocks leave them, and what it must hold at each height. */
class Chain {
  readonly kv = new MemoryKv()
  readonly states: ReadonlyMap<Hex, Uint8Array>[] = []
  readonly roots: Hash[] = []
  #tree: StateTree | undefined

  async commit(changed: ReadonlyMap<Hex, Uint8Array | undefined>): Promise<void> {
    this.#tree ??= unwrap(await openTree({ kv: this.kv, crypto, depth: 4, historyHeights: HISTORY }))
    const before = this.states.at(-1) ?? new Map<Hex, Uint8Array>()
    const changes = [...changed].map(([key, after]) => ({ flatKey: flatKeyOf(key), before: before.get(key), after }))
    const height = this.states.length as Height
    const prepared = this.#tree.prepare(
      height,
      [...changed].map(([key, value]) => ({ key: treeKey(crypto, hexToBytes(key)), value })),
    )
    this.kv.write([...flatOps(changes), ...(height === 0 ? [] : historyOps(changes, height)), ...prepared.ops])
    this.#tree.commit(prepared)
    const state = new Map(before)
    for (const [key, value] of changed) {
      if (value === undefined) state.delete(key)
      else state.set(key, value)
    }
    this.states.push(state)
    this.roots.push(prepared.root)
  }

  block(height: number) {
    return { number: height as Height, hash: Hash(new Uint8Array(32).fill(height + 1)), stateRoot: this.roots[height]! }
  }

  /** The answer as it arrives at a client. */
  async answer(prover: AccountProver, height: number, address: Address, keys: readonly Uint8Array[]): Promise<AccountProofJson> {
    const { number, hash, stateRoot } = this.block(height)
    const proof = await prover.prove({ address, keys, height: number, stateRoot, valueBytesMax: 1_000 })
    return JSON.parse(JSON.stringify(formatAccountProof({ number, hash }, unwrap(proof))))
  }
}

const changes = fc
  .array(fc.tuple(fc.nat(2), fc.option(fc.nat(4)), fc.option(fc.nat(40))), { minLength: 1, maxLength: 12 })
  .map((list) => {
    const changed = new Map<Hex, Uint8Array | undefined>()
    for (const [address, key, n] of list) {
      if (key === null)
        changed.set(accountKey(addresses[address]!), n === null ? undefined : codec.encode(accountCodec, accountOf(n + 1)))
      else changed.set(storageKey(addresses[address]!, rawKeys[key]!), n === null ? undefined : new Uint8Array(n).fill(n))
    }
    return changed
  })

describe('a proof of an account', () => {
  it('verifies with the state root of its own block, at every recent height, also after a restart', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(changes, { minLength: 1, maxLength: 6 }), async (sequence) => {
        const chain = new Chain()
        let prover = new AccountProver(chain.kv, crypto)
        for (const [i, changed] of sequence.entries()) {
          await chain.commit(changed)
          if (i % 3 === 2) prover = new AccountProver(chain.kv, crypto)
          else await prover.catchUp()
        }
        const newest = sequence.length - 1
        for (let height = Math.max(0, newest - HISTORY); height <= newest; height++) {
          const block = chain.block(height)
          for (const address of addresses) {
            const answer = await chain.answer(prover, height, address, rawKeys)
            const state = chain.states[height]!
            const proven = unwrap(verifyAccountProof(crypto, { block, address, keys: rawKeys }, answer))
            expect(proven.values).toEqual(rawKeys.map((key) => state.get(storageKey(address, key))))
            const record = state.get(accountKey(address))
            expect(proven.account).toEqual(record === undefined ? undefined : unwrap(codec.decode(accountCodec, record)))
            for (const stateRoot of chain.roots) {
              const verified = verifyAccountProof(crypto, { block: { ...block, stateRoot }, address, keys: rawKeys }, answer)
              expect(verified.ok).toBe(stateRoot === block.stateRoot)
            }
          }
        }
      }),
      { numRuns: 20 },
    )
  })

  it('is refused outside of the history, and above the limit of values', async () => {
    const chain = new Chain()
    const prover = new AccountProver(chain.kv, crypto)
    for (let i = 0; i < 6; i++)
      await chain.commit(new Map([[storageKey(addresses[0]!, rawKeys[1]!), new Uint8Array(600).fill(i)]]))
    const ask = (height: number, keys: readonly Uint8Array[]) =>
      prover.prove({
        address: addresses[0]!,
        keys,
        height: height as Height,
        stateRoot: chain.roots[height]!,
        valueBytesMax: 1_000,
      })
    expect(await ask(1, [])).toMatchObject({ ok: false, error: { code: 'not-provable', oldest: 2, newest: 5 } })
    expect((await ask(2, [rawKeys[1]!])).ok).toBe(true)
    const large = await ask(5, [rawKeys[1]!, rawKeys[1]!])
    expect(large).toMatchObject({ ok: false, error: { code: 'too-large' } })
  })

  it('is never made from a value that is not under the root', async () => {
    const chain = new Chain()
    const key = storageKey(addresses[0]!, rawKeys[1]!)
    await chain.commit(new Map([[key, Uint8Array.of(1)]]))
    chain.kv.write([{ key: flatKeyOf(key), value: Uint8Array.of(2) }])
    const prover = new AccountProver(chain.kv, crypto)
    await expect(chain.answer(prover, 0, addresses[0]!, [rawKeys[1]!])).rejects.toThrow(
      /do not lead to the state root of block 0/,
    )
  })
})

describe('an answer that was changed', () => {
  const [alice, , nobody] = addresses as [Address, Address, Address]
  const keys = [rawKeys[1]!, rawKeys[2]!]
  const setUp = async () => {
    const chain = new Chain()
    await chain.commit(
      new Map([
        [accountKey(alice), codec.encode(accountCodec, accountOf(3))],
        [storageKey(alice, keys[0]!), Uint8Array.of(7)],
        ...Array.from({ length: 30 }, (_, i) => [storageKey(addresses[1]!, Uint8Array.of(i)), Uint8Array.of(i)] as const),
      ]),
    )
    await chain.commit(new Map([[storageKey(alice, keys[0]!), Uint8Array.of(8)]]))
    const prover = new AccountProver(chain.kv, crypto)
    const answer = await chain.answer(prover, 1, alice, keys)
    return {
      chain,
      prover,
      answer,
      verify: (given: unknown) => verifyAccountProof(crypto, { block: chain.block(1), address: alice, keys }, given),
    }
  }

  it('is refused whatever hex digit differs', async () => {
    const { answer, verify } = await setUp()
    expect(verify(answer)).toMatchObject({ ok: true, value: { account: accountOf(3), values: [Uint8Array.of(8), undefined] } })
    const text = JSON.stringify(answer)
    let digits = 0
    for (const { index, 0: found } of text.matchAll(/0x[0-9a-f]*/g))
      for (let at = index + 2; at < index + found.length; at++) {
        const digit = (Number.parseInt(text[at]!, 16) ^ 1).toString(16)
        expect(verify(JSON.parse(text.slice(0, at) + digit + text.slice(at + 1))).ok).toBe(false)
        digits++
      }
    expect(digits).toBeGreaterThan(500)
  })

  it('is refused by name', async () => {
    const { chain, prover, answer, verify } = await setUp()
    const refused = (given: unknown) => {
      const verified = verify(given)
      return verified.ok ? 'verified' : verified.error.code
    }
    const [first, second] = answer.storageProof
    expect(refused({ ...answer, storageProof: [second, first] })).toBe('other-key')
    expect(refused({ ...answer, storageProof: [{ ...first, proof: second!.proof }, second] })).toBe('wrong-value')
    expect(refused({ ...answer, storageProof: [{ ...first, value: null }, second] })).toBe('wrong-value')
    expect(refused({ ...answer, storageProof: [first, { ...second, value: '0x' }] })).toBe('wrong-value')
    expect(refused({ ...answer, storageProof: [first] })).toBe('malformed')
    expect(refused({ ...answer, account: null })).toBe('wrong-account')
    expect(refused({ ...answer, accountProof: first!.proof })).toBe('wrong-account')
    expect(refused({ ...answer, more: 1 })).toBe('malformed')
    expect(refused({ ...answer, account: { ...answer.account, nonce: '0x03' } })).toBe('malformed')
    expect(refused({ ...answer, address: alice.toUpperCase() })).toBe('malformed')
    for (const nothing of [null, undefined, 1, 'x', [], {}]) expect(refused(nothing)).toBe('malformed')
    expect(refused(await chain.answer(prover, 0, alice, keys))).toBe('other-block')
    expect(refused(await chain.answer(prover, 1, nobody, keys))).toBe('other-address')
    // The block before, under the name of this one.
    const { hash, number } = chain.block(1)
    const older = { ...(await chain.answer(prover, 0, alice, keys)), blockHash: hash, blockNumber: `0x${number}` }
    expect(refused(older)).toBe('wrong-account')
  })

  it('never makes the verifier throw', async () => {
    const { answer, verify } = await setUp()
    const names = Object.keys(answer)
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.anything(), (name, value) => {
        expect(verify({ ...answer, [name]: value }).ok).toBe(false)
      }),
    )
    fc.assert(
      fc.property(fc.constantFrom('key', 'value', 'proof'), fc.anything(), (name, value) => {
        fc.pre(name !== 'value' || value !== null)
        expect(
          verify({ ...answer, storageProof: [answer.storageProof[0], { ...answer.storageProof[1], [name]: value }] }).ok,
        ).toBe(false)
      }),
    )
    expect(bytesToHex(keys[0]!)).toBe(answer.storageProof[0]!.key)
  })
})
