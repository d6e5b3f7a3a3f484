import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import * as secp256k1 from '@noble/secp256k1'
import { concatBytes } from './bytes.ts'
import type { Crypto } from './crypto.ts'
import { type Curve, strictCurve } from './curve.ts'
import { hashPairsBy } from './hash-pairs.ts'

/**
 * @noble/secp256k1 throws for misuse and for input that has no answer, with the same kinds of error. `strictCurve` has checked sizes and ranges,
 * so only the second is possible here: no point has this x, or the recovered key is the point at infinity.
 */
function keyOrNone(key: () => Uint8Array): Uint8Array | undefined {
  try {
    return key()
  } catch {
    return undefined
  }
}

/** HMAC-SHA-256, from which RFC 6979 takes the nonce. */
const hmacSha256 = (key: Uint8Array, message: Uint8Array): Uint8Array<ArrayBuffer> => hmac(sha256, key, message)

/**
 * Signs with a nonce of our HMAC. @noble/secp256k1 has no HMAC of its own and calls the one in its `hashes`, which every module of a program
 * shares and can replace. Whoever replaces it chooses the nonce, and with a known nonce the signature reveals the secret key. So our HMAC is
 * there while the library signs, whatever others have set, and theirs is there afterwards. Signing is synchronous: no other code runs meanwhile.
 */
function signWithOurHmac(digest: Uint8Array, secretKey: Uint8Array): Uint8Array {
  const { hashes } = secp256k1
  const theirs = hashes.hmacSha256
  hashes.hmacSha256 = hmacSha256
  try {
    return secp256k1.sign(digest, secretKey, { prehash: false, lowS: true, format: 'recovered' })
  } finally {
    hashes.hmacSha256 = theirs
  }
}

const curve: Curve = {
  recover(digest, signature, yParity) {
    const recovered = concatBytes(Uint8Array.of(yParity), signature)
    return keyOrNone(() => secp256k1.recoverPublicKey(recovered, digest, { prehash: false, isCompressed: false }).slice(1))
  },
  verify: (digest, signature, publicKey) => secp256k1.verify(signature, digest, publicKey, { prehash: false, lowS: true }),
  sign(digest, secretKey) {
    const recovered = signWithOurHmac(digest, secretKey)
    return { signature: recovered.slice(1), yParity: (recovered[0]! & 1) as 0 | 1 }
  },
  publicKey: (secretKey) => secp256k1.getPublicKey(secretKey, true),
  decompress: (publicKey) => keyOrNone(() => secp256k1.Point.fromBytes(publicKey).toBytes(false).slice(1)),
}

/** Portable backend over the noble libraries, for browsers and tests. Faster backends must give the same results. */
export const nobleCrypto: Crypto = {
  name: 'noble',
  keccak256: (bytes) => keccak_256(bytes),
  sha256: (bytes) => sha256(bytes),
  hashPairs: hashPairsBy(sha256),
  ...strictCurve(curve),
}
