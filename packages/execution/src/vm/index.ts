/**
 * The interpreter. Contracts are JavaScript. They run in QuickJS, a WebAssembly binary that counts what it executes:
 *
 *   meter/         turns a binary into one that charges gas and depth (`binary.ts` pins both); before that, `patches` corrects errors of QuickJS
 *   instance       one WebAssembly instance with the C functions it exports; `quickjs.ts` names them
 *   image          an instance's complete state: taken once per contract, restored before each call
 *   boot           the start of every image: runtime, context, host functions, `prelude`
 *   value          values that pass between host and guest: `read-value` copies them out of guest memory, `write-value` makes them in the guest;
 *                  `jsvalue` is the word format that both use, `toll` collects the gas that crossing costs
 *   host-function  functions that the guest may call, with prices, in one table; `host-call` serves them, `nested-context` is passed to handlers
 *   packed-image   an image as bytes, for the database
 *   pool           idle instances; each running call uses one
 *   request        requests to the interpreter, and what handlers may request in turn
 *   interpreter    compiles a source to an image, calls an entry of an image
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
