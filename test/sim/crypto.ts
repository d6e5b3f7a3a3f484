import { hash as digestOf } from 'node:crypto'
import { bytesToHex, type Crypto, concatBytes, equalBytes } from '@quoin/protocol'

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(digestOf('sha256', bytes, 'buffer'))
const tagged = (tag: number, ...parts: readonly Uint8Array[]): Uint8Array => sha256(concatBytes(Uint8Array.of(tag), ...parts))

/** Keys that signed in this process, by the x coordinate of their point. */
const secretOf = new Map<string, Uint8Array>()

/** The x coordinate of a secret key's mock point. Never begins with 00, so that a signature's r can hold it. */
function pointOf(secretKey: Uint8Array): Uint8Array {
  const x = tagged(1, secretKey)
  x[0]! |= 0x80
  secretOf.set(bytesToHex(x), secretKey)
  return x
}

/** From 1 to less than half the order. */
function scalarOf(secretKey: Uint8Array, digest: Uint8Array): Uint8Array {
  const s = tagged(2, secretKey, digest)
  s[0] = 0x01 | (s[0]! & 0x3f)
  return s
}

const uncompressed = (x: Uint8Array): Uint8Array => concatBytes(x, tagged(3, x))

/**
 * Mock signatures for the simulator: r names the key, s is a hash of secret key and digest. Only the key's owner can sign, the same bytes
 * give the same signature, and both operations are a hundred times cheaper than on curves. Keccak is SHA-256 with a tag.
 */
export const simCrypto: Crypto = {
  name: 'simulated',
  keccak256: (bytes) => tagged(0, bytes),
  sha256,
  hashPairs(input, output, count) {
    for (let i = 0; i < count; i++) output.set(sha256(input.subarray(64 * i, 64 * i + 64)), 32 * i)
  },
  recover(digest, signature) {
    const x = signature.slice(0, 32)
    return isSignature(x, digest, signature) ? uncompressed(x) : undefined
  },
  verify: (digest, signature, publicKey) =>
    equalBytes(signature.subarray(0, 32), publicKey.subarray(1)) && isSignature(publicKey.subarray(1), digest, signature),
  sign: (digest, secretKey) => ({ signature: concatBytes(pointOf(secretKey), scalarOf(secretKey, digest)), yParity: 0 }),
  publicKey: (secretKey) => concatBytes(Uint8Array.of(2), pointOf(secretKey)),
  decompress: (publicKey) => uncompressed(publicKey.slice(1)),
}

function isSignature(x: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  const secret = secretOf.get(bytesToHex(x))
  return secret !== undefined && equalBytes(scalarOf(secret, digest), signature.subarray(32))
}
