import { LIMITS, ok, type Result, utf8ToBytes } from '@quoin/protocol'
import { type KeyText, keyTextOf } from '../../state/keys.ts'
import { type GuestValue, type HostContext } from '../../vm/index.ts'
import { type AbiType, findScalar, parseTypeList } from '../abi/type.ts'
import { TextCache } from '../cache.ts'
import { CONTRACT_GAS } from '../contract-gas.ts'
import type { Frame } from '../frame.ts'
import { keyReadGas, keyWriteGas } from '../key-gas.ts'
import { LIBRARY_GAS } from '../library/library-gas.ts'
import { decodeGas, encodeGas } from '../library/price.ts'
import { CONTRACT_CACHE_LIMITS, CONTRACT_LIMITS } from '../limits.ts'
import { define, type HostEntry, type Refused, refused } from './define.ts'
import { decodeStored, encodeStored } from './stored-value.ts'

const GAS = CONTRACT_GAS.storage
const { storedTypeCharsMax, storedValueBytesMax } = CONTRACT_LIMITS

/** Storage of the running contract: values of ABI types under keys of its choice. */
export const STORAGE: readonly HostEntry[] = [
  /** (type, key) → value; for a missing key the type's zero, or undefined for an array or tuple. */
  define({ name: 'load', access: 'read', gas: GAS.load, parameters: ['string', 'any'] }, (frame, context, typeName, key) => {
    const type = readType(context, typeName)
    if (!type.ok) return type
    const rawKey = readKey(key)
    if (!rawKey.ok) return rawKey
    const stored = readStored(frame, context, rawKey.value)
    if (stored !== undefined) context.charge(decodingGas(type.value, stored.length))
    return decodeStored(frame.crypto, type.value, stored)
  }),

  /** (type, key, value). */
  define(
    { name: 'store', access: 'write', gas: GAS.store, parameters: ['string', 'any', 'value'] },
    (frame, context, typeName, key, value) => {
      const type = readType(context, typeName)
      if (!type.ok) return type
      const rawKey = readKey(key)
      if (!rawKey.ok) return rawKey
      context.charge(encodingGas(type.value, value))
      const encoded = encodeStored(frame.crypto, type.value, value)
      if (!encoded.ok) return encoded
      const bytes = encoded.value?.length ?? 0
      if (bytes > storedValueBytesMax)
        return refused(`the value takes ${bytes} bytes, at most ${storedValueBytesMax} are allowed`)
      write(frame, context, rawKey.value, encoded.value)
      return ok(undefined)
    },
  ),

  /** (key) → boolean. */
  define({ name: 'has', access: 'read', gas: GAS.load, parameters: ['any'] }, (frame, context, key) => {
    const rawKey = readKey(key)
    return rawKey.ok ? ok(readStored(frame, context, rawKey.value) !== undefined) : rawKey
  }),

  /** (key). */
  define({ name: 'remove', access: 'write', gas: GAS.store, parameters: ['any'] }, (frame, context, key) => {
    const rawKey = readKey(key)
    if (!rawKey.ok) return rawKey
    write(frame, context, rawKey.value, undefined)
    return ok(undefined)
  }),
]

/** Reads the value under a key. The access is charged before, the length after. */
function readStored({ journal, self }: Frame, context: HostContext, rawKey: KeyText): Uint8Array | undefined {
  const used = journal.usedSlot(self, rawKey)
  if (used !== undefined) return used.value
  context.charge(keyReadGas('none'))
  const { value } = journal.storageSlot(self, rawKey)
  if (value !== undefined) context.charge(GAS.loadByte * value.length)
  return value
}

/** The history keeps the old value, so it is paid for like the new one. */
function write({ journal, self }: Frame, context: HostContext, rawKey: KeyText, value: Uint8Array | undefined): void {
  const used = journal.usedSlot(self, rawKey)
  const use = journal.slotUse(used)
  const length = value?.length ?? 0
  context.charge(keyWriteGas(use) + GAS.keptByte * length)
  const slot = used ?? journal.storageSlot(self, rawKey)
  const more =
    use === 'written' ? Math.max(0, length - journal.writtenBytes(slot)) : rawKey.length + (slot.value?.length ?? 0) + length
  if (more > 0) context.charge(GAS.storeByte * more)
  journal.setSlot(slot, value)
}

/** The key's bytes: a Uint8Array as given, or the UTF-8 of a string. */
function readKey(key: GuestValue): Result<KeyText, Refused> {
  if (typeof key === 'string') return readKeyText(key)
  if (!(key instanceof Uint8Array)) return refused('a key must be a string or a Uint8Array')
  return key.length <= LIMITS.stateKeyBytesMax ? ok(keyTextOf(key)) : KEY_TOO_LONG
}

const NOT_ASCII = /[^\0-\x7f]/

function readKeyText(text: string): Result<KeyText, Refused> {
  // A character takes at least one byte, so longer texts need no further check.
  if (text.length > LIMITS.stateKeyBytesMax) return KEY_TOO_LONG
  if (!NOT_ASCII.test(text)) return ok(text as KeyText)
  if (/\p{Surrogate}/u.test(text)) return refused('the key has a lone surrogate')
  const bytes = utf8ToBytes(text)
  return bytes.length <= LIMITS.stateKeyBytesMax ? ok(keyTextOf(bytes)) : KEY_TOO_LONG
}

const KEY_TOO_LONG = refused(`the key has more than ${LIMITS.stateKeyBytesMax} bytes`)

const types = new TextCache<Result<AbiType, Refused>>(CONTRACT_CACHE_LIMITS.typesMax)

/** Parses a type name. Types that are not scalars pay for parsing even if they are cached. */
function readType(context: HostContext, name: string): Result<AbiType, Refused> {
  const scalar = findScalar(name)
  if (scalar !== undefined) return ok(scalar)
  if (name.length > storedTypeCharsMax) return refused(`the type's name has more than ${storedTypeCharsMax} characters`)
  context.charge(GAS.typeChar * name.length)
  return types.get(name, parseType)
}

function parseType(name: string): Result<AbiType, Refused> {
  const list = parseTypeList(name)
  if (!list.ok) return refused(list.error.message)
  const [member, another] = list.value.members
  if (member === undefined) return refused('expected a type')
  return another === undefined ? ok(member.type) : refused('expected one type: write a tuple in parentheses')
}

/** Price of decoding a stored value beyond the base price, which covers every word. */
function decodingGas({ kind, name }: AbiType, length: number): number {
  if (kind === 'array' || kind === 'tuple') return decodeGas(name, { length })
  return kind === 'string' ? LIBRARY_GAS.utf8.unit * length : 0
}

function encodingGas({ kind, name }: AbiType, value: GuestValue): number {
  if (kind === 'array' || kind === 'tuple') return encodeGas(name, value)
  return typeof value === 'string' ? LIBRARY_GAS.abiEncode.character * value.length : 0
}
