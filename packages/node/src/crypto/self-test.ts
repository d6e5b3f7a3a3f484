import {
  bigIntToBytes,
  bytesToBigInt,
  bytesToHex,
  type Crypto,
  type Curve,
  concatBytes,
  equalBytes,
  type HashPairs,
  type Hex,
  hexToBytes,
  joinBytes,
  nobleCrypto,
} from '@quoin/protocol'

/**
 * Known-answer tests that a backend must pass before the node uses it. The expected answers are noble's. Each function returns a
 * description of the first difference, or undefined.
 */

const ORDER = BigInt('0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141')
const GENERATOR_X = hexToBytes('0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')

const word = (value: bigint): Uint8Array => bigIntToBytes(value, 32)

const SECRET_KEYS: readonly Uint8Array[] = [word(1n), new Uint8Array(32).fill(0x46), word(ORDER - 1n)]
const BAD_SECRET_KEYS: readonly Uint8Array[] = [word(0n), word(ORDER), new Uint8Array(32).fill(0xff)]

/** The signing hash of EIP-155's example, zero, and numbers at and above the curve's order, which must be reduced. */
const DIGESTS: readonly Uint8Array[] = [
  hexToBytes('0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53'),
  word(0n),
  word(ORDER),
  new Uint8Array(32).fill(0xff),
]

/** The example of EIP-155, signed with its key, 46…46. */
const DIGEST = DIGESTS[0]!
const PUBLIC_KEY = hexToBytes('0x024bc2a31265153f07e70e0bab08724e6b85e217f8cd628ceb62974247bb493382')
const SIGNATURE = hexToBytes(
  '0x28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa63627667cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83',
)

const LARGE_X_KEY = hexToBytes('0x03797033e19680e671fc72cea04cabe394c9295edda1c86f72f4fb68b1dbb8a0ba')

/** One test: a call whose answer must equal noble's. */
interface Question<T> {
  readonly name: string
  ask(backend: T): Uint8Array | undefined
}

interface SignatureCase {
  readonly name: string
  readonly digest: Uint8Array
  readonly signature: Uint8Array
  readonly publicKey: Uint8Array
}

/** Signatures that must be refused, or are only just valid. */
function edgeCases(): readonly SignatureCase[] {
  const r = SIGNATURE.subarray(0, 32)
  const s = SIGNATURE.subarray(32)
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
    edge('r that is not an x coordinate of the curve', word(5n), s),
    edge('other digest', r, s, DIGESTS[1]!),
    // The signing point has x = n + 2, so r = 2; the key was computed from it. Recovery takes r as x.
    { ...edge('r of a point beyond the order', word(2n), word(3n)), publicKey: LARGE_X_KEY },
    // R = G and s = z make r⁻¹(sR − zG) the point at infinity.
    edge('key at infinity', GENERATOR_X, word(7n), word(7n)),
    // u₁G + u₂P is the point at infinity for the secret key 1 and z = −r.
    {
      ...edge('sum at infinity', word(1n), word(1n), word(ORDER - 1n)),
      publicKey: concatBytes(Uint8Array.of(2), GENERATOR_X),
    },
  ]
}

/** Compressed keys that are not points: bad prefixes, an x off the curve, an x equal to the field's size. */
function badPublicKeys(): readonly Uint8Array[] {
  const x = PUBLIC_KEY.subarray(1)
  const prefixed = (prefix: number, point: Uint8Array) => concatBytes(Uint8Array.of(prefix), point)
  const field = hexToBytes('0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f')
  return [prefixed(0, x), prefixed(4, x), prefixed(6, x), prefixed(2, word(5n)), prefixed(3, field), prefixed(2, word(0n))]
}

/** Signing, recovery (both parities), verification and keys. */
export function curveQuestions(): readonly Question<Curve>[] {
  return [...keyQuestions(), ...signingQuestions(), ...edgeCases().flatMap((edge) => signatureQuestions(edge.name, () => edge))]
}

function keyQuestions(): readonly Question<Curve>[] {
  return [
    ...[...SECRET_KEYS, ...BAD_SECRET_KEYS].map((key) => ({ name: 'publicKey', ask: (curve: Curve) => curve.publicKey(key) })),
    ...SECRET_KEYS.map((key) => ({ name: 'decompress', ask: (curve: Curve) => curve.decompress(curve.publicKey(key)!) })),
    ...badPublicKeys().flatMap((key) => [
      { name: 'decompress', ask: (curve: Curve) => curve.decompress(key) },
      { name: 'verify, key off the curve', ask: (curve: Curve) => flag(curve.verify(DIGEST, SIGNATURE, key)) },
    ]),
  ]
}

function signingQuestions(): readonly Question<Curve>[] {
  return DIGESTS.flatMap((digest, i) => {
    const key = SECRET_KEYS[i % SECRET_KEYS.length]!
    const sign = (curve: Curve): Uint8Array => {
      const { signature, yParity } = curve.sign(digest, key)
      return concatBytes(signature, Uint8Array.of(yParity))
    }
    // Signatures and keys that differ from noble's have been found by the tests before.
    const signed = (curve: Curve) => ({ digest, signature: curve.sign(digest, key).signature, publicKey: curve.publicKey(key)! })
    return [{ name: `sign of digest ${i}`, ask: sign }, ...signatureQuestions(`digest ${i}`, signed)]
  })
}

function signatureQuestions(name: string, caseOf: (curve: Curve) => Omit<SignatureCase, 'name'>): readonly Question<Curve>[] {
  const recover = (yParity: 0 | 1) => ({
    name: `recover, ${name}, y parity ${yParity}`,
    ask(curve: Curve) {
      const { digest, signature } = caseOf(curve)
      return curve.recover(digest, signature, yParity)
    },
  })
  const verify = (curve: Curve) => {
    const { digest, signature, publicKey } = caseOf(curve)
    return flag(curve.verify(digest, signature, publicKey))
  }
  return [recover(0), recover(1), { name: `verify, ${name}`, ask: verify }]
}

const flag = (value: boolean): Uint8Array => Uint8Array.of(value ? 1 : 0)

/** Lengths around the block sizes of SHA-256 (64) and keccak (136), and one above WebAssembly's first page (64 KiB). */
const HASH_LENGTHS: readonly number[] = [0, 1, 31, 32, 55, 56, 63, 64, 65, 119, 128, 135, 136, 137, 272, 1000, 70_000]

export const hashQuestions = (name: HashName): readonly Question<Crypto['sha256']>[] =>
  HASH_LENGTHS.map((length) => ({ name: `${name} of ${length} bytes`, ask: (hash) => hash(pattern(length)) }))

type HashName = 'keccak256' | 'sha256'

/**
 * SHA-256 of all of noble's answers (`answersHash`). Noble takes 0.1 s to compute them, in each thread of a node, so it is called only
 * if the hash of a backend's answers differs.
 */
export const NOBLE_ANSWERS = {
  curve: '0x282007c298f6937edfd69cbd83e24cde91467b86a2b33e9e0fdecbb13fef02ce',
  keccak256: '0x0ffc9f10554cabcaf80e436ef5b12b7bb3485c9e165aa4cc0642bd10ad1e1d04',
  sha256: '0x2f307c4c568b40d6b74735630fe62fa15190adae7c63924a9cf834def778660b',
} as const

/** Hash of all answers, each prefixed with its length; 255 means no answer. */
export const answersHash = (answers: readonly (Uint8Array | undefined)[]): Hex =>
  bytesToHex(
    nobleCrypto.sha256(
      joinBytes(answers.flatMap((answer) => [Uint8Array.of(answer?.length ?? 255), answer ?? new Uint8Array(0)])),
    ),
  )

/** Describes the first answer that differs from noble's. */
function firstFault<T>(questions: readonly Question<T>[], backend: T, known: Hex, noble: T): string | undefined {
  const answers = questions.map(({ ask }) => ask(backend))
  if (answersHash(answers) === known) return undefined
  for (const [i, { name, ask }] of questions.entries()) {
    const fault = difference(name, answers[i], ask(noble))
    if (fault !== undefined) return fault
  }
  return undefined
}

/** First disagreement of a curve with noble over signing, recovery (both parities), verification and keys. */
export const curveFault = (curve: Curve): string | undefined =>
  firstFault(curveQuestions(), curve, NOBLE_ANSWERS.curve, nobleCrypto)

/** First disagreement of a hash function with noble's. */
export const hashFault = (name: HashName, hash: Crypto['sha256']): string | undefined =>
  firstFault(hashQuestions(name), hash, NOBLE_ANSWERS[name], nobleCrypto[name])

/** Counts around every number of vector lanes (4, 8, 16) and their combinations. */
const PAIR_COUNTS: readonly number[] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 29, 31, 32, 33, 64]

/** First difference from noble's digests: with separate output, with output over the input, and in shared memory. */
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
  if (found === undefined) return `${name}: no answer, but noble has one`
  if (wanted === undefined) return `${name}: an answer, but noble has none`
  if (equalBytes(found, wanted)) return undefined
  return `${name}: differs from noble at byte ${wanted.findIndex((byte, i) => byte !== found[i])}`
}
