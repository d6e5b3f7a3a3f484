import {
  bigIntToBytes,
  bytesToBigInt,
  type Crypto,
  type Curve,
  concatBytes,
  equalBytes,
  type HashPairs,
  hexToBytes,
  nobleCrypto,
} from '@quoin/protocol'

/**
 * Known-answer tests that a backend passes before the node trusts it; the answers are the noble implementation's. Each function
 * returns the first disagreement in words, or undefined.
 */

const ORDER = BigInt('0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141')
const GENERATOR_X = hexToBytes('0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')

const word = (value: bigint): Uint8Array => bigIntToBytes(value, 32)

const SECRET_KEYS: readonly Uint8Array[] = [word(1n), new Uint8Array(32).fill(0x46), word(ORDER - 1n)]
const BAD_SECRET_KEYS: readonly Uint8Array[] = [word(0n), word(ORDER), new Uint8Array(32).fill(0xff)]

/** The signing hash of EIP-155's example, zero, and numbers of the order and above, which are to be reduced. */
const DIGESTS: readonly Uint8Array[] = [
  hexToBytes('0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53'),
  word(0n),
  word(ORDER),
  new Uint8Array(32).fill(0xff),
]

interface SignatureCase {
  readonly name: string
  readonly digest: Uint8Array
  readonly signature: Uint8Array
  readonly publicKey: Uint8Array
}

const DIGEST = DIGESTS[0]!
const PUBLIC_KEY = nobleCrypto.publicKey(SECRET_KEYS[1]!)!

const LARGE_X_KEY = hexToBytes('0x03797033e19680e671fc72cea04cabe394c9295edda1c86f72f4fb68b1dbb8a0ba')

/** Signatures that are refused, or that only just are not. */
function edgeCases(): readonly SignatureCase[] {
  const { signature } = nobleCrypto.sign(DIGEST, SECRET_KEYS[1]!)
  const r = signature.subarray(0, 32)
  const s = signature.subarray(32)
  const highS = word(ORDER - bytesToBigInt(s))
  const edge = (name: string, edgeR: Uint8Array, edgeS: Uint8Array, digest = DIGEST): SignatureCase => ({
    name,
    digest,
    signature: concatBytes(edgeR, edgeS),
    publicKey: PUBLIC_KEY,
  })
  return [
    edge('high s', r, highS),
    edge('s of zero', r, word(0n)),
    edge('r of zero', word(0n), s),
    edge('both zero', word(0n), word(0n)),
    edge('r of the order', word(ORDER), s),
    edge('s of the order', r, word(ORDER)),
    edge('r beyond the order', new Uint8Array(32).fill(0xff), s),
    edge('s beyond the order', r, new Uint8Array(32).fill(0xff)),
    edge('s of half the order', r, word(ORDER >> 1n)),
    edge('s just above half the order', r, word((ORDER >> 1n) + 1n)),
    edge('r that is no x of the curve', word(5n), s),
    edge('other digest', r, s, DIGESTS[1]!),
    // The signing point has x = n + 2, which r = 2 stands for; the key was solved for from it. Recovery takes r as x.
    { ...edge('r of a point beyond the order', word(2n), word(3n)), publicKey: LARGE_X_KEY },
    // R = G and s = z make r⁻¹(sR − zG) the point at infinity.
    edge('key at infinity', GENERATOR_X, word(7n), word(7n)),
    // u₁G + u₂P is infinity for the key of 1 where z = −r.
    {
      ...edge('sum at infinity', word(1n), word(1n), word(ORDER - 1n)),
      publicKey: nobleCrypto.publicKey(word(1n))!,
    },
  ]
}

/** Compressed keys that are no points: bad prefixes, an x off the curve, an x of the field's size. */
function badPublicKeys(): readonly Uint8Array[] {
  const x = PUBLIC_KEY.subarray(1)
  const prefixed = (prefix: number, point: Uint8Array) => concatBytes(Uint8Array.of(prefix), point)
  const field = hexToBytes('0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f')
  return [prefixed(0, x), prefixed(4, x), prefixed(6, x), prefixed(2, word(5n)), prefixed(3, field), prefixed(2, word(0n))]
}

/** First disagreement of a curve with noble over signing, recovery (both parities), verification and keys. */
export function curveFault(curve: Curve): string | undefined {
  return keyFault(curve) ?? signatureFault(curve)
}

function keyFault(curve: Curve): string | undefined {
  for (const secretKey of [...SECRET_KEYS, ...BAD_SECRET_KEYS]) {
    const fault = difference('publicKey', curve.publicKey(secretKey), nobleCrypto.publicKey(secretKey))
    if (fault !== undefined) return fault
  }
  const publicKeys = SECRET_KEYS.map((secretKey) => nobleCrypto.publicKey(secretKey)!)
  for (const publicKey of [...publicKeys, ...badPublicKeys()]) {
    const fault = difference('decompress', curve.decompress(publicKey), nobleCrypto.decompress(publicKey))
    if (fault !== undefined) return fault
  }
  for (const publicKey of badPublicKeys()) {
    if (curve.verify(DIGEST, nobleCrypto.sign(DIGEST, SECRET_KEYS[1]!).signature, publicKey))
      return 'verify: takes a key off the curve'
  }
  return undefined
}

function signatureFault(curve: Curve): string | undefined {
  const cases: SignatureCase[] = [...edgeCases()]
  for (const [i, digest] of DIGESTS.entries()) {
    const secretKey = SECRET_KEYS[i % SECRET_KEYS.length]!
    const wanted = nobleCrypto.sign(digest, secretKey)
    const signed = curve.sign(digest, secretKey)
    const fault =
      difference(`sign of digest ${i}`, signed.signature, wanted.signature) ??
      (signed.yParity === wanted.yParity ? undefined : `sign of digest ${i}: other y parity`)
    if (fault !== undefined) return fault
    cases.push({ name: `digest ${i}`, digest, signature: wanted.signature, publicKey: nobleCrypto.publicKey(secretKey)! })
  }
  for (const { name, digest, signature, publicKey } of cases) {
    for (const yParity of [0, 1] as const) {
      const wanted = nobleCrypto.recover(digest, signature, yParity)
      const fault = difference(`recover, ${name}, y parity ${yParity}`, curve.recover(digest, signature, yParity), wanted)
      if (fault !== undefined) return fault
    }
    if (curve.verify(digest, signature, publicKey) !== nobleCrypto.verify(digest, signature, publicKey))
      return `verify, ${name}: other answer`
  }
  return undefined
}

/** Lengths around the blocks of SHA-256 (64) and keccak (136), and one above WebAssembly's first page. */
const HASH_LENGTHS: readonly number[] = [0, 1, 31, 32, 55, 56, 63, 64, 65, 119, 128, 135, 136, 137, 272, 1000, 70_000]

/** First disagreement of a hash function with noble's. */
export function hashFault(name: 'keccak256' | 'sha256', hash: Crypto['sha256']): string | undefined {
  for (const length of HASH_LENGTHS) {
    const input = pattern(length)
    const fault = difference(`${name} of ${length} bytes`, hash(input), nobleCrypto[name](input))
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Counts around every number of lanes that vector units have (4, 8, 16), alone and together. */
const PAIR_COUNTS: readonly number[] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 29, 31, 32, 33, 64]

/** First disagreement with noble's digests, with the output apart and over the input, in private and in shared memory. */
export function hashPairsFault(hashPairs: HashPairs): string | undefined {
  for (const count of PAIR_COUNTS) {
    const wanted = new Uint8Array(32 * count)
    nobleCrypto.hashPairs(pattern(64 * count), wanted, count)
    const apart = new Uint8Array(32 * count)
    hashPairs(pattern(64 * count), apart, count)
    const over = pattern(64 * count)
    hashPairs(over, over.subarray(0, 32 * count), count)
    const shared = new Uint8Array(new SharedArrayBuffer(64 * count + 8), 8)
    shared.set(pattern(64 * count))
    hashPairs(shared, shared, count)
    const fault =
      difference(`hashPairs of ${count}`, apart, wanted) ??
      difference(`hashPairs of ${count} over the input`, over.subarray(0, 32 * count), wanted) ??
      difference(`hashPairs of ${count} in shared memory`, shared.slice(0, 32 * count), wanted)
    if (fault !== undefined) return fault
  }
  return undefined
}

function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 167 + (i >> 8) * 13 + length) & 0xff
  return bytes
}

function difference(name: string, found: Uint8Array | undefined, wanted: Uint8Array | undefined): string | undefined {
  if (found === undefined && wanted === undefined) return undefined
  if (found === undefined) return `${name}: has no answer, noble has`
  if (wanted === undefined) return `${name}: has an answer, noble has none`
  if (equalBytes(found, wanted)) return undefined
  return `${name}: differs from byte ${wanted.findIndex((byte, i) => byte !== found[i])}`
}
