import {
  bigIntToBytes,
  bytesToBigInt,
  type Crypto,
  type Curve,
  concatBytes,
  type HashPairs,
  hashPairsBy,
  nobleCrypto,
} from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../../../test/long.ts'
import { nobleCurves } from '../../../protocol/test/noble-curves.ts'
import { CANDIDATES, type Candidate } from './load.ts'
import { loadOxWasmHashes } from './ox-wasm.ts'
import { curveQuestions } from './self-test.ts'

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const FIELD = 2n ** 256n - 2n ** 32n - 977n
const GENERATOR_X = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n
const word = (value: bigint) => bigIntToBytes(value, 32)

/** The candidates that are available on this platform. `load.test.ts` tests that the usual platforms have all of them. */
async function available<T>(candidates: readonly Candidate<T>[]): Promise<readonly [backend: string, loaded: T][]> {
  const found: [string, T][] = []
  for (const { backend, load } of candidates) {
    const loaded = await Promise.resolve()
      .then(load)
      .catch((reason: Error) => reason)
    if (!(loaded instanceof Error)) found.push([backend, loaded])
  }
  return found
}

const scalars = fc.oneof(
  { weight: 8, arbitrary: fc.bigInt(1n, ORDER - 1n) },
  { weight: 1, arbitrary: fc.constantFrom(1n, 2n, (ORDER - 1n) / 2n, (ORDER + 1n) / 2n, ORDER - 2n, ORDER - 1n) },
)
/** Words with edge values that implementations get wrong. */
const words = fc
  .oneof(
    scalars,
    fc.constantFrom(0n, ORDER, ORDER + 1n, 2n ** 256n - 1n, FIELD),
    fc.bigInt(0n, 2n ** 256n - 1n),
    fc.bigInt(0n, 300n),
  )
  .map(word)

/** A valid signature, or a modified one of the same size. */
const signatureCases = fc
  .record({
    digest: words,
    secretKey: scalars.map(word),
    change: fc.constantFrom('none', 'none', 'flip-s', 'bit', 'r', 's', 'swap', 'digest'),
    other: words,
    bit: fc.nat(511),
  })
  .map(({ digest, secretKey, change, other, bit }) => {
    const { signature, yParity } = nobleCrypto.sign(digest, secretKey)
    const publicKey = nobleCrypto.publicKey(secretKey)!
    const [r, s] = [signature.slice(0, 32), signature.slice(32)]
    const changed = {
      none: () => signature,
      'flip-s': () => concatBytes(r, word(ORDER - bytesToBigInt(s))),
      bit: () => signature.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)),
      r: () => concatBytes(other, s),
      s: () => concatBytes(r, other),
      swap: () => concatBytes(s, r),
      digest: () => signature,
    }[change]()
    return { digest: change === 'digest' ? other : digest, signature: changed, publicKey, yParity }
  })

/** Words at which some comparison of a curve changes its result, and words that are no x of a point (0, 5) or are one (1, 2, 3, the generator's). */
const EDGES = [0n, 1n, 2n, 3n, 5n, GENERATOR_X, FIELD - ORDER, FIELD - ORDER - 1n, ORDER >> 1n, (ORDER >> 1n) + 1n]
  .concat([ORDER - 1n, ORDER, ORDER + 1n, FIELD - 1n, FIELD, FIELD + 1n, 2n ** 256n - 1n])
  .map(word)

/** Each r among the edges and a valid one with each s at a limit and the valid one, and noble's answers. */
function makeEdgeSignatures() {
  const publicKey = nobleCrypto.publicKey(word(7n))!
  const limits = [0n, 1n, ORDER >> 1n, (ORDER >> 1n) + 1n, ORDER - 1n, ORDER, 2n ** 256n - 1n].map(word)
  return [7n, 2n ** 256n - 1n].map(word).flatMap((digest) => {
    const valid = nobleCrypto.sign(digest, word(7n)).signature
    return [...EDGES, valid.slice(0, 32)].flatMap((r) =>
      [...limits, valid.slice(32)].map((s) => {
        const signature = concatBytes(r, s)
        const recovered = ([0, 1] as const).map((parity) => nobleCrypto.recover(digest, signature, parity))
        return { digest, signature, publicKey, recovered, isValid: nobleCrypto.verify(digest, signature, publicKey) }
      }),
    )
  })
}

let madeEdgeSignatures: ReturnType<typeof makeEdgeSignatures> | undefined
const edgeSignatures = () => (madeEdgeSignatures ??= makeEdgeSignatures())

/** noble is @noble/secp256k1 behind `strictCurve`; @noble/curves is the oracle for both. */
const curves = [...(await available<Curve>(CANDIDATES.curve)), ['@noble/curves', nobleCurves] as const]

describe.each(curves)('curve of %s', (_, curve) => {
  it('signs as noble does, including digests at and above the order', () => {
    fc.assert(
      fc.property(words, scalars.map(word), (digest, secretKey) => {
        expect(curve.sign(digest, secretKey)).toEqual(nobleCrypto.sign(digest, secretKey))
        expect(curve.publicKey(secretKey)).toEqual(nobleCrypto.publicKey(secretKey))
      }),
      { numRuns: runs(150) },
    )
  })

  it('recovers and verifies as noble does, valid and invalid signatures', () => {
    fc.assert(
      fc.property(signatureCases, ({ digest, signature, publicKey, yParity }) => {
        for (const parity of [yParity, (1 - yParity) as 0 | 1]) {
          expect(curve.recover(digest, signature, parity)).toEqual(nobleCrypto.recover(digest, signature, parity))
        }
        expect(curve.verify(digest, signature, publicKey)).toBe(nobleCrypto.verify(digest, signature, publicKey))
      }),
      { numRuns: runs(200) },
    )
  })

  it('accepts the same keys as noble', () => {
    fc.assert(
      fc.property(fc.nat(8), words, words, (prefix, x, digest) => {
        const publicKey = concatBytes(Uint8Array.of(prefix), x)
        expect(curve.decompress(publicKey)).toEqual(nobleCrypto.decompress(publicKey))
        expect(curve.publicKey(x)).toEqual(nobleCrypto.publicKey(x))
        const { signature } = nobleCrypto.sign(digest, word(1n))
        expect(curve.verify(digest, signature, publicKey)).toBe(nobleCrypto.verify(digest, signature, publicKey))
      }),
      { numRuns: runs(100) },
    )
  })

  it('answers as noble does at the edges of r and s', () => {
    for (const { digest, signature, publicKey, recovered, isValid } of edgeSignatures()) {
      for (const parity of [0, 1] as const) expect(curve.recover(digest, signature, parity)).toEqual(recovered[parity])
      expect(curve.verify(digest, signature, publicKey)).toBe(isValid)
    }
  })

  it('answers as noble does at the edges of scalars and points, and to the self-test', () => {
    for (const edge of EDGES) {
      expect(curve.publicKey(edge)).toEqual(nobleCrypto.publicKey(edge))
      if (nobleCrypto.publicKey(edge) !== undefined) expect(curve.sign(edge, edge)).toEqual(nobleCrypto.sign(edge, edge))
      for (const prefix of [0, 1, 2, 3, 4, 5, 6, 7, 255]) {
        const publicKey = concatBytes(Uint8Array.of(prefix), edge)
        expect(curve.decompress(publicKey)).toEqual(nobleCrypto.decompress(publicKey))
      }
    }
    for (const { name, ask } of curveQuestions()) expect(ask(curve), name).toEqual(ask(nobleCrypto))
  })

  it('accepts views of larger, shared and pooled memory, and does not change its input', () => {
    const digest = nobleCrypto.sha256(Uint8Array.of(1))
    const { signature, yParity } = nobleCrypto.sign(digest, word(9n))
    const wanted = nobleCrypto.recover(digest, signature, yParity)
    const memories = [new ArrayBuffer(200), new SharedArrayBuffer(200)]
    for (const memory of memories) {
      const bytes = new Uint8Array(memory)
      bytes.set(digest, 3)
      bytes.set(signature, 41)
      const before = bytes.slice()
      expect(curve.recover(bytes.subarray(3, 35), bytes.subarray(41, 105), yParity)).toEqual(wanted)
      expect(bytes.slice()).toEqual(before)
    }
    expect(curve.recover(Buffer.from(digest), Buffer.from(signature), yParity)).toEqual(wanted)
  })

  it('returns results in their own memory, as plain Uint8Arrays', () => {
    const { signature } = curve.sign(word(1n), word(2n))
    const publicKey = curve.publicKey(word(2n))!
    const results = [signature, publicKey, curve.decompress(publicKey)!, curve.recover(word(1n), signature, 0)!]
    for (const result of results) {
      expect(Object.getPrototypeOf(result)).toBe(Uint8Array.prototype)
      expect(result.buffer.byteLength).toBe(result.length)
    }
    const copy = signature.slice()
    curve.sign(word(3n), word(4n))
    expect(signature).toEqual(copy)
  })
})

const hashes: readonly (readonly [string, 'keccak256' | 'sha256', Crypto['sha256']])[] = [
  ...(await available(CANDIDATES.keccak256)).map(([backend, hash]) => [backend, 'keccak256', hash] as const),
  ...(await available(CANDIDATES.sha256)).map(([backend, hash]) => [backend, 'sha256', hash] as const),
]

describe.each(hashes)('%s %s', (_, name, hash) => {
  it('hashes as noble does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1200 }), fc.nat(7), (bytes, offset) => {
        expect(hash(bytes.subarray(offset))).toEqual(nobleCrypto[name](bytes.subarray(offset)))
      }),
      { numRuns: 300 },
    )
    const long = new Uint8Array(4 * 1024 * 1024).fill(0xa5)
    expect(hash(long)).toEqual(nobleCrypto[name](long))
  })

  it('returns a plain Uint8Array with its own memory', () => {
    const digest = hash(Uint8Array.of(1))
    expect(Object.getPrototypeOf(digest)).toBe(Uint8Array.prototype)
    const copy = digest.slice()
    hash(Uint8Array.of(2))
    digest[0]! ^= 0
    expect(digest).toEqual(copy)
  })
})

const pairs: readonly (readonly [string, HashPairs])[] = [
  ...(await available(CANDIDATES.hashPairs)),
  ['loop', hashPairsBy((await loadOxWasmHashes()).sha256)],
]

describe.each(pairs)('hashPairs of %s', (_, hashPairs) => {
  it('hashes as noble does, to separate output and over its input, with buffers larger than needed', () => {
    fc.assert(
      fc.property(fc.nat(70), fc.nat(40), fc.nat(9), fc.boolean(), fc.nat(255), (count, spare, offset, shared, seed) => {
        const length = 64 * count + spare
        const memory = shared ? new SharedArrayBuffer(length + offset) : new ArrayBuffer(length + offset)
        const input = new Uint8Array(memory, offset)
        for (let i = 0; i < length; i++) input[i] = (seed + i * 101 + (i >> 6)) & 0xff
        const wanted = new Uint8Array(length)
        wanted.set(input)
        nobleCrypto.hashPairs(wanted, wanted, count)
        const output = new Uint8Array(32 * count + spare).fill(0xee)
        hashPairs(input, output, count)
        expect(output.slice(0, 32 * count)).toEqual(wanted.slice(0, 32 * count))
        expect(output.slice(32 * count)).toEqual(new Uint8Array(spare).fill(0xee))
        hashPairs(input, input, count)
        expect(input.slice()).toEqual(wanted)
      }),
      { numRuns: 150 },
    )
  })

  it('refuses to hash more pairs than the input has', () => {
    expect(() => hashPairs(new Uint8Array(127), new Uint8Array(64), 2)).toThrow(RangeError)
    expect(() => hashPairs(new Uint8Array(128), new Uint8Array(63), 2)).toThrow(RangeError)
  })
})
