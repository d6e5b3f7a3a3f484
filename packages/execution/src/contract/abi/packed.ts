import { type Crypto, joinBytes, ok, type Result } from '@quoin/protocol'
import { ENCODE_LIMITS, wantArray } from './encode.ts'
import { type AbiFault, fail, faultAt, Path } from './fault.ts'
import { WORD, wantAddress, wantBoolean, wantContent, wantFixedBytes, wantInteger, writeInteger, writeScalar } from './scalar.ts'
import type { AbiType, ArrayType, ScalarType, TupleType } from './type.ts'

/**
 * Solidity's abi.encodePacked: values in their shortest form, one behind another, items of arrays padded to words. Not injective: two
 * dynamic values side by side can be cut in several ways. As in Solidity there is no packed form of structs, of arrays of arrays, and of
 * arrays of strings or bytes.
 */
export function encodePacked(crypto: Crypto, { members }: TupleType, values: readonly unknown[]): Result<Uint8Array, AbiFault> {
  const path = new Path()
  return faultAt(path, () => {
    if (values.length !== members.length) fail('length', `${values.length} values, expected ${members.length}`)
    const parts = new Parts()
    for (const [i, { type }] of members.entries()) {
      path.enter(i)
      if (type.kind === 'array') addItems(crypto, path, parts, type, values[i])
      else parts.add(packed(crypto, scalarType(type), values[i]))
      path.leave()
    }
    return ok(joinBytes(parts.list))
  })
}

/** What was encoded, within the limit. */
class Parts {
  readonly list: Uint8Array[] = []
  #length = 0

  add(part: Uint8Array): void {
    this.#count(part.length)
    this.list.push(part)
  }

  /** A new part of zeros, to be written. */
  make(length: number): Uint8Array {
    this.#count(length)
    const part = new Uint8Array(length)
    this.list.push(part)
    return part
  }

  #count(length: number): void {
    this.#length += length
    if (this.#length > ENCODE_LIMITS.encodedBytesMax)
      fail('too-large', `the encoding has more than ${ENCODE_LIMITS.encodedBytesMax} bytes`)
  }
}

function addItems(crypto: Crypto, path: Path, parts: Parts, type: ArrayType, value: unknown): void {
  const item = scalarType(type.item)
  if (item.dynamic) fail('type', `${type.name} has no packed encoding`)
  const items = wantArray(type, value)
  const words = parts.make(WORD * items.length)
  for (let i = 0; i < items.length; i++) {
    path.enter(i)
    writeScalar(crypto, words, WORD * i, item, items[i])
    path.leave()
  }
}

function scalarType(type: AbiType): ScalarType {
  if (type.kind === 'array' || type.kind === 'tuple') fail('type', `${type.name} has no packed encoding`)
  return type
}

function packed(crypto: Crypto, type: ScalarType, value: unknown): Uint8Array {
  switch (type.kind) {
    case 'uint':
    case 'int': {
      const word = new Uint8Array(WORD)
      writeInteger(word, 0, wantInteger(type, value))
      return word.subarray(WORD - type.bits / 8)
    }
    case 'bool':
      return Uint8Array.of(wantBoolean(value) ? 1 : 0)
    case 'address':
      return wantAddress(crypto, value)
    case 'fixed-bytes':
      return wantFixedBytes(type, value)
    default:
      return wantContent(type, value)
  }
}
