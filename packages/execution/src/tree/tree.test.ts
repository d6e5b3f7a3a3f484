import {
  bytesToHex,
  codec,
  type Height,
  hexToBytes,
  nobleCrypto,
  stateProofCodec,
  unwrap,
  verifyStateProof,
} from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryKv } from '../../test/memory-kv.ts'
import { type Content, naiveProof, naiveRoot } from '../../test/naive-tree.ts'
import { openTree, type StateTree, TREE_LIMITS, type TreeChange, TreeCorruption } from './index.ts'

const crypto = nobleCrypto
const PAGES = '0x2001'
const DEPTHS = [1, 4, 10, 13]

const open = async (kv: MemoryKv, depth: number, historyHeights = 8): Promise<StateTree> =>
  unwrap(await openTree({ kv, crypto, depth, historyHeights }))

const nextHeight = (tree: StateTree): Height => ((tree.head?.height ?? -1) + 1) as Height

/** Prepares, stores and commits one height. */
function advance(tree: StateTree, kv: MemoryKv, changes: readonly TreeChange[]) {
  const prepared = tree.prepare(nextHeight(tree), changes)
  kv.write(prepared.ops)
  tree.commit(prepared)
  return prepared
}

function applied(content: Content, changes: readonly TreeChange[]): Content {
  const next = new Map(content)
  for (const { key, value } of changes) {
    if (value === undefined) next.delete(bytesToHex(key))
    else next.set(bytesToHex(key), value)
  }
  return next
}

/** Keys that crowd: few first bytes, a few that differ in the last bits only. */
const crowdedKey = fc
  .tuple(fc.constantFrom(0x00, 0x01, 0x80, 0xff), fc.constantFrom(0x00, 0x07, 0xff), fc.nat(255), fc.nat(3), fc.boolean())
  .map(([first, second, third, last, deep]) => {
    const key = new Uint8Array(32).fill(deep ? 0xaa : third)
    key.set([first, second, deep ? 0 : third])
    key[31] = last
    return key
  })
const anyKey = fc.oneof(crowdedKey, fc.uint8Array({ minLength: 32, maxLength: 32 }))
const value = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined })
const change: fc.Arbitrary<TreeChange> = fc.record({ key: anyKey, value })
const batches = fc.array(fc.array(change, { maxLength: 25 }), { minLength: 1, maxLength: 8 })

/** `count` keys that share their first 24 bits. */
const ground = (count: number, seed = 0): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => {
    const key = crypto.sha256(Uint8Array.of(seed, i >> 8, i & 255))
    key.set([0xc0, 0xff, 0xee])
    return key
  })

const put = (key: Uint8Array, text = 'v'): TreeChange => ({
  key,
  value: new Uint8Array(Array.from(text, (c) => c.charCodeAt(0))),
})
const remove = (key: Uint8Array): TreeChange => ({ key, value: undefined })

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
      { numRuns: 150 },
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

  it('stays what it was when this test was written', async () => {
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
      // What a join or a split took away is still there for the height before.
      const past = tree.at((tree.head!.height - 1) as Height)
      for (const key of keys.slice(0, 68)) if (past) expect(unwrap(past.prove(key))).toEqual(naiveProof(before, key))
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
          const past = tree.at((tree.head!.height - 1) as Height)!
          expect(past.root).toBe(naiveRoot(before))
          for (const key of [pool[0]!, pool[299]!, pool[310]!]) {
            expect(unwrap(tree.prove(key))).toEqual(naiveProof(content, key))
            expect(unwrap(past.prove(key))).toEqual(naiveProof(before, key))
          }
        }
      }),
      { numRuns: 25 },
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
        expect(unwrap(tree.prove(keys[3]!))).toEqual(naiveProof(content, keys[3]!))
        const winner = chosen % prepared.length
        kv.write(prepared[winner]!.ops)
        tree.commit(prepared[winner]!)
        expect(tree.head).toMatchObject({ height: 1, root: prepared[winner]!.root })
        expect(unwrap(tree.prove(keys[3]!))).toEqual(naiveProof(applied(content, candidates[winner]!), keys[3]!))
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
    // One leaf is pulled up to the root.
    expect(advance(tree, kv, [put(key)]).hashes).toEqual({ values: 1, leaves: 1, inner: 0 })
    expect(advance(tree, kv, [put(other)]).hashes).toEqual({ values: 1, leaves: 1, inner: 1 })
    // A neighbour in the last bit: 252 inner nodes in the bucket, 4 above; the old leaf is hashed anew.
    expect(advance(tree, kv, [put(key.with(31, 1))]).hashes).toEqual({ values: 1, leaves: 2, inner: 256 })
  })
})

describe('proofs', () => {
  it('are those of the definition, verify, and verify for nothing else', async () => {
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
      { numRuns: 60 },
    )
  })

  it('do not verify with any bit of their encoding changed', async () => {
    const kv = new MemoryKv()
    const tree = await open(kv, 4)
    const keys = Array.from({ length: 40 }, (_, i) => crypto.sha256(Uint8Array.of(i)))
    const { root } = advance(
      tree,
      kv,
      keys.slice(0, 30).map((key) => put(key)),
    )
    const kinds = new Set<string>()
    for (const [i, key] of keys.entries()) {
      const proof = unwrap(tree.prove(key))
      kinds.add(proof.terminal.kind)
      const encoded = codec.encode(stateProofCodec, proof)
      const held = i < 30 ? put(key).value : undefined
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
      { numRuns: 30 },
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

describe('opening', () => {
  it('refuses another depth and an unknown format, with what to do', async () => {
    const kv = new MemoryKv()
    advance(await open(kv, 4), kv, [])
    const options = { kv, crypto, historyHeights: 0 }
    expect(await openTree({ ...options, depth: 5 })).toMatchObject({ ok: false, error: { code: 'other-depth', depth: 4 } })
    const head = kv.get(hexToBytes('0x2000'))!
    kv.write([{ key: hexToBytes('0x2000'), value: head.with(0, 9) }])
    expect(await openTree({ ...options, depth: 4 })).toMatchObject({ ok: false, error: { code: 'unknown-format', format: 9 } })
    await expect(openTree({ ...options, depth: 0 })).rejects.toThrow(RangeError)
    await expect(openTree({ ...options, depth: 25 })).rejects.toThrow(RangeError)
  })

  it('finds a damaged, missing or superfluous record', async () => {
    const build = async () => {
      const kv = new MemoryKv()
      advance(
        await open(kv, 4),
        kv,
        ground(300).map((key, i) => put(i % 2 === 0 ? key : crypto.sha256(key))),
      )
      return kv
    }
    const damage = async (key: string, change: (value: Uint8Array) => Uint8Array | undefined) => {
      const kv = await build()
      const name = hexToBytes(key as `0x${string}`)
      kv.write([{ key: name, value: change(kv.get(name) ?? new Uint8Array(0)) }])
      await expect(openTree({ kv, crypto, depth: 4, historyHeights: 0 })).rejects.toThrow(TreeCorruption)
    }
    const [root] = (await build()).keys('0x2002')
    await damage(root!, (value) => value.with(31, value[31]! ^ 1))
    await damage(root!, () => undefined)
    await damage(root!, (value) => value.subarray(1))
    await damage('0x200200000010', () => new Uint8Array(32).fill(1))
    await damage('0x2000', (value) => value.with(20, value[20]! ^ 1))
    await damage('0x2000', (value) => value.subarray(1).with(0, 1))
    await damage('0x2000', () => undefined)
  })
})
