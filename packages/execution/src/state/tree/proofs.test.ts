import { bytesToHex, codec, type Height, type Hex, hexToBytes, stateProofCodec, unwrap, verifyStateProof } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryKv } from '../../../test/memory-kv.ts'
import { type Content, naiveProof } from '../../../test/naive-tree.ts'
import {
  advance,
  anyKey,
  applied,
  change,
  crypto,
  DEPTHS,
  ground,
  nextHeight,
  open,
  proofOf,
  put,
  reading,
} from '../../../test/tree-support.ts'
import { TreeCorruption } from './index.ts'

/** A database that calls back before each read, so that a block can be committed between any two. */
class BusyKv extends MemoryKv {
  onRead: (key: Uint8Array) => void = () => {}
  override get(key: Uint8Array) {
    const { onRead } = this
    // What is called back reads too.
    this.onRead = () => {}
    onRead(key)
    this.onRead = onRead
    return super.get(key)
  }
}

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
          const { root, height } = advance(tree, kv, changes)
          const reader = reading(kv)
          for (const key of [...changes.map(({ key }) => key), ...strangers]) {
            const result = await reader.prove(height, [key])
            const expected = naiveProof(content, key)
            if (expected.siblings.length > 60) {
              expect(result).toMatchObject({ ok: false, error: { code: 'too-deep' } })
              continue
            }
            const proof = unwrap(result)[0]!
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
    const reader = reading(kv)
    const kinds = new Set<string>()
    for (const [i, key] of keys.entries()) {
      const proof = await proofOf(reader, 0, key)
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

  it('of many keys are in the order of the keys', async () => {
    const kv = new MemoryKv()
    const tree = await open(kv, 4)
    const keys = Array.from({ length: 60 }, (_, i) => crypto.sha256(Uint8Array.of(i)))
    const contents: Content[] = [
      applied(
        new Map(),
        keys.map((key) => put(key)),
      ),
    ]
    advance(
      tree,
      kv,
      keys.map((key) => put(key)),
    )
    for (let height = 1; height < 6; height++) {
      const changes = keys.filter((_, i) => i % 6 === height).map((key) => put(key, String(height)))
      contents.push(applied(contents.at(-1)!, changes))
      advance(tree, kv, changes)
    }
    const reader = reading(kv)
    for (const [height, content] of contents.entries())
      expect(unwrap(await reader.prove(height as Height, keys))).toEqual(keys.map((key) => naiveProof(content, key)))
    expect(unwrap(await reader.prove(5 as Height, []))).toEqual([])
  })
})

describe('past heights', () => {
  it('are proved as they were, by new readers and by one that follows, as far back as the history goes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1, 4, 10),
        fc.array(fc.array(change, { maxLength: 12 }), { minLength: 1, maxLength: 7 }),
        fc.nat(5),
        async (depth, sequence, history) => {
          const kv = new MemoryKv()
          let tree = await open(kv, depth, history)
          const follower = reading(kv)
          const contents: Content[] = []
          for (const changes of sequence) {
            contents.push(applied(contents.at(-1) ?? new Map(), changes))
            const { height } = advance(tree, kv, changes)
            if (changes.length % 3 === 0) expect((await follower.prove(height, [])).ok).toBe(true)
            if (changes.length % 2 === 0) tree = await open(kv, depth, history)
          }
          const newest = contents.length - 1
          const oldest = Math.max(0, newest - history)
          const readers = [follower, reading(kv)]
          const keys = sequence.flatMap((changes) => changes.slice(0, 2).map(({ key }) => key))
          for (let height = 0; height <= newest + 1; height++) {
            if (height < oldest || height > newest) {
              const error = height > newest ? { code: 'not-yet', newest } : { code: 'not-provable', oldest, newest }
              for (const reader of readers) expect(await reader.prove(height as Height, [])).toMatchObject({ ok: false, error })
              continue
            }
            for (const key of keys) {
              const expected = naiveProof(contents[height]!, key)
              if (expected.siblings.length > 60) continue
              for (const reader of readers) expect(await proofOf(reader, height, key)).toEqual(expected)
            }
          }
          expect(kv.keys('0x2003')).toHaveLength(Math.min(history, newest))
          expect(kv.keys('0x2004')).toHaveLength(Math.min(history, newest))
        },
      ),
      { numRuns: 12 },
    )
  })

  it('follow a history that is made shorter and longer', async () => {
    const kv = new MemoryKv()
    let tree = await open(kv, 4, 6)
    const [key] = ground(1)
    const run = (blocks: number) => {
      for (let i = 0; i < blocks; i++) advance(tree, kv, [put(key!, String(i))])
    }
    const reader = reading(kv)
    /** The heights that are provable. */
    const range = async () => {
      const heights = Array.from({ length: 20 }, (_, height) => height as Height)
      const proofs = await Promise.all(heights.map((height) => reader.prove(height, [key!])))
      const provable = heights.filter((height) => proofs[height]!.ok)
      expect(provable).toHaveLength(provable.at(-1)! - provable[0]! + 1)
      return [provable[0], provable.at(-1)]
    }
    run(10)
    expect(await range()).toEqual([3, 9])
    tree = await open(kv, 4, 2)
    run(1)
    expect(await range()).toEqual([8, 10])
    tree = await open(kv, 4, 0)
    run(1)
    expect(await range()).toEqual([11, 11])
    expect(kv.keys('0x2003')).toEqual([])
    tree = await open(kv, 4, 6)
    run(3)
    expect(await range()).toEqual([11, 14])
    expect((await reader.prove(11 as Height, [key!])).ok).toBe(true)
    expect(await reader.prove(10 as Height, [key!])).toMatchObject({
      error: { message: 'proofs are available for the blocks from 11 to 14, not for block 10' },
    })
    expect(await reader.prove(15 as Height, [key!])).toMatchObject({
      error: { message: 'block 15 is not there yet, the last one is 14: ask again' },
    })
  })
})

describe('while blocks are committed', () => {
  it('a proof is of the height that was asked, or refused', async () => {
    const changes = fc.array(change, { minLength: 1, maxLength: 12 })
    let proofs = 0
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1, 4, 10),
        fc.array(changes, { minLength: 6, maxLength: 6 }),
        fc.array(fc.nat(12), { minLength: 5, maxLength: 5 }),
        async (depth, sequence, pauses) => {
          const kv = new BusyKv()
          const tree = await open(kv, depth, 3)
          const contents: Content[] = []
          const commit = (): void => {
            const next = sequence[contents.length]!
            contents.push(applied(contents.at(-1) ?? new Map(), next))
            advance(tree, kv, next)
          }
          commit()
          const reader = reading(kv)
          let reads = 0
          kv.onRead = () => {
            if (contents.length === 6 || reads++ < pauses[contents.length - 1]!) return
            reads = 0
            commit()
          }
          const keys = sequence.map(([first]) => first!.key)
          for (let asked = 0; asked < 12; asked++) {
            const height = contents.length - 1 - (asked % 2)
            if (height < 0) continue
            const expected = keys.map((key) => naiveProof(contents[height]!, key))
            const result = await reader.prove(height as Height, keys)
            if (result.ok) {
              proofs++
              expect(result.value).toEqual(expected)
            } else if (result.error.code === 'too-deep') {
              expect(expected.some(({ siblings }) => siblings.length > 60)).toBe(true)
            } else expect(['updating', 'not-provable']).toContain(result.error.code)
          }
        },
      ),
      { numRuns: 15 },
    )
    expect(proofs).toBeGreaterThan(15)
  })

  it('a proof is refused when every attempt is disturbed', async () => {
    const kv = new BusyKv()
    const tree = await open(kv, 4, 100)
    const keys = Array.from({ length: 16 }, (_, i) => new Uint8Array(32).fill(16 * i))
    advance(
      tree,
      kv,
      keys.map((key) => put(key)),
    )
    const reader = reading(kv)
    await reader.prove(0 as Height, [])
    // Each page changes just before it is read.
    const pages: number[] = []
    kv.onRead = (key) => {
      if (key.length !== 6 || key[1] !== 1) return
      pages.push(key[5]!)
      advance(tree, kv, [put(keys[key[5]!]!, 'w')])
    }
    const refused = await reader.prove(0 as Height, keys)
    expect(refused).toMatchObject({ ok: false, error: { code: 'updating' } })
    expect(pages).toEqual([0, 1, 2, 3])
    kv.onRead = () => {}
    expect((await reader.prove(0 as Height, keys)).ok).toBe(true)
  })
})

describe('a reader that is behind the database', () => {
  it('proves a height above its own when it has followed, and never says that it is gone', async () => {
    const kv = new BusyKv()
    const tree = await open(kv, 4, 100)
    const keys = Array.from({ length: 16 }, (_, i) => new Uint8Array(32).fill(16 * i))
    const commit = () => {
      advance(
        tree,
        kv,
        keys.map((key) => put(key, String(nextHeight(tree)))),
      )
    }
    commit()
    const reader = reading(kv)
    await reader.prove(0 as Height, keys)
    commit()
    // A block is committed whenever the reader begins to read bucket roots, so that all its attempts to follow are lost.
    let lost = 0
    kv.onRead = (key) => {
      if (bytesToHex(key) !== '0x200200000000') return
      lost++
      commit()
    }
    expect(await reader.prove(1 as Height, keys)).toMatchObject({ ok: false, error: { code: 'updating' } })
    expect(lost).toBe(16)
    kv.onRead = () => {}
    expect((await reader.prove(1 as Height, keys)).ok).toBe(true)
  })
})

describe('a damaged database', () => {
  const keys = Array.from({ length: 40 }, (_, i) => crypto.sha256(Uint8Array.of(i)))
  const setUp = async () => {
    const kv = new MemoryKv()
    const tree = await open(kv, 2)
    advance(
      tree,
      kv,
      keys.map((key) => put(key)),
    )
    const reader = reading(kv)
    await reader.prove(0 as Height, [])
    advance(
      tree,
      kv,
      keys.map((key) => put(key, 'w')),
    )
    return { kv, reader }
  }
  const overwrite = (kv: MemoryKv, name: string) => {
    const key = hexToBytes(name as Hex)
    kv.write([{ key, value: kv.get(key)!.map((byte, i) => (i === 9 ? byte ^ 1 : byte)) }])
  }

  it('is reported: bucket roots, pages, undo records, the head', async () => {
    for (const [prefix, height, message] of [
      ['0x2002', 1, /the buckets at height 1 do not have the root/],
      ['0x2001', 1, /the pages at height 1 do not lead to its root/],
      ['0x2003', 0, /undo to height 0 gives the root/],
    ] as const) {
      const { kv, reader } = await setUp()
      overwrite(kv, kv.keys(prefix)[0]!)
      await expect(reader.prove(height as Height, keys)).rejects.toThrow(message)
    }
    await expect(reading(new MemoryKv()).prove(0 as Height, [])).rejects.toThrow(TreeCorruption)
  })
})
