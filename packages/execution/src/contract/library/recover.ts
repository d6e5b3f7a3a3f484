import { bigIntToBytes, bytesToBigInt, type Crypto, concatBytes, err, ok, type Result } from '@quoin/protocol'
import { checksumAddress } from '../abi/address.ts'
import type { LibraryError } from './error.ts'

const WORD = 32
const SIGNATURE_BYTES = 65
/** Order of secp256k1 (SEC 2, 2.4.1). */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/**
 * The EVM's precompile 1: the address that signed a digest, or undefined for an invalid signature. As there, s may be above half
 * the order, so a message has two valid signatures. Contracts that count signatures must use `recoverSigner`.
 */
export function ecrecover(
  crypto: Crypto,
  digest: Uint8Array,
  v: bigint,
  r: Uint8Array,
  s: Uint8Array,
): Result<string | undefined, LibraryError> {
  if (digest.length !== WORD || r.length !== WORD || s.length !== WORD)
    return err({ message: 'digest, r and s must be 32 bytes each' })
  if (v !== 27n && v !== 28n) return ok(undefined)
  const parity = v === 28n ? 1 : 0
  const value = bytesToBigInt(s)
  if (value >= ORDER) return ok(undefined)
  // (r, s, v) and (r, order - s, the other v) have the same key; the curve library accepts only a low s.
  const high = value > ORDER / 2n
  const low = high ? bigIntToBytes(ORDER - value, WORD) : s
  const key = crypto.recover(digest, concatBytes(r, low), (high ? 1 - parity : parity) as 0 | 1)
  return ok(key === undefined ? undefined : addressOfKey(crypto, key))
}

/**
 * As OpenZeppelin's ECDSA.recover: r ‖ s ‖ v (65 bytes), v is 27 or 28, only low s (EIP-2), and an error for an invalid
 * signature.
 */
export function recoverSigner(crypto: Crypto, digest: Uint8Array, signature: Uint8Array): Result<string, LibraryError> {
  if (digest.length !== WORD) return err({ message: 'the digest must be 32 bytes' })
  if (signature.length !== SIGNATURE_BYTES) return err({ message: 'the signature must be 65 bytes' })
  const v = signature[SIGNATURE_BYTES - 1]!
  if (v !== 27 && v !== 28) return err({ message: 'v must be 27 or 28' })
  const key = crypto.recover(digest, signature.subarray(0, 2 * WORD), v === 28 ? 1 : 0)
  return key === undefined ? err({ message: 'the signature is invalid' }) : ok(addressOfKey(crypto, key))
}

const addressOfKey = (crypto: Crypto, key: Uint8Array): string => checksumAddress(crypto, crypto.keccak256(key).subarray(12))
