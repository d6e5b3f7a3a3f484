import { type Crypto, emptyBytes, ok, type Result } from '@quoin/protocol'
import type { GuestValue } from '../vm/index.ts'
import { decodeLeadingArguments } from './abi/decode.ts'
import { encodeArguments } from './abi/encode.ts'
import { type TupleType, tupleOf } from './abi/type.ts'
import type { AbiValue } from './abi/value.ts'
import { decodeGas } from './decode-price.ts'
import { type Failure, failed, OUT_OF_GAS } from './failure.ts'
import type { GasMeter } from './gas-meter.ts'
import { encodedValueGas } from './library/price.ts'

/** Decodes a call's arguments and charges for it. Bytes after the arguments are ignored, as in Solidity. */
export function decodeInputs(
  crypto: Crypto,
  meter: GasMeter,
  inputs: TupleType,
  data: Uint8Array,
): Result<readonly AbiValue[], Failure> {
  if (!meter.take(decodeGas(inputs, data.length))) return OUT_OF_GAS
  const decoded = decodeLeadingArguments(crypto, inputs, data)
  return decoded.ok ? ok(decoded.value.values) : failed(`the arguments are malformed: ${decoded.error.message}`)
}

/** Outputs of entries whose result is ignored. */
export const NO_OUTPUTS: TupleType = tupleOf([])

/** Encodes a function's result and charges for it. */
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

/** Result of `receive` or `fallback`: bytes, or nothing. */
function answeredBytes(value: GuestValue): Result<Uint8Array, Failure> {
  if (value === undefined) return ok(emptyBytes())
  return value instanceof Uint8Array ? ok(value) : failed('the function returned neither a Uint8Array nor undefined')
}
