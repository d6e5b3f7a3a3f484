import { type Crypto, err, ok, parseUtf8, type Result } from '@quoin/protocol'
import { decodeArguments } from '../abi/decode.ts'
import { encodeArguments } from '../abi/encode.ts'
import { type AbiFault, faultAt, Path } from '../abi/fault.ts'
import { readScalar, readUnsigned, unsignedBytes, WORD, wantContent, wantInteger, writeScalar } from '../abi/scalar.ts'
import { type AbiType, type ScalarType, tupleOfMembers } from '../abi/type.ts'
import type { AbiValue } from '../abi/value.ts'

/**
 * Storage format for values of ABI types. Each value has exactly one form, and each form is exactly one value:
 *
 *   uintN, intN, address, bool   the ABI word without leading zeros
 *   bytesN                       the contents without trailing zeros
 *   bytes, string                the contents; strings are UTF-8
 *   arrays and tuples            ABI encoding as the only argument of a list
 *
 * Zero, false and empty contents have the empty form: the key is absent (undefined here). Arrays and tuples always have a form.
 */
export function encodeStored(crypto: Crypto, type: AbiType, value: unknown): Result<Uint8Array | undefined, AbiFault> {
  if (type.kind === 'array' || type.kind === 'tuple') return encodeArguments(crypto, oneOf(type), [value])
  return faultAt(new Path(), () => ok(present(encodeScalar(crypto, type, value))))
}

const present = (bytes: Uint8Array): Uint8Array | undefined => (bytes.length === 0 ? undefined : bytes)

const oneOf = (type: AbiType) => tupleOfMembers([{ name: '', type }])

function encodeScalar(crypto: Crypto, type: ScalarType, value: unknown): Uint8Array {
  if (type.dynamic) return wantContent(type, value)
  if (type.kind === 'uint') return unsignedBytes(wantInteger(type, value))
  const bytes = new Uint8Array(WORD)
  writeScalar(crypto, bytes, 0, type, value)
  if (type.kind === 'fixed-bytes') {
    let end = WORD
    while (end > 0 && bytes[end - 1] === 0) end--
    return bytes.slice(0, end)
  }
  let start = 0
  while (start < WORD && bytes[start] === 0) start++
  return bytes.slice(start)
}

/**
 * Decodes a stored value. For undefined it returns the type's zero, or undefined for an array or tuple. It refuses a form that
 * `encodeStored` does not produce for this type: the code that wrote the value used another type for this key.
 */
export function decodeStored(
  crypto: Crypto,
  type: AbiType,
  stored: Uint8Array | undefined,
): Result<AbiValue | undefined, { readonly message: string }> {
  if (type.kind === 'array' || type.kind === 'tuple') {
    if (stored === undefined) return ok(undefined)
    const values = decodeArguments(crypto, oneOf(type), stored)
    return values.ok ? ok(values.value[0]) : mismatch(type, values.error.message)
  }
  if (stored === undefined) return ok(zeroOf(type))
  const value = type.dynamic ? decodeContent(type, stored) : decodeWord(crypto, type, stored)
  return value.ok ? value : mismatch(type, value.error)
}

const mismatch = ({ name }: AbiType, why: string): Result<never, { readonly message: string }> =>
  err({ message: `the value stored under this key is not of type ${name}: ${why}` })

function decodeContent({ kind }: ScalarType, stored: Uint8Array): Result<AbiValue, string> {
  if (stored.length === 0) return err('empty content is never stored')
  // No copy here: the value is copied into guest memory anyway.
  if (kind === 'bytes') return ok(stored)
  const text = parseUtf8(stored)
  return text === undefined ? err('the string is not UTF-8') : ok(text)
}

function decodeWord(crypto: Crypto, type: ScalarType, stored: Uint8Array): Result<AbiValue, string> {
  const { length } = stored
  const left = type.kind === 'fixed-bytes'
  if (length === 0 || length > WORD || stored[left ? length - 1 : 0] === 0)
    return err(`${length} bytes are not the shortest form of a word`)
  if (type.kind === 'uint' && 8 * length <= type.bits) return ok(readUnsigned(stored))
  const word = new Uint8Array(WORD)
  word.set(stored, left ? 0 : WORD - length)
  const value = faultAt(new Path(), () => ok(readScalar(crypto, word, 0, type)))
  return value.ok ? value : err(value.error.message)
}

const ZERO_ADDRESS_TEXT = `0x${'0'.repeat(40)}`

function zeroOf({ kind, bits }: ScalarType): AbiValue {
  switch (kind) {
    case 'uint':
    case 'int':
      return 0n
    case 'address':
      return ZERO_ADDRESS_TEXT
    case 'bool':
      return false
    case 'string':
      return ''
    default:
      return new Uint8Array(bits / 8)
  }
}
