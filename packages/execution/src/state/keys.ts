import { Address, type Brand, checkRawKey, concatBytes, type Hex, hexToBytes, numberToBytes, STATE_KIND } from '@quoin/protocol'
import type { Slab } from './slab.ts'

/**
 * Everything that execution stores in the database, key spaces 0x10 to 0x2f:
 *
 *   10 ‖ state key                              the current value ("flat state")
 *   11 ‖ escaped state key ‖ 00 00 ‖ height(8)  the value before the block of that height: 00 = absent, 01 ‖ value
 *   20 …                                        the state tree and its undo log (`tree/records.ts`)
 *   21 ‖ interpreter(8) ‖ code hash(32)         program of a contract, derived from its code (`contract/stored-program.ts`)
 *
 * State keys are `state-keys.ts` of the protocol package. Journal and blocks index by them in hex; their order as text equals their
 * order as bytes.
 *
 * In the escaped form each byte 00 becomes 00 ff. With the terminator 00 00, no key is a prefix of another, and keys sort by
 * state key, then by height.
 */
export const SPACE = { flat: 0x10, history: 0x11, image: 0x21 } as const

const ADDRESS_BYTES = 20
/** Bytes of space, address and kind in front of a raw key. */
const STORAGE_HEAD_BYTES = 1 + ADDRESS_BYTES + 1
const HEIGHT_BYTES = 8

/** A raw key as text, one character per byte, so ASCII text stays the same. Journals index by it. */
export type KeyText = Brand<string, 'KeyText'>

export const keyTextOf = (rawKey: Uint8Array): KeyText =>
  String.fromCharCode.apply(null, rawKey as unknown as number[]) as KeyText

/** Common prefix of the database keys of an account's storage. */
export function storagePrefix(address: Address): Uint8Array {
  const prefix = new Uint8Array(STORAGE_HEAD_BYTES)
  prefix[0] = SPACE.flat
  prefix.set(hexToBytes(address), 1)
  prefix[STORAGE_HEAD_BYTES - 1] = STATE_KIND.storage
  return prefix
}

/**
 * Database key of a storage entry, from its account's prefix and raw key.
 *
 * @throws RangeError when the raw key is longer than `stateKeyBytesMax`
 */
export function storageFlatKey(prefix: Uint8Array, rawKey: KeyText, slab: Slab): Uint8Array {
  const { length } = rawKey
  checkRawKey(length)
  const key = slab.take(STORAGE_HEAD_BYTES + length)
  key.set(prefix)
  for (let i = 0; i < length; i++) key[STORAGE_HEAD_BYTES + i] = rawKey.charCodeAt(i)
  return key
}

/** Database key of a state key's current value. */
export function flatKey(stateKey: Uint8Array): Uint8Array {
  const key = new Uint8Array(1 + stateKey.length)
  key[0] = SPACE.flat
  key.set(stateKey, 1)
  return key
}

/** As `flatKey`, for a state key in hex. */
export const flatKeyOf = (stateKey: Hex): Uint8Array => hexToBytes(`0x10${stateKey.slice(2)}`)

/** State key in a flat-state database key, as a view. */
export const stateKeyOf = (flatKey: Uint8Array): Uint8Array => flatKey.subarray(1)

/** Database key of a state key's value before the block of `height`. */
export function historyKey(stateKey: Uint8Array, height: number): Uint8Array {
  const prefix = historyPrefix(stateKey)
  const key = new Uint8Array(prefix.length + HEIGHT_BYTES)
  key.set(prefix)
  key.set(numberToBytes(height, HEIGHT_BYTES), prefix.length)
  return key
}

/**
 * Account of a history key; undefined for the history of anything else and for any other key. Other key spaces are rejected by
 * the first byte.
 */
export function accountInHistoryKey(key: Uint8Array): Address | undefined {
  if (key[0] !== SPACE.history) return undefined
  const stateKey = new Uint8Array(ADDRESS_BYTES + 1)
  let at = 1
  for (let i = 0; i < stateKey.length; i++) {
    const byte = key[at++]!
    if (byte === 0 && key[at++] !== 0xff) return undefined
    stateKey[i] = byte
  }
  const isAccount = stateKey[ADDRESS_BYTES] === STATE_KIND.account && at + 2 + HEIGHT_BYTES === key.length
  return isAccount ? Address(stateKey.subarray(0, ADDRESS_BYTES)) : undefined
}

/** Range of one state key's history from height `from` on: first key, and the key after the last. */
export function historyRange(stateKey: Uint8Array, from: number): { readonly from: Uint8Array; readonly to: Uint8Array } {
  return { from: historyKey(stateKey, from), to: concatBytes(historyPrefix(stateKey), new Uint8Array(HEIGHT_BYTES).fill(0xff)) }
}

function historyPrefix(stateKey: Uint8Array): Uint8Array {
  let zeros = 0
  for (let i = 0; i < stateKey.length; i++) if (stateKey[i] === 0) zeros++
  const prefix = new Uint8Array(1 + stateKey.length + zeros + 2)
  prefix[0] = SPACE.history
  let at = 1
  for (let i = 0; i < stateKey.length; i++) {
    const byte = stateKey[i]!
    prefix[at++] = byte
    if (byte === 0) prefix[at++] = 0xff
  }
  return prefix
}
