import { createHmac } from 'node:crypto'
import { bytesToBigInt, type Crypto, concatBytes, hexToBytes, numberToBytes, utf8ToBytes } from '@quoin/protocol'

/**
 * A secret key from which others are derived (BIP-32). Not @scure/bip32, which knows no curve but noble's: a new process derives the ten
 * development accounts in 5 to 12 ms with the native curve, and in 145 to 245 ms with that library (4,200 and 390 keys a second when warm,
 * `npm run bench -- crypto`).
 */
export interface HdKey {
  readonly secretKey: Uint8Array
  readonly chainCode: Uint8Array
}

/** Order of secp256k1. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
/** Children from here on are derived from the secret key, and not from the public one. */
export const HARDENED = 2 ** 31

export function rootKey(seed: Uint8Array): HdKey {
  return halves(hmac(utf8ToBytes('Bitcoin seed'), seed))
}

/** The child at an index. Throws for one of the about 2^-127 of indices that have none. */
export function childKey(crypto: Crypto, { secretKey, chainCode }: HdKey, index: number): HdKey {
  const parent = index >= HARDENED ? concatBytes(Uint8Array.of(0), secretKey) : crypto.publicKey(secretKey)
  if (parent === undefined) throw new Error('not a secret key of secp256k1')
  const derived = halves(hmac(chainCode, concatBytes(parent, numberToBytes(index, 4))))
  const tweak = bytesToBigInt(derived.secretKey)
  const sum = (tweak + bytesToBigInt(secretKey)) % ORDER
  if (tweak >= ORDER || sum === 0n) throw new Error(`the key has no child ${index}`)
  return { secretKey: hexToBytes(`0x${sum.toString(16).padStart(64, '0')}`), chainCode: derived.chainCode }
}

const hmac = (key: Uint8Array, data: Uint8Array): Uint8Array => createHmac('sha512', key).update(data).digest()

const halves = (bytes: Uint8Array): HdKey => ({ secretKey: bytes.slice(0, 32), chainCode: bytes.slice(32) })
