export { ENGINE_BINARY, meterEngine } from './binary.ts'
export type { CompileError } from './compile-error.ts'
export {
  type Budget,
  type CallRequest,
  type Compiled,
  type CompileRequest,
  type ContractImage,
  createEngine,
  type Engine,
  type EngineOptions,
} from './engine.ts'
export { VM_GAS } from './gas.ts'
export {
  type HostContext,
  type HostFunction,
  type HostHandler,
  type HostHandlers,
  type HostKind,
  HostRefusal,
  HostStop,
  type HostTable,
} from './host.ts'
export { imageBytes } from './image.ts'
export { VM_LIMITS } from './limits.ts'
export { MeterError } from './meter/binary.ts'
export { METER_EXPORTS, type MeterOptions, meterModule } from './meter/module.ts'
export type { CallOutcome, Ending, Fault, GuestError } from './outcome.ts'
export type { WasmExports, WasmFunction, WasmGlobal, WasmImports, WasmMemory, WasmModule, WasmPower } from './power.ts'
export { EXPORTS_AS_ENTRIES, PRELUDE } from './prelude.ts'
export type { GuestValue } from './value.ts'
