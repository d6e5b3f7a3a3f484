import { type AbiParameter, nobleCrypto, unwrap } from '@quoin/protocol'
import fc from 'fast-check'
import { toHex } from 'viem'
import { checksumAddress } from '../src/contract/abi/address.ts'
import { type AbiType, parseTypeList, type TupleType, tupleOf } from '../src/contract/abi/type.ts'
import type { AbiValue } from '../src/contract/abi/value.ts'

/** Values of generated types, and the same values in the form of other libraries. */

const integer = (min: bigint, max: bigint) => fc.oneof(fc.constantFrom(min, max, 0n), fc.bigInt(min, max))

function scalar(kind: string, bits: number): fc.Arbitrary<AbiValue> {
  switch (kind) {
    case 'uint':
      return integer(0n, (1n << BigInt(bits)) - 1n)
    case 'int':
      return integer(-(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n)
    case 'bool':
      return fc.boolean()
    case 'address':
      return fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => checksumAddress(nobleCrypto, bytes))
    case 'string':
      return fc.string({ unit: 'binary', maxLength: 40 })
    case 'bytes':
      return fc.uint8Array({ maxLength: 70 })
    default:
      return fc.uint8Array({ minLength: bits / 8, maxLength: bits / 8 })
  }
}

export function valueOf(type: AbiType): fc.Arbitrary<AbiValue> {
  if (type.kind === 'array')
    return fc.array(
      valueOf(type.item),
      type.length === undefined ? { maxLength: 3 } : { minLength: type.length, maxLength: type.length },
    )
  if (type.kind !== 'tuple') return scalar(type.kind, type.bits)
  return valuesOf(type).map((values) =>
    type.named ? Object.fromEntries(type.members.map(({ name }, i) => [name, values[i]!])) : values,
  )
}

export const valuesOf = ({ members }: TupleType): fc.Arbitrary<readonly AbiValue[]> =>
  fc.tuple(...members.map(({ type }) => valueOf(type)))

/** The types of a valid list. */
export const typesOf = (text: string): TupleType => unwrap(parseTypeList(text))

/** Parameters with their types and values of them. */
export const withValues = (parameters: fc.Arbitrary<readonly AbiParameter[]>) =>
  parameters.chain((list) => {
    const types = tupleOf(list)
    return valuesOf(types).map((values) => ({ parameters: list, types, values }))
  })

/** viem has bytes as hex and integers of up to 48 bits as numbers. */
export function viemValue(type: AbiType, value: AbiValue): unknown {
  if (value instanceof Uint8Array) return toHex(value)
  if (type.kind === 'array') return (value as readonly AbiValue[]).map((item) => viemValue(type.item, item))
  if (type.kind === 'tuple') {
    const items = type.members.map(({ name, type: member }, i) => [
      name,
      viemValue(member, type.named ? (value as never)[name] : (value as never)[i]),
    ])
    return type.named ? Object.fromEntries(items) : items.map(([, item]) => item)
  }
  return typeof value === 'bigint' && type.bits <= 48 ? Number(value) : value
}

/** ethers has structs as arrays here, and bytes as hex. */
export function ethersValue(type: AbiType, value: AbiValue): unknown {
  if (value instanceof Uint8Array) return toHex(value)
  if (type.kind === 'array') return (value as readonly AbiValue[]).map((item) => ethersValue(type.item, item))
  if (type.kind !== 'tuple') return value
  return type.members.map(({ name, type: member }, i) =>
    ethersValue(member, type.named ? (value as never)[name] : (value as never)[i]),
  )
}
