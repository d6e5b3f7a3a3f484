import { type Abi, type AbiItem, type Address, type Crypto, ok, type Result, type StateMutability, unwrap } from '@quoin/protocol'
import type { GuestValue, HostContext } from '../../vm/index.ts'
import { type AbiFunction, type ContractAbi, compileAbi } from '../abi/abi.ts'
import { dispatch } from '../abi/dispatch.ts'
import type { AbiValue } from '../abi/value.ts'
import { type Failure, failed, OUT_OF_GAS, type Success } from '../failure.ts'
import type { GasMeter } from '../gas-meter.ts'
import { MESSAGE_GAS } from '../message-gas.ts'
import { decodeInputs, encodeOutputs } from '../values.ts'
import type { NativeHost } from './native-host.ts'

/**
 * A contract that is part of the chain's rules. It has an address and an ABI like any other, but host functions instead of a
 * module. Part of the execution version.
 */
export interface NativeContract {
  readonly name: string
  readonly address: Address
  /** Functions and events. Function names are unique; `receive` is not supported. */
  readonly abi: Abi
  /** Code that tools see at the address; NATIVE_CODE by default. */
  readonly code?: Uint8Array
  /** Implementation of each function, by name. */
  readonly actions: Readonly<Record<string, NativeAction>>
  /** Runs calldata that no function matches, if the ABI has a fallback. Returns bytes. */
  readonly fallback?: (call: NativeFallbackCall) => Result<Uint8Array, Failure>
}

/** Runs a call. Returns one output, an array of several, or undefined for none. */
export type NativeAction = (call: NativeCall) => Result<GuestValue, Failure>

/** A message to a native contract. */
export interface NativeMessage {
  readonly from: Address
  readonly value: bigint
  readonly data: Uint8Array
  readonly isStatic: boolean
}

/** A call of a native contract's fallback. */
export interface NativeFallbackCall extends NativeMessage {
  readonly machine: NativeHost
  readonly meter: GasMeter
  /** Frame of the calling contract; undefined when a transaction calls. */
  readonly host: HostContext | undefined
}

/** One call of a native contract, decoded. */
export interface NativeCall extends Omit<NativeFallbackCall, 'data'> {
  readonly abi: ContractAbi
  readonly called: AbiFunction
  readonly values: readonly AbiValue[]
}

/** Code at a native contract's address, for tools that check whether there is any: the EVM's INVALID opcode. */
export const NATIVE_CODE = Uint8Array.of(0xfe)

/** Runs a message to a native contract like a message to any other: selector, value, arguments, action, outputs. */
export function runNative(
  native: NativeContract,
  machine: NativeHost,
  meter: GasMeter,
  { data: calldata, ...message }: NativeMessage,
  host: HostContext | undefined,
): Result<Success, Failure> {
  const { crypto } = machine.contracts
  if (!meter.take(MESSAGE_GAS.native)) return OUT_OF_GAS
  const abi = abiOf(crypto, native)
  const found = dispatch(abi, calldata, message.value)
  if (!found.ok) return failed(found.error.message)
  if (found.value.kind === 'fallback' && native.fallback !== undefined) {
    const returned = native.fallback({ ...message, data: calldata, machine, meter, host })
    return returned.ok ? ok({ data: returned.value, contractAddress: undefined }) : returned
  }
  if (found.value.kind !== 'function') throw new Error('a native contract has functions only')
  const { function: called, data } = found.value
  const values = decodeInputs(crypto, meter, called.inputs, data)
  if (!values.ok) return values
  const action = native.actions[called.name]!
  const answer = action({ ...message, machine, meter, abi, called, values: values.value, host })
  if (!answer.ok) return answer
  const encoded = encodeOutputs(crypto, meter, called.outputs, answer.value)
  return encoded.ok ? ok({ data: encoded.value, contractAddress: undefined }) : encoded
}

const compiled = new WeakMap<Crypto, Map<NativeContract, ContractAbi>>()

/** A native contract's compiled ABI. */
export function abiOf(crypto: Crypto, native: NativeContract): ContractAbi {
  const known = compiled.get(crypto) ?? new Map<NativeContract, ContractAbi>()
  compiled.set(crypto, known)
  let abi = known.get(native)
  if (abi === undefined) {
    abi = unwrap(compileAbi(crypto, native.abi))
    known.set(native, abi)
  }
  return abi
}

type Parameters = Extract<AbiItem, { type: 'function' }>['inputs']

export const nativeFunction = (
  name: string,
  stateMutability: StateMutability,
  inputs: Parameters,
  outputs: Parameters = [],
): AbiItem => ({ type: 'function', name, inputs, outputs, stateMutability })
