import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import type { Crypto } from './crypto.ts'
import { type Curve, strictCurve } from './curve.ts'
import { hashPairsBy } from './hash-pairs.ts'

/** The point that a compressed key names, or undefined when no point has its x. */
function parsePoint(publicKey: Uint8Array) {
  return secp256k1.utils.isValidPublicKey(publicKey, true) ? secp256k1.Point.fromBytes(publicKey) : undefined
}

/**
 * @noble/curves throws plain errors both for a signature that no key made and for misuse. Sizes and ranges were checked by
 * `strictCurve`, so what is left to go wrong is the signature: an r that is no x of the curve, or a key at infinity.
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

/** Portable implementation over the audited noble libraries: browsers, tests, and the oracle that faster backends must agree with. */
export const nobleCrypto: Crypto = {
  name: 'noble',
  keccak256: (bytes) => keccak_256(bytes),
  sha256: (bytes) => sha256(bytes),
  hashPairs: hashPairsBy(sha256),
  ...strictCurve(curve),
}
