import { createHash } from 'node:crypto'
import { encodeRlp, keccak256 } from 'ethers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesToHex, concatBytes, equalBytes, type Hex, hexToBytes, utf8ToBytes } from './bytes.ts'
import { EMPTY_LIST_ROOT, type MerkleProof, merkleProof, merkleRoot, merkleRootSteps, verifyMerkleProof } from './merkle.ts'
import { nobleCrypto as crypto } from './noble.ts'

const sha256 = (...parts: readonly Uint8Array[]) =>
  new Uint8Array(
    createHash('sha256')
      .update(concatBytes(...parts))
      .digest(),
  )
const marked = (digest: Uint8Array) => digest.with(0, digest[0]! | 0x80)
const cleared = (digest: Uint8Array) => digest.with(0, digest[0]! & 0x7f)

/** The definition, by recursion: the left subtree of more than one item is the largest power of two that leaves something right. */
function topOf(items: readonly Uint8Array[]): Uint8Array {
  if (items.length === 1) return marked(sha256(items[0]!))
  let left = 1
  while (2 * left < items.length) left *= 2
  return cleared(sha256(topOf(items.slice(0, left)), topOf(items.slice(left))))
}

function rootOf(items: readonly Uint8Array[]): Uint8Array {
  if (items.length === 0) return hexToBytes(keccak256(encodeRlp('0x')) as Hex)
  const count = new Uint8Array(32)
  new DataView(count.buffer).setUint32(28, items.length)
  return sha256(count, topOf(items))
}

const items = (count: number) => Array.from({ length: count }, (_, i) => utf8ToBytes(`item ${i}`))
const counts = Array.from({ length: 71 }, (_, count) => count)
const anyItems = fc.array(fc.uint8Array({ maxLength: 70 }), { minLength: 1, maxLength: 70 })
const anyPlace = anyItems.chain((list) => fc.tuple(fc.constant(list), fc.nat(list.length - 1)))

describe('the root', () => {
  it('is that of the definition, for every count', () => {
    for (const count of counts) expect(merkleRoot(crypto, items(count)), `${count} items`).toEqual(rootOf(items(count)))
  })

  it('is that of the definition, for any items', () => {
    fc.assert(
      fc.property(anyItems, (list) => {
        expect(merkleRoot(crypto, list)).toEqual(rootOf(list))
      }),
    )
  })

  it("of an empty list is Ethereum's constant", () => {
    // types.EmptyTxsHash and types.EmptyReceiptsHash of go-ethereum.
    expect(EMPTY_LIST_ROOT).toBe('0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421')
    expect(bytesToHex(merkleRoot(crypto, []))).toBe(EMPTY_LIST_ROOT)
  })

  it('is the same in slices of any power of two, with a rest after each', () => {
    for (const count of counts) {
      const list = items(count)
      for (const slice of [1, 2, 8, 64, 128]) {
        const steps = merkleRootSteps(crypto, count, (index) => list[index]!, slice)
        let rests = 0
        let step = steps.next()
        for (; step.done !== true; step = steps.next()) rests++
        expect(step.value, `${count} items in slices of ${slice}`).toEqual(rootOf(items(count)))
        expect(rests).toBe(Math.max(0, Math.ceil(count / slice) - 1))
      }
    }
    for (const slice of [0, 3, 12, 1.5])
      expect(() => merkleRootSteps(crypto, 20, (index) => items(20)[index]!, slice).next()).toThrow('power of two')
  })

  it('is another for other items, another order, another count', () => {
    const roots = new Set(counts.map((count) => bytesToHex(merkleRoot(crypto, items(count)))))
    expect(roots.size).toBe(counts.length)
    fc.assert(
      fc.property(anyItems, anyItems, (a, b) => {
        const same = JSON.stringify(a.map(bytesToHex)) === JSON.stringify(b.map(bytesToHex))
        expect(bytesToHex(merkleRoot(crypto, a)) === bytesToHex(merkleRoot(crypto, b))).toBe(same)
      }),
    )
    expect(merkleRoot(crypto, items(3))).not.toEqual(merkleRoot(crypto, items(3).reverse()))
  })

  it('does not take an inner node for an item', () => {
    const [a, b] = items(2) as [Uint8Array, Uint8Array]
    const inner = concatBytes(marked(sha256(a)), marked(sha256(b)))
    expect(merkleRoot(crypto, [inner])).not.toEqual(merkleRoot(crypto, [a, b]))
    expect(topOf([inner])).not.toEqual(topOf([a, b]))
  })
})

describe('a proof', () => {
  it('shows every item of every count', () => {
    for (const count of counts) {
      const list = items(count)
      const root = merkleRoot(crypto, list)
      list.forEach((item, index) => {
        const proof = merkleProof(crypto, list, index)
        expect(proof.siblings.length).toBeLessThanOrEqual(Math.ceil(Math.log2(count)))
        expect(verifyMerkleProof(crypto, root, item, proof), `item ${index} of ${count}`).toBe(true)
      })
    }
  })

  it('does not exist for an index out of range', () => {
    for (const index of [-1, 3, 0.5, Number.NaN]) expect(() => merkleProof(crypto, items(3), index)).toThrow(RangeError)
    expect(() => merkleProof(crypto, [], 0)).toThrow(RangeError)
  })

  it('shows nothing else: any change of item, root, place or siblings fails', () => {
    const flip = (bytes: Uint8Array, bit: number) => bytes.with(bit >> 3, bytes[bit >> 3]! ^ (1 << (bit & 7)))
    fc.assert(
      fc.property(anyPlace, fc.nat(255), fc.nat(), ([list, index], bit, pick) => {
        const root = merkleRoot(crypto, list)
        const proof = merkleProof(crypto, list, index)
        const { count, siblings } = proof
        const shows = (other: Partial<MerkleProof>) => verifyMerkleProof(crypto, root, list[index]!, { ...proof, ...other })
        expect(shows({})).toBe(true)
        expect(verifyMerkleProof(crypto, flip(root, bit), list[index]!, proof)).toBe(false)
        expect(verifyMerkleProof(crypto, root, concatBytes(list[index]!, Uint8Array.of(0)), proof)).toBe(false)
        for (const wrong of [count + 1, count - 1, 2 * count, 0, -1, count + 0.5, Number.NaN, 2 ** 53])
          expect(shows({ count: wrong })).toBe(false)
        for (const wrong of [index + count, -1, index + 0.5, Number.NaN]) expect(shows({ index: wrong })).toBe(false)
        const other = pick % count
        // If the list has the same item twice, the changed claim may be true.
        if (!equalBytes(list[other]!, list[index]!)) expect(shows({ index: other })).toBe(false)
        expect(shows({ siblings: [...siblings, new Uint8Array(32)] })).toBe(false)
        if (siblings.length === 0) return
        const at = pick % siblings.length
        expect(shows({ siblings: siblings.with(at, flip(siblings[at]!, bit)) })).toBe(false)
        expect(shows({ siblings: siblings.toSpliced(at, 1) })).toBe(false)
        expect(shows({ siblings: siblings.with(at, siblings[at]!.subarray(1)) })).toBe(false)
        expect(shows({ siblings: siblings.with(at, concatBytes(siblings[at]!, Uint8Array.of(0))) })).toBe(false)
      }),
      { numRuns: 300 },
    )
  })
})
