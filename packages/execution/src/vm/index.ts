/**
 * The interpreter. Contracts are JavaScript, run by QuickJS, which is a WebAssembly binary that counts what it executes:
 *
 *   meter/         binary → binary that charges gas and depth (`binary.ts` pins both); before that, `patches` mends QuickJS's errors
 *   instance       one WebAssembly instance with the C functions it exports; `quickjs.ts` names them
 *   image          its whole state: taken once a contract, restored before each call
 *   boot           what every image begins with: runtime, context, host functions, `prelude`
 *   value          what passes between host and guest: `read-value` copies it out of the guest's memory, `write-value` has the guest make it;
 *                  `jsvalue` is the word that both know, `toll` the gas that crossing costs
 *   host-function  functions that the guest may call, priced by one table; `host-call` serves them, `nested-context` is what handlers get
 *   packed-image   an image as bytes, to lie on disk
 *   pool           idle instances: one for each call that is running
 *   request        what the interpreter is asked, and what handlers may ask of it in turn
 *   interpreter    compile a source to an image, call an entry of an image
 *   outcome        how a call ends: the same on every node, or a fault of this machine
 */
export { INTERPRETER_BINARY, meterInterpreter } from './binary.ts'
export type { CompileError } from './compile-error.ts'
export {
  type HostFunction,
  type HostKind,
  HostRefusal,
  HostStop,
  type HostTable,
  type RefusalDetails,
} from './host-function.ts'
export { imageBytes } from './image.ts'
export {
  createInterpreter,
  type InterpreterOptions,
} from './interpreter.ts'
export { VM_LIMITS } from './limits.ts'
export { MeterError } from './meter/binary.ts'
export { METER_EXPORTS, type MeterOptions, meterModule } from './meter/module.ts'
export type { CallOutcome, Ending, Fault, GuestError } from './outcome.ts'
export type {
  MemoryText,
  WasmExports,
  WasmFunction,
  WasmGlobal,
  WasmImports,
  WasmMemory,
  WasmModule,
  WasmPower,
} from './power.ts'
export { EXPORTS_AS_ENTRIES, PRELUDE } from './prelude.ts'
export type {
  Budget,
  CallRequest,
  Compiled,
  CompileRequest,
  ContractImage,
  HostContext,
  HostHandler,
  HostHandlers,
  Interpreter,
} from './request.ts'
export type { GuestObject, GuestScalar, GuestValue } from './value.ts'
export { describeInterpreter } from './version.ts'
export { VM_GAS } from './vm-gas.ts'
