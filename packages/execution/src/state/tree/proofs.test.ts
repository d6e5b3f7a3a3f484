import { bytesToHex, codec, type Height, stateProofCodec, unwrap, verifyStateProof } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryKv } from '../../../test/memory-kv.ts'
import { type Content, naiveProof, naiveRoot } from '../../../test/naive-tree.ts'
import { advance, anyKey, applied, change, crypto, DEPTHS, ground, open, put, remove } from '../../../test/tree-support.ts'
import { TREE_LIMITS } from './index.ts'

describe('proofs', () => {
  it('equal those of the definition, and verify for nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...DEPTHS),
        fc.array(change, { maxLength: 60 }),
        fc.array(anyKey),
        async (depth, changes, strangers) => {
          const kv = new MemoryKv()
          const tree = await open(kv, depth)
          const content = applied(new Map(), changes)
          const { root } = advance(tree, kv, changes)
          for (const key of [...changes.map(({ key }) => key), ...strangers]) {
            const result = tree.prove(key)
            const expected = naiveProof(content, key)
            if (expected.siblings.length > 60) {
              expect(result).toMatchObject({ ok: false, error: { code: 'too-deep' } })
              continue
            }
            const proof = unwrap(result)
            expect(proof).toEqual(expected)
            const encoded = codec.encode(stateProofCodec, proof)
            expect(unwrap(codec.decode(stateProofCodec, encoded))).toEqual(proof)
            const held = content.get(bytesToHex(key))
            expect(verifyStateProof(crypto, root, key, held, proof)).toBe(true)
            expect(verifyStateProof(crypto, root, key, held === undefined ? new Uint8Array(0) : undefined, proof)).toBe(false)
            if (held !== undefined) expect(verifyStateProof(crypto, root, key, Uint8Array.of(...held, 0), proof)).toBe(false)
          }
        },
      ),
      { numRuns: 40 },
    )
  })

  it('do not verify with any bit of their encoding changed', async () => {
    const kv = new MemoryKv()
    const tree = await open(kv, 4)
    const keys = Array.from({ length: 16 }, (_, i) => crypto.sha256(Uint8Array.of(i)))
    const { root } = advance(
      tree,
      kv,
      keys.slice(0, 11).map((key) => put(key)),
    )
    const kinds = new Set<string>()
    for (const [i, key] of keys.entries()) {
      const proof = unwrap(tree.prove(key))
      kinds.add(proof.terminal.kind)
      const encoded = codec.encode(stateProofCodec, proof)
      const held = i < 11 ? put(key).value : undefined
      for (let bit = 0; bit < 8 * encoded.length; bit++) {
        const mutated = encoded.with(bit >> 3, encoded[bit >> 3]! ^ (1 << (bit & 7)))
        const decoded = codec.decode(stateProofCodec, mutated)
        expect(decoded.ok && verifyStateProof(crypto, root, key, held, decoded.value)).toBe(false)
      }
    }
    expect([...kinds].toSorted()).toEqual(['empty', 'key', 'other'])
  })

  it('are refused as long as the database is ahead of the tree', async () => {
    const kv = new MemoryKv()
    const tree = await open(kv, 10)
    const keys = ground(200).concat(Array.from({ length: 200 }, (_, i) => crypto.sha256(Uint8Array.of(i))))
    const before = applied(
      new Map(),
      keys.map((key) => put(key)),
    )
    advance(
      tree,
      kv,
      keys.map((key) => put(key)),
    )
    const prepared = tree.prepare(
      1 as Height,
      keys.map((key, i) => (i % 3 === 0 ? remove(key) : put(key, 'w'))),
    )
    kv.write(prepared.ops)
    let refused = 0
    for (const key of keys) {
      const proof = tree.prove(key)
      if (proof.ok) expect(proof.value).toEqual(naiveProof(before, key))
      else refused++
    }
    expect(refused).toBeGreaterThan(390)
    tree.commit(prepared)
    for (const key of keys) expect(tree.prove(key).ok).toBe(true)
  })
})

describe('past heights', () => {
  it('are proved as they were, also after reopening, as far back as the history goes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...DEPTHS),
        fc.array(fc.array(change, { maxLength: 15 }), { minLength: 1, maxLength: 9 }),
        fc.nat(6),
        async (depth, sequence, history) => {
          const kv = new MemoryKv()
          let tree = await open(kv, depth, history)
          const contents: Content[] = []
          for (const changes of sequence) {
            contents.push(applied(contents.at(-1) ?? new Map(), changes))
            advance(tree, kv, changes)
            if (changes.length % 2 === 0) tree = await open(kv, depth, history)
          }
          const head = contents.length - 1
          expect(tree.oldestHeight).toBe(Math.max(0, head - history))
          for (let height = -1; height <= head + 1; height++) {
            const view = tree.at(height as Height)
            if (height < head - history || height < 0 || height > head) {
              expect(view).toBeUndefined()
              continue
            }
            expect(view).toMatchObject({ height, root: naiveRoot(contents[height]!) })
            for (const { key } of sequence.flat()) {
              const expected = naiveProof(contents[height]!, key)
              if (expected.siblings.length <= 60) expect(unwrap(view!.prove(key))).toEqual(expected)
            }
          }
          expect(kv.keys('0x2003')).toHaveLength(Math.min(history, head))
          expect(kv.keys('0x2004')).toHaveLength(Math.min(history, head))
        },
      ),
      { numRuns: 20 },
    )
  })

  it('follow a history that is made shorter and longer', async () => {
    const kv = new MemoryKv()
    let tree = await open(kv, 4, 6)
    const [key] = ground(1)
    const run = (blocks: number) => {
      for (let i = 0; i < blocks; i++) advance(tree, kv, [put(key!, String(i))])
    }
    run(10)
    expect(tree.oldestHeight).toBe(3)
    tree = await open(kv, 4, 2)
    run(1)
    expect(tree.oldestHeight).toBe(8)
    tree = await open(kv, 4, 0)
    run(1)
    expect(tree.oldestHeight).toBe(11)
    expect(kv.keys('0x2003')).toEqual([])
    tree = await open(kv, 4, 6)
    run(3)
    expect(tree.oldestHeight).toBe(11)
    expect(tree.at(11 as Height)?.prove(key!).ok).toBe(true)
    expect(tree.at(10 as Height)).toBeUndefined()
  })

  it('end with the next commit', async () => {
    const kv = new MemoryKv()
    const tree = await open(kv, 4)
    const [key] = ground(1)
    advance(tree, kv, [put(key!)])
    advance(tree, kv, [put(key!, 'w')])
    const view = tree.at(0 as Height)!
    expect(tree.at(0 as Height)).toBe(view)
    advance(tree, kv, [])
    expect(() => view.prove(key!)).toThrow('ended with the commit of height 2')
    expect(unwrap(tree.at(0 as Height)!.prove(key!))).toEqual(naiveProof(applied(new Map(), [put(key!)]), key!))
  })

  it('keep a bounded number of views', async () => {
    const kv = new MemoryKv()
    const tree = await open(kv, 4)
    for (let i = 0; i < 8; i++) advance(tree, kv, [put(ground(8)[i]!)])
    const first = tree.at(0 as Height)
    for (let height = 1; height <= TREE_LIMITS.viewsMax; height++) tree.at(height as Height)
    expect(tree.at(0 as Height)).not.toBe(first)
  })
})
