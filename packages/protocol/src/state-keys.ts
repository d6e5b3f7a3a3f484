import { Address, bytesToHex, type Hash, type Hex } from './bytes.ts'
import { LIMITS } from './limits.ts'

/**
 * Keys of the state, in hex. The state tree commits to them: the path of a key is `treeKey` of its bytes.
 *
 *   state key = address(20) ‖ kind(1) ‖ raw key
 *     kind 00  account, no raw key              `account.ts`
 *     kind 01  code, raw key = its hash (32)    the container's bytes; of CODES_ADDRESS only
 *     kind 02  storage, raw key of 0 to 128 B   any bytes
 *     kind 03  contract record
 *     kind 04  record of a code, raw key = hash of CODES_ADDRESS only
 *
 * A code is stored once, under its hash, and never removed. Accounts name their code by its hash.
 */
export const STATE_KIND = { account: 0, code: 1, storage: 2, contract: 3, codeRecord: 4 } as const

/** Owner of the state keys of all codes: the address of the native code registry. */
export const CODES_ADDRESS = Address('0x000000000000000000000000000000000000c0de')

/** State key of an account. */
export const accountKey = (address: Address): Hex => `${address as Hex}00`

/** State key of a code. */
export const codeKey = (codeHash: Hash): Hex => `${CODES_ADDRESS as Hex}01${codeHash.slice(2)}`

/** State key of what the state knows about a code. */
export const codeRecordKey = (codeHash: Hash): Hex => `${CODES_ADDRESS as Hex}04${codeHash.slice(2)}`

/** State key of a contract's record or one of its parts. */
export const contractKey = (address: Address, part: Uint8Array): Hex => `${address as Hex}03${bytesToHex(part).slice(2)}`

/**
 * State key of a storage entry.
 *
 * @throws RangeError when the raw key is longer than `stateKeyBytesMax`
 */
export function storageKey(address: Address, rawKey: Uint8Array): Hex {
  checkRawKey(rawKey.length)
  return `${address as Hex}02${bytesToHex(rawKey).slice(2)}`
}

/** Throws RangeError for a raw key that is longer than `stateKeyBytesMax`. */
export function checkRawKey(length: number): void {
  if (length > LIMITS.stateKeyBytesMax)
    throw new RangeError(`a raw key has ${length} bytes, at most ${LIMITS.stateKeyBytesMax} are allowed`)
}
