import { bytesToHex, type Height, nobleCrypto, type StateProof, unwrap } from '@quoin/protocol'
import fc from 'fast-check'
import { openTree, type StateTree, type TreeChange, TreeReader } from '../src/state/tree/index.ts'
import type { MemoryKv } from './memory-kv.ts'
import type { Content } from './naive-tree.ts'

export const crypto = nobleCrypto
export const DEPTHS = [1, 4, 10, 13]

export const open = async (kv: MemoryKv, depth: number, historyHeights = 8): Promise<StateTree> =>
  unwrap(await openTree({ kv, crypto, depth, historyHeights }))

export const reading = (kv: MemoryKv): TreeReader => new TreeReader(kv, crypto)

/** The proof of one key after a height; fails the test when it is refused. */
export const proofOf = async (reader: TreeReader, height: number, key: Uint8Array): Promise<StateProof> =>
  unwrap(await reader.prove(height as Height, [key]))[0]!

export const nextHeight = (tree: StateTree): Height => ((tree.head?.height ?? -1) + 1) as Height

/** Prepares, stores and commits one height. */
export function advance(tree: StateTree, kv: MemoryKv, changes: readonly TreeChange[]) {
  const prepared = tree.prepare(nextHeight(tree), changes)
  kv.write(prepared.ops)
  tree.commit(prepared)
  return prepared
}

export function applied(content: Content, changes: readonly TreeChange[]): Content {
  const next = new Map(content)
  for (const { key, value } of changes) {
    if (value === undefined) next.delete(bytesToHex(key))
    else next.set(bytesToHex(key), value)
  }
  return next
}

/** Keys that are close together: few different first bytes; some differ only in the last bits. */
export const crowdedKey = fc
  .tuple(fc.constantFrom(0x00, 0x01, 0x80, 0xff), fc.constantFrom(0x00, 0x07, 0xff), fc.nat(255), fc.nat(3), fc.boolean())
  .map(([first, second, third, last, deep]) => {
    const key = new Uint8Array(32).fill(deep ? 0xaa : third)
    key.set([first, second, deep ? 0 : third])
    key[31] = last
    return key
  })
export const anyKey = fc.oneof(crowdedKey, fc.uint8Array({ minLength: 32, maxLength: 32 }))
export const value = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined })
export const change: fc.Arbitrary<TreeChange> = fc.record({ key: anyKey, value })
export const batches = fc.array(fc.array(change, { maxLength: 25 }), { minLength: 1, maxLength: 8 })

/** `count` keys that share their first 24 bits. */
export const ground = (count: number, seed = 0): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => {
    const key = crypto.sha256(Uint8Array.of(seed, i >> 8, i & 255))
    key.set([0xc0, 0xff, 0xee])
    return key
  })

export const put = (key: Uint8Array, text = 'v'): TreeChange => ({
  key,
  value: new Uint8Array(Array.from(text, (c) => c.charCodeAt(0))),
})
export const remove = (key: Uint8Array): TreeChange => ({ key, value: undefined })
