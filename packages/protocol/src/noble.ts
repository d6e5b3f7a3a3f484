import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { Crypto } from './crypto.ts'
import { type Curve, strictCurve } from './curve.ts'
import { hashPairsBy } from './hash-pairs.ts'

/** The point of a compressed key, or undefined if the curve has no point with this x. */
function parsePoint(publicKey: Uint8Array) {
  return secp256k1.utils.isValidPublicKey(publicKey, true) ? secp256k1.Point.fromBytes(publicKey) : undefined
}

/**
 * @noble/curves throws the same kind of error for misuse and for a signature from which no key can be recovered. `strictCurve` has checked sizes
 * and ranges, so only the second is possible here: r is not the x of a point, or the key is the point at infinity.
 */
function recoverPoint(digest: Uint8Array, signature: Uint8Array, yParity: 0 | 1) {
  try {
    return secp256k1.Signature.fromBytes(signature).addRecoveryBit(yParity).recoverPublicKey(digest)
  } catch {
    return undefined
  }
}

const curve: Curve = {
  recover: (digest, signature, yParity) => recoverPoint(digest, signature, yParity)?.toBytes(false).slice(1),
  verify: (digest, signature, publicKey) => secp256k1.verify(signature, digest, publicKey, { prehash: false, lowS: true }),
  sign(digest, secretKey) {
    const recovered = secp256k1.sign(digest, secretKey, { prehash: false, lowS: true, format: 'recovered' })
    return { signature: recovered.slice(1), yParity: (recovered[0]! & 1) as 0 | 1 }
  },
  publicKey: (secretKey) => secp256k1.getPublicKey(secretKey, true),
  decompress: (publicKey) => parsePoint(publicKey)?.toBytes(false).slice(1),
}

/** Portable backend over the audited noble libraries, for browsers and tests. Faster backends must give the same results. */
export const nobleCrypto: Crypto = {
  name: 'noble',
  keccak256: (bytes) => keccak_256(bytes),
  sha256: (bytes) => sha256(bytes),
  hashPairs: hashPairsBy(sha256),
  ...strictCurve(curve),
}
