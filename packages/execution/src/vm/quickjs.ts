import { METER_EXPORTS } from './meter/module.ts'
import type { WasmExports, WasmFunction, WasmGlobal } from './power.ts'

/**
 * The interpreter's binary: Bellard's QuickJS as of 2025-12-22 (`INTERPRETER_BINARY.upstream`), as quickjs-emscripten 0.32.0 compiles it
 * (`@jitl/quickjs-wasmfile-release-sync`).
 * Its exports have one-letter names; the package's emscripten-module.mjs says which is which, quickjs-emscripten's c/interface.c
 * what they do. A `pointer` is an address in linear memory; a JSValue* that is returned is owned by the caller.
 */
const EXPORTS = {
  /** Runs the constructors of the C program, once. */
  initialise: 'u',
  malloc: 'v',
  free: 'M',
  /** (context, error) → JSValue*, the exception mark */
  throw: 'w',
  /** (context) → JSValue* */
  newError: 'x',
  /** (runtime, bytes) */
  setMaxStackSize: 'D',
  /** () → JSValueConst* */
  getUndefined: 'E',
  newRuntime: 'K',
  /** (runtime, intrinsics) → context */
  newContext: 'N',
  /** (context, value) */
  freeValue: 'P',
  /** (context) → JSValue* */
  newObject: 'U',
  /** (context, bytes by malloc, length) → JSValue*; takes the bytes over */
  newArrayBuffer: 'X',
  /** (context, ArrayBuffer) → its bytes, copied to malloc */
  arrayBufferBytes: 'aa',
  arrayBufferLength: 'ba',
  /** (runtime) → boolean */
  isJobPending: 'fa',
  /** (runtime, jobs at most or -1, context** out) → JSValue* */
  executePendingJob: 'ga',
  /** (context, object, name) → JSValue* */
  getProperty: 'ha',
  /** (context, object, index) → JSValue* */
  getIndex: 'ia',
  /** (context, object, name, value) */
  setProperty: 'ja',
  /** (context, function, this, argument count, JSValueConst** arguments) → JSValue* */
  call: 'ma',
  /** (context, value) → the exception's JSValue*, or 0 when the value is none */
  resolveException: 'na',
  /** (context, source with a final zero, length, file name, detect module, flags) → JSValue* */
  evaluate: 'pa',
  /** (context, value) → 0 pending, 1 fulfilled, 2 rejected, else no promise */
  promiseState: 'wa',
  /** (context, promise) → JSValue* */
  promiseResult: 'xa',
  /** (runtime, whether names are the host's to resolve): has the host asked for every import of a module */
  enableModuleLoader: 'Ha',
  /** (context, name, arguments, is constructor, host id) → JSValue* */
  newFunction: 'Da',
  /** (context, value) → JSValue*, an ArrayBuffer of QuickJS's own serialisation */
  serialise: 'Ja',
  /** (context, ArrayBuffer) → JSValue* */
  deserialise: 'Ka',
} as const

export type QuickJs = Readonly<Record<keyof typeof EXPORTS, WasmFunction>>

/** The counters of the metered binary. */
export interface Meter {
  readonly gas: WasmGlobal<bigint>
  readonly depth: WasmGlobal<number>
  readonly stackPointer: WasmGlobal<number>
  readonly low: WasmGlobal<number>
  readonly span: WasmGlobal<number>
  readonly pages: WasmGlobal<number>
}

export function quickJsOf(exports: WasmExports): QuickJs {
  return Object.fromEntries(
    Object.entries(EXPORTS).map(([name, symbol]) => {
      const value = exports[symbol]
      if (typeof value !== 'function') throw new Error(`the interpreter's binary exports no function ${symbol} (${name})`)
      return [name, value]
    }),
  ) as QuickJs
}

export function meterOf(exports: WasmExports): Meter {
  return Object.fromEntries(
    Object.entries(METER_EXPORTS).map(([name, symbol]) => {
      const value = exports[symbol]
      if (typeof value !== 'object') throw new Error(`the interpreter's binary exports no global ${symbol}: it is not metered`)
      return [name, value]
    }),
  ) as unknown as Meter
}

/** Index of the stack pointer among the binary's globals: it has one. */
export const STACK_POINTER_GLOBAL = 0

/**
 * Where things lie in the binary's memory, by emscripten's linker: constants from 0, data that changes, 5 MiB of stack that grow down, and the
 * heap to the end.
 */
export const LAYOUT = {
  /** End of the constants: the digits of musl's printf are the last, what sbrk begins with is the first word of the data. */
  constantsEnd: 86_864,
  /** End of the program's data and lowest address of its stack. */
  dataEnd: 90_208,
  /** Where the heap begins and the empty stack stands: what the stack pointer begins with. */
  heapBase: 5_333_088,
} as const

/** JS_EVAL_TYPE_MODULE of quickjs.h; 0 is a script. */
export const EVAL_MODULE = 1

/**
 * Intrinsics of a context (QTS_Intrinsic): everything but Date. WeakRef, FinalizationRegistry and performance come only with a default
 * context.
 */
export const INTRINSICS = 0xfff & ~(1 << 1)

export const PROMISE = { pending: 0, fulfilled: 1, rejected: 2 } as const
