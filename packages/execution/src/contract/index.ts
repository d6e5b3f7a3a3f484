export { intrinsicGas } from '../block/intrinsic-gas.ts'
export { InterpreterFault } from '../fault.ts'
export { Journal } from '../state/journal.ts'
export { SYSTEM_ADDRESS } from '../state/system-records.ts'
export { disk, gasLeftOf, gasUsedOf, TICKS_PER_GAS, type Ticks, ticksOf } from '../ticks.ts'
export {
  type AbiCreation,
  type AbiCustomError,
  type AbiEvent,
  type AbiEventField,
  type AbiFunction,
  type CallAbi,
  type ContractAbi,
  compileAbi,
} from './abi/abi.ts'
export { checksumAddress, parseAddress } from './abi/address.ts'
export { decodeArguments, decodeLeadingArguments, type LeadingArguments } from './abi/decode.ts'
export { type DispatchError, dispatch, selectorOf, type Target } from './abi/dispatch.ts'
export { ENCODE_LIMITS, encodeArguments, encodeWithSelector } from './abi/encode.ts'
export { type EncodedEvent, encodeEvent } from './abi/event.ts'
export type { AbiFault } from './abi/fault.ts'
export { encodePacked } from './abi/packed.ts'
export {
  type AbiType,
  type ArrayType,
  type Member,
  parseTypeList,
  type ScalarType,
  type TupleType,
} from './abi/type.ts'
export type { AbiStruct, AbiValue } from './abi/value.ts'
export { type CodeRecord, readCodeRecord } from './code-record.ts'
export { CONTRACT_GAS } from './contract-gas.ts'
export { createContractInterpreter } from './contract-interpreter.ts'
export { type Contracts, type ContractsOptions, createContracts } from './contracts.ts'
export { codeHostOf, installCode, type NewCode, prepareCode } from './creation.ts'
export { evaluation } from './evaluation.ts'
export type { ContractTrace } from './failure.ts'
export { ACCESS, type Access, type Frame } from './frame.ts'
export { GasMeter } from './gas-meter.ts'
export type { LibraryError } from './library/error.ts'
export { HOST_LIBRARY, type LibraryFunction, type LibraryKind } from './library/host-library.ts'
export { LIBRARY_GAS } from './library/library-gas.ts'
export { Machine } from './machine.ts'
export type { BlockContext, InnerMessage, Message, MessageOutcome } from './message.ts'
export { MESSAGE_GAS } from './message-gas.ts'
export { MESSAGE_LIMITS } from './message-limits.ts'
export { CHAIN_ABI } from './native/chain/chain-abi.ts'
export { CODE_REGISTRY_ABI, CODE_REGISTRY_ADDRESS } from './native/code-registry.ts'
export { CREATE2_DEPLOYER_ADDRESS, CREATE2_DEPLOYER_CODE } from './native/create2-deployer.ts'
export { MULTICALL_ABI, MULTICALL_ADDRESS } from './native/multicall.ts'
export { NATIVE_CODE, type NativeContract } from './native/native.ts'
export { findNative, NATIVE_CONTRACTS } from './native/native-contracts.ts'
export { RECEIVE_SELECTOR } from './program.ts'
export { type CodeVersion, type ContractRecord, readRecord } from './record.ts'
