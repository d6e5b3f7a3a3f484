import { type Crypto, emptyBytes, ok, type Result } from '@quoin/protocol'
import type { GuestValue } from '../vm/index.ts'
import { decodeLeadingArguments } from './abi/decode.ts'
import { encodeArguments } from './abi/encode.ts'
import { type AbiType, type TupleType, tupleOf } from './abi/type.ts'
import type { GasMeter } from './gas-meter.ts'
import { encodedValueGas } from './library/price.ts'
import { MESSAGE_GAS } from './message-gas.ts'
import { type Failure, failed, OUT_OF_GAS } from './outcome.ts'

const WORD = 32

/** Values of a call's arguments, at the price of decoding them. What follows them is ignored, as Solidity does. */
export function decodeInputs(
  crypto: Crypto,
  meter: GasMeter,
  inputs: TupleType,
  data: Uint8Array,
): Result<readonly GuestValue[], Failure> {
  if (!meter.take(decodeGas(inputs, data.length))) return OUT_OF_GAS
  const decoded = decodeLeadingArguments(crypto, inputs, data)
  return decoded.ok ? ok(decoded.value.values) : failed(`the arguments are malformed: ${decoded.error.message}`)
}

const decodePrices = new WeakMap<TupleType, { readonly fixed: number; readonly tailWord: number }>()

/** Each word of the heads by its type; each further one as the dearest that may be there. */
function decodeGas(inputs: TupleType, bytes: number): number {
  let price = decodePrices.get(inputs)
  if (price === undefined) {
    price = {
      fixed: headGas(inputs),
      tailWord: inputs.dynamic && hasAddress(inputs) ? MESSAGE_GAS.addressWord : MESSAGE_GAS.word,
    }
    decodePrices.set(inputs, price)
  }
  const tailWords = inputs.dynamic ? Math.ceil(Math.max(0, bytes - inputs.membersBytes) / WORD) : 0
  return price.fixed + price.tailWord * tailWords
}

function headGas(type: AbiType): number {
  if (type.kind === 'tuple')
    return type.members.reduce((gas, { type: member }) => gas + (member.dynamic ? MESSAGE_GAS.word : headGas(member)), 0)
  if (type.kind === 'array') return type.dynamic ? MESSAGE_GAS.word : type.length! * headGas(type.item)
  return type.kind === 'address' ? MESSAGE_GAS.addressWord : MESSAGE_GAS.word
}

function hasAddress(type: AbiType): boolean {
  if (type.kind === 'tuple') return type.members.some(({ type: member }) => hasAddress(member))
  return type.kind === 'array' ? hasAddress(type.item) : type.kind === 'address'
}

/** Of entries whose answer is not looked at. */
export const NO_OUTPUTS: TupleType = tupleOf([])

/** The bytes that a function's answer becomes, at the price of encoding it. */
export function encodeOutputs(
  crypto: Crypto,
  meter: GasMeter,
  outputs: TupleType | undefined,
  value: GuestValue,
): Result<Uint8Array, Failure> {
  if (outputs === undefined) return answeredBytes(value)
  const { length } = outputs.members
  if (length === 0) return ok(emptyBytes())
  if (!meter.take(encodedValueGas(value))) return OUT_OF_GAS
  if (length > 1 && !Array.isArray(value)) return failed(`the function did not return an array of its ${length} outputs`)
  const encoded = encodeArguments(crypto, outputs, length === 1 ? [value] : (value as readonly GuestValue[]))
  return encoded.ok ? ok(encoded.value) : failed(`the value returned does not fit the abi: ${encoded.error.message}`)
}

/** What `receive` and `fallback` answer with: bytes, or nothing. */
function answeredBytes(value: GuestValue): Result<Uint8Array, Failure> {
  if (value === undefined) return ok(emptyBytes())
  return value instanceof Uint8Array ? ok(value) : failed('the function returned neither bytes nor nothing')
}
