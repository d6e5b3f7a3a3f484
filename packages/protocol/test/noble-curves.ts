import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { Curve } from '../src/curve.ts'

/**
 * The audited @noble/curves as a second oracle beside `nobleCrypto`. It is not wrapped by `strictCurve`: r, s, keys and digests are checked and
 * reduced by this library alone, so that an error in our own checks shows too. Sizes are the caller's part.
 */
export const nobleCurves: Curve = {
  recover(digest, signature, yParity) {
    return orUndefined(() => {
      const parsed = secp256k1.Signature.fromBytes(signature)
      return parsed.hasHighS() ? undefined : parsed.addRecoveryBit(yParity).recoverPublicKey(digest).toBytes(false).slice(1)
    })
  },
  verify: (digest, signature, publicKey) => secp256k1.verify(signature, digest, publicKey, { prehash: false, lowS: true }),
  sign(digest, secretKey) {
    const recovered = secp256k1.sign(digest, secretKey, { prehash: false, lowS: true, format: 'recovered' })
    return { signature: recovered.slice(1), yParity: (recovered[0]! & 1) as 0 | 1 }
  },
  publicKey: (secretKey) => orUndefined(() => secp256k1.getPublicKey(secretKey, true)),
  decompress: (publicKey) => orUndefined(() => secp256k1.Point.fromBytes(publicKey).toBytes(false).slice(1)),
}

/** The library throws where it has no answer. */
function orUndefined<T>(answer: () => T): T | undefined {
  try {
    return answer()
  } catch {
    return undefined
  }
}
