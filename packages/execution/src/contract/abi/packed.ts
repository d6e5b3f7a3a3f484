import { bigIntToBytes, type Crypto, concatBytes, ok, type Result } from '@quoin/protocol'
import { blobOf, ENCODE_LIMITS, wantAddress, wantFixedBytes, wantInteger } from './encode.ts'
import { AbiFailure, type AbiFault, faultAt, Path } from './fault.ts'
import type { AbiType, ScalarType, TupleType } from './type.ts'

const WORD = 32

/**
 * Solidity's abi.encodePacked: values in their shortest form, one behind another, items of arrays padded to words. Not injective: two
 * dynamic values side by side can be cut in several ways. As in Solidity there is no packed form of structs, of arrays of arrays, and of
 * arrays of strings or bytes.
 */
export function encodePacked(crypto: Crypto, { members }: TupleType, values: readonly unknown[]): Result<Uint8Array, AbiFault> {
  const path = new Path()
  return faultAt(path, () => {
    if (values.length !== members.length)
      throw new AbiFailure('length', `${values.length} values, the types are ${members.length}`)
    const parts: Uint8Array[] = []
    for (const [i, { type }] of members.entries()) {
      path.enter(i)
      parts.push(...partsOf(crypto, path, type, values[i]))
      path.leave()
    }
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    if (length > ENCODE_LIMITS.encodedBytesMax)
      throw new AbiFailure('too-large', `the encoding has more than ${ENCODE_LIMITS.encodedBytesMax} bytes`)
    return ok(concatBytes(...parts))
  })
}

function partsOf(crypto: Crypto, path: Path, type: AbiType, value: unknown): readonly Uint8Array[] {
  if (type.kind !== 'array') return [packed(crypto, scalarType(type), value)]
  const item = scalarType(type.item)
  if (item.dynamic) throw new AbiFailure('type', `${type.name} has no packed form`)
  if (!Array.isArray(value)) throw new AbiFailure('type', 'an array is expected')
  if (type.length !== undefined && value.length !== type.length)
    throw new AbiFailure('length', `${value.length} items, there must be ${type.length}`)
  return value.map((entry: unknown, i) => {
    path.enter(i)
    const bytes = padded(item, packed(crypto, item, entry), entry)
    path.leave()
    return bytes
  })
}

function scalarType(type: AbiType): ScalarType {
  if (type.kind === 'array' || type.kind === 'tuple') throw new AbiFailure('type', `${type.name} has no packed form`)
  return type
}

function packed(crypto: Crypto, type: ScalarType, value: unknown): Uint8Array {
  switch (type.kind) {
    case 'uint':
    case 'int':
      return bigIntToBytes(BigInt.asUintN(type.bits, wantInteger(type, value)), type.bits / 8)
    case 'bool':
      if (typeof value !== 'boolean') throw new AbiFailure('type', 'a boolean is expected')
      return Uint8Array.of(value ? 1 : 0)
    case 'address':
      return wantAddress(crypto, value)
    case 'fixed-bytes':
      return wantFixedBytes(type, value)
    default:
      return blobOf(type, value)
  }
}

/** bytesN is padded on the right, negative integers with ones, everything else with zeros on the left. */
function padded({ kind }: ScalarType, bytes: Uint8Array, value: unknown): Uint8Array {
  const word = new Uint8Array(WORD)
  if (kind === 'int' && (value as bigint) < 0n) word.fill(0xff)
  word.set(bytes, kind === 'fixed-bytes' ? 0 : WORD - bytes.length)
  return word
}
