import { bigIntToBytes, bytesToBigInt, hexToBytes } from './bytes.ts'
import type { Crypto } from './crypto.ts'

/** The secp256k1 functions of `Crypto`. One library provides all of them. */
export type Curve = Pick<Crypto, 'recover' | 'verify' | 'sign' | 'publicKey' | 'decompress'>

/** Order of the group (SEC 2, 2.4.1). */
const ORDER = hexToBytes('0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141')
/** First s above half the order (EIP-2). */
const HIGH_S = hexToBytes('0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1')
const SCALAR_BYTES = 32

/**
 * Wraps a secp256k1 library with the checks that all backends must do in the same way, so that they cannot disagree:
 *
 * - Inputs of the wrong size throw RangeError.
 * - Signatures outside of 1 ≤ r < n, 1 ≤ s ≤ n/2 are refused before the library sees them. All libraries in use would recover a key from a
 *   high s.
 * - A digest is reduced modulo n before signing. libsecp256k1 passes the digest unchanged to the nonce function where RFC 6979 §3.2d requires
 *   bits2octets, so for a digest of n or more its signature would differ from that of other libraries.
 */
export function strictCurve(curve: Curve): Curve {
  return {
    recover(digest, signature, yParity) {
      wantBytes('digest', digest, 32)
      wantBytes('signature', signature, 64)
      if (yParity !== 0 && yParity !== 1) throw new RangeError(`yParity must be 0 or 1, not ${yParity}`)
      return isStrict(signature) ? curve.recover(digest, signature, yParity) : undefined
    },
    verify(digest, signature, publicKey) {
      wantBytes('digest', digest, 32)
      wantBytes('signature', signature, 64)
      wantBytes('public key', publicKey, 33)
      return isStrict(signature) && isCompressed(publicKey) && curve.verify(digest, signature, publicKey)
    },
    sign(digest, secretKey) {
      wantBytes('digest', digest, 32)
      if (!isSecretKey(secretKey)) throw new RangeError('the secret key is zero or not below the order of secp256k1')
      return curve.sign(reduced(digest), secretKey)
    },
    publicKey: (secretKey) => (isSecretKey(secretKey) ? curve.publicKey(secretKey) : undefined),
    decompress(publicKey) {
      wantBytes('public key', publicKey, 33)
      return isCompressed(publicKey) ? curve.decompress(publicKey) : undefined
    },
  }
}

function wantBytes(name: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new RangeError(`${name} must have ${length} bytes, not ${bytes.length}`)
}

function isSecretKey(secretKey: Uint8Array): boolean {
  wantBytes('secret key', secretKey, SCALAR_BYTES)
  return !isZero(secretKey, 0) && isBelow(secretKey, 0, ORDER)
}

const isCompressed = (publicKey: Uint8Array): boolean => publicKey[0] === 2 || publicKey[0] === 3

const isStrict = (signature: Uint8Array): boolean =>
  isBelow(signature, 0, ORDER) &&
  isBelow(signature, SCALAR_BYTES, HIGH_S) &&
  !isZero(signature, 0) &&
  !isZero(signature, SCALAR_BYTES)

/** Whether the big-endian number in the 32 bytes from `at` is less than `limit`. */
function isBelow(bytes: Uint8Array, at: number, limit: Uint8Array): boolean {
  for (let i = 0; i < SCALAR_BYTES; i++) {
    const difference = bytes[at + i]! - limit[i]!
    if (difference !== 0) return difference < 0
  }
  return false
}

function isZero(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < SCALAR_BYTES; i++) if (bytes[at + i] !== 0) return false
  return true
}

/** The digest modulo n. */
const reduced = (digest: Uint8Array): Uint8Array =>
  isBelow(digest, 0, ORDER) ? digest : bigIntToBytes(bytesToBigInt(digest) - bytesToBigInt(ORDER), SCALAR_BYTES)
