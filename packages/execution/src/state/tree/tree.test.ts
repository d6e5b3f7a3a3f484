import { bytesToHex, type Height } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryKv } from '../../../test/memory-kv.ts'
import { type Content, naiveProof, naiveRoot } from '../../../test/naive-tree.ts'
import {
  advance,
  applied,
  batches,
  change,
  crypto,
  DEPTHS,
  ground,
  open,
  proofOf,
  put,
  reading,
  remove,
} from '../../../test/tree-support.ts'
import { TREE_LIMITS } from './index.ts'

const PAGES = '0x2001'

describe('the root', () => {
  it('is that of the definition after each batch, at every depth, reopened or not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...DEPTHS), batches, fc.array(fc.boolean()), async (depth, sequence, reopen) => {
        const kv = new MemoryKv()
        let tree = await open(kv, depth)
        let content: Content = new Map()
        for (const [i, changes] of sequence.entries()) {
          content = applied(content, changes)
          const { root } = advance(tree, kv, changes)
          expect(root).toBe(naiveRoot(content))
          if (reopen[i]) tree = await open(kv, depth)
          expect(tree.head).toMatchObject({ height: i, root })
        }
      }),
      { numRuns: 100 },
    )
  })

  it('depends on the content alone: not on order, batches or detours', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(change, { selector: ({ key }) => bytesToHex(key), maxLength: 40 }),
        fc.nat(),
        async (changes, cut) => {
          const [a, b] = [new MemoryKv(), new MemoryKv()]
          const straight = await open(a, 4, 0)
          const detour = await open(b, 10, 0)
          advance(straight, a, changes)
          const at = changes.length === 0 ? 0 : cut % changes.length
          advance(
            detour,
            b,
            changes.slice(at).map(({ key }) => put(key, 'detour')),
          )
          advance(detour, b, changes.slice(at).toReversed())
          advance(detour, b, changes.slice(0, at))
          expect(detour.head?.root).toBe(straight.head?.root)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('of no keys is 32 zero bytes, and removing all keys leaves no page and no bucket root', async () => {
    const kv = new MemoryKv()
    const tree = await open(kv, 4, 0)
    expect(advance(tree, kv, []).root).toBe(`0x${'00'.repeat(32)}`)
    const keys = ground(300)
    advance(
      tree,
      kv,
      keys.map((key) => put(key)),
    )
    expect(advance(tree, kv, keys.map(remove)).root).toBe(`0x${'00'.repeat(32)}`)
    expect(kv.size).toBe(1)
  })

  it('takes the last of several changes of a key', async () => {
    const [key, other] = ground(2)
    const kv = new MemoryKv()
    const tree = await open(kv, 10)
    const { root } = advance(tree, kv, [
      put(key!, 'a'),
      put(other!, 'b'),
      remove(key!),
      put(key!, 'c'),
      put(other!, 'd'),
      remove(other!),
    ])
    expect(root).toBe(naiveRoot(applied(new Map(), [put(key!, 'c')])))
  })

  it('is the same as when this test was written', async () => {
    const kv = new MemoryKv()
    const tree = await open(kv, 10)
    const keys = Array.from({ length: 100 }, (_, i) => crypto.sha256(Uint8Array.of(i)))
    const numbered = keys.map((key, i) => put(key, String(i)))
    const roots = [[put(keys[0]!)], numbered, keys.slice(1).map(remove)].map((changes) => advance(tree, kv, changes).root)
    expect(roots).toEqual([
      '0xe6b8a5849df681173139e3e8119807b646cf6c8192d7374e7157065825c68df3',
      '0x4caa14783eb52606de6ccec898acf6896d324ee8a9dc65795b828310cf40e17f',
      '0xad57908897c39406910f15518d07c9b864fd252b73663de3a6e138a0512da081',
    ])
  })
})

describe('pages', () => {
  it('split above the limit, join below it, and never change the root', async () => {
    const kv = new MemoryKv()
    const tree = await open(kv, 10)
    const reader = reading(kv)
    const keys = ground(700)
    let content: Content = new Map()
    const pages: number[] = []
    const steps = [
      keys.slice(0, 128).map((key) => put(key)),
      [put(keys[128]!)],
      keys.slice(129).map((key) => put(key)),
      keys.slice(0, 40).map((key) => put(key, 'w')),
      keys.slice(65).map(remove),
      [remove(keys[64]!), put(keys[0]!, 'x')],
      keys.map((key) => put(key, 'again')),
      keys.map(remove),
    ]
    for (const changes of steps) {
      const before = content
      content = applied(content, changes)
      expect(advance(tree, kv, changes).root).toBe(naiveRoot(content))
      expect((await open(kv, 10)).head?.root).toBe(tree.head?.root)
      pages.push(kv.keys(PAGES).length)
      // Pages that a join or split removed are still there for the height before.
      const past = tree.head!.height - 1
      for (const key of before.size < 70 ? keys.slice(0, 68) : keys.slice(0, 3))
        if (past >= 0) expect(await proofOf(reader, past, key)).toEqual(naiveProof(before, key))
    }
    // Bits 10 to 23 are equal: splits at 10, 14, 18 and 22, and the last spreads the leaves over four pages.
    expect(pages[0]).toBe(1)
    expect(pages[1]).toBe(8)
    expect(pages[4]).toBeGreaterThan(1)
    expect(pages[5]).toBe(1)
    expect(pages[6]).toBe(pages[2])
    expect(pages[7]).toBe(0)
  })

  it('agree with the definition under random growth and shrinkage of crowded buckets', async () => {
    const pool = [...ground(300), ...ground(60, 1).map((key) => key.with(2, 0xef))]
    const picks = fc.array(fc.array(fc.tuple(fc.nat(pool.length - 1), fc.boolean()), { maxLength: 250 }), { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...DEPTHS), picks, async (depth, sequence) => {
        const kv = new MemoryKv()
        const tree = await open(kv, depth, 2)
        const reader = reading(kv)
        let content: Content = applied(
          new Map(),
          pool.slice(0, 150).map((key) => put(key)),
        )
        advance(
          tree,
          kv,
          pool.slice(0, 150).map((key) => put(key)),
        )
        for (const picked of sequence) {
          const before = content
          const changes = picked.map(([i, kept]) => (kept ? put(pool[i]!, String(picked.length)) : remove(pool[i]!)))
          content = applied(content, changes)
          expect(advance(tree, kv, changes).root).toBe(naiveRoot(content))
          const { height } = tree.head!
          for (const key of [pool[0]!, pool[299]!, pool[310]!]) {
            expect(await proofOf(reader, height, key)).toEqual(naiveProof(content, key))
            expect(await proofOf(reader, height - 1, key)).toEqual(naiveProof(before, key))
          }
        }
      }),
      { numRuns: 15 },
    )
  })

  it('are not written when a batch changes nothing', async () => {
    const kv = new MemoryKv()
    const tree = await open(kv, 4)
    const keys = ground(200)
    const { root } = advance(
      tree,
      kv,
      keys.map((key) => put(key)),
    )
    const { ops, root: again } = tree.prepare(1 as Height, [...keys.map((key) => put(key)), remove(crypto.sha256(keys[0]!))])
    expect(again).toBe(root)
    expect(ops.filter(({ key }) => key[1] === 1 || key[1] === 2)).toEqual([])
  })

  it('cost no more than one page and its splits however many keys were ground into a bucket', async () => {
    const kv = new MemoryKv()
    const tree = await open(kv, 10)
    const keys = ground(5_000)
    advance(
      tree,
      kv,
      keys.map((key) => put(key)),
    )
    const { ops } = tree.prepare(1 as Height, [put(keys[77]!, 'w')])
    const written = ops.filter(({ key }) => key[1] === 1).reduce((sum, { value }) => sum + value!.length, 0)
    expect(written).toBeLessThan(TREE_LIMITS.pageLeavesMax * 64 + 7 * 577)
  })
})

describe('a prepared height', () => {
  const setUp = async () => {
    const kv = new MemoryKv()
    const tree = await open(kv, 4)
    const keys = ground(20).map((key) => crypto.sha256(key))
    advance(
      tree,
      kv,
      keys.map((key) => put(key)),
    )
    return { kv, tree, keys }
  }

  it('changes no answer until it is committed, and may be forgotten', async () => {
    await fc.assert(
      fc.asyncProperty(batches, fc.nat(), async (candidates, chosen) => {
        const { kv, tree, keys } = await setUp()
        const content = applied(
          new Map(),
          keys.map((key) => put(key)),
        )
        const prepared = candidates.map((changes) => tree.prepare(1 as Height, changes))
        prepared.forEach(({ root }, i) => expect(root).toBe(naiveRoot(applied(content, candidates[i]!))))
        expect(tree.head).toMatchObject({ height: 0, root: naiveRoot(content) })
        const reader = reading(kv)
        expect(await proofOf(reader, 0, keys[3]!)).toEqual(naiveProof(content, keys[3]!))
        const winner = chosen % prepared.length
        kv.write(prepared[winner]!.ops)
        tree.commit(prepared[winner]!)
        expect(tree.head).toMatchObject({ height: 1, root: prepared[winner]!.root })
        expect(await proofOf(reader, 1, keys[3]!)).toEqual(naiveProof(applied(content, candidates[winner]!), keys[3]!))
        expect((await open(kv, 4)).head).toEqual(tree.head)
      }),
      { numRuns: 30 },
    )
  })

  it('is refused on any other head than its own', async () => {
    const { kv, tree, keys } = await setUp()
    const [a, b] = [tree.prepare(1 as Height, [put(keys[0]!, 'a')]), tree.prepare(1 as Height, [put(keys[0]!, 'b')])]
    kv.write(a.ops)
    tree.commit(a)
    expect(() => tree.commit(a)).toThrow('not prepared on this head')
    expect(() => tree.commit(b)).toThrow('not prepared on this head')
    expect(() => tree.commit({ ...tree.prepare(2 as Height, []) })).toThrow('not prepared on this head')
    expect(() => tree.prepare(1 as Height, [])).toThrow("does not follow the state tree's 1")
    expect(() => tree.prepare(3 as Height, [])).toThrow("does not follow the state tree's 1")
  })

  it('refuses keys of another length and too many changes', async () => {
    const { tree } = await setUp()
    expect(() => tree.prepare(1 as Height, [put(new Uint8Array(31))])).toThrow(RangeError)
    expect(() => tree.prepare(1 as Height, new Array(TREE_LIMITS.changesMax + 1))).toThrow(RangeError)
  })

  it('counts its hashes', async () => {
    const kv = new MemoryKv()
    const tree = await open(kv, 4)
    const [key, other] = [new Uint8Array(32), new Uint8Array(32).fill(255)]
    // A single leaf is pulled up to the root.
    expect(advance(tree, kv, [put(key)]).hashes).toEqual({ values: 1, leaves: 1, inner: 0 })
    expect(advance(tree, kv, [put(other)]).hashes).toEqual({ values: 1, leaves: 1, inner: 1 })
    // A neighbour that differs in the last bit: 252 inner nodes in the bucket, 4 above; the old leaf is hashed again.
    expect(advance(tree, kv, [put(key.with(31, 1))]).hashes).toEqual({ values: 1, leaves: 2, inner: 256 })
  })
})
