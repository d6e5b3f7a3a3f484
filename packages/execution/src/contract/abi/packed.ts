import { type Crypto, joinBytes, ok, type Result } from '@quoin/protocol'
import { ENCODE_LIMITS, wantArray } from './encode.ts'
import { type AbiFault, fail, faultAt, Path } from './fault.ts'
import { WORD, wantAddress, wantBoolean, wantContent, wantFixedBytes, wantInteger, writeInteger, writeScalar } from './scalar.ts'
import type { AbiType, ArrayType, ScalarType, TupleType } from './type.ts'

/**
 * Solidity's abi.encodePacked: values in their shortest form, concatenated; array items are padded to words. It is not injective:
 * two adjacent dynamic values can be split in several ways. As in Solidity, structs, arrays of arrays, and arrays of strings or
 * bytes have no packed form.
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

/** Encoded parts, within the size limit. */
class Parts {
  readonly list: Uint8Array[] = []
  #length = 0

  add(part: Uint8Array): void {
    this.#count(part.length)
    this.list.push(part)
  }

  /** Adds a zeroed part, to be written by the caller. */
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
