import { Address } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'
import type { Brand } from './numbers.ts'

/** A validator's public key with its type: a byte 01 for secp256k1, then the compressed point (33 bytes). */
export type PublicKey = Brand<Uint8Array, 'PublicKey'>

export const PUBLIC_KEY_BYTES = 34
const SECP256K1 = 0x01

export const publicKeyCodec: codec.Codec<PublicKey> = codec.checked(
  codec.fixedBytes(PUBLIC_KEY_BYTES) as codec.Codec<PublicKey>,
  (key) => (key[0] === SECP256K1 ? undefined : `unknown key type ${key[0]}`),
)

/**
 * Adds the type byte to a compressed secp256k1 key. Does not check that it is a point on the curve; `addressOfPublicKey` does.
 *
 * @throws TypeError unless the key has 33 bytes.
 */
export function publicKeyOf(compressed: Uint8Array): PublicKey {
  if (compressed.length !== 33) throw new TypeError(`a compressed public key must have 33 bytes, not ${compressed.length}`)
  const key = new Uint8Array(PUBLIC_KEY_BYTES)
  key[0] = SECP256K1
  key.set(compressed, 1)
  return key as PublicKey
}

/** Removes the type byte: the 33 bytes that `Crypto.verify` expects, as a view. */
export const compressedKey = (key: PublicKey): Uint8Array => key.subarray(1)

/** Ethereum address of a 64-byte uncompressed key: the last 20 bytes of its keccak256. */
export const addressOfUncompressedKey = (crypto: Crypto, key: Uint8Array): Address => Address(crypto.keccak256(key).subarray(12))

/** Ethereum address of a validator's key, or undefined if the key is not a point on the curve. */
export function addressOfPublicKey(crypto: Crypto, key: PublicKey): Address | undefined {
  const uncompressed = crypto.decompress(compressedKey(key))
  return uncompressed === undefined ? undefined : addressOfUncompressedKey(crypto, uncompressed)
}
