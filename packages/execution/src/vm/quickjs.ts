import { METER_EXPORTS } from './meter/module.ts'
import type { WasmExports, WasmFunction, WasmGlobal } from './power.ts'

/**
 * The interpreter's binary: Bellard's QuickJS as of 2025-12-22 (`INTERPRETER_BINARY.upstream`), compiled by quickjs-emscripten
 * 0.32.0 (`@jitl/quickjs-wasmfile-release-sync`). Its exports have one-letter names. The package's emscripten-module.mjs maps
 * them, and quickjs-emscripten's c/interface.c shows what they do. A `pointer` is an address in linear memory. The caller owns a
 * returned JSValue*.
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
  /** (context, bytes by malloc, length) → JSValue*; takes ownership of the bytes */
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
  /** (context, value) → JSValue* of the exception, or 0 when the value is not an exception */
  resolveException: 'na',
  /** (context, source with a final zero, length, file name, detect module, flags) → JSValue* */
  evaluate: 'pa',
  /** (context, value) → 0 pending, 1 fulfilled, 2 rejected; another number when it is not a promise */
  promiseState: 'wa',
  /** (context, promise) → JSValue* */
  promiseResult: 'xa',
  /** (runtime, whether the host resolves names): the host is asked for every import of a module */
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

/**
 * The C functions that the binary exports, by readable names.
 *
 * @throws Error when an export is missing: wrong binary
 */
export function quickJsOf(exports: WasmExports): QuickJs {
  return Object.fromEntries(
    Object.entries(EXPORTS).map(([name, symbol]) => {
      const value = exports[symbol]
      if (typeof value !== 'function') throw new Error(`the interpreter's binary exports no function ${symbol} (${name})`)
      return [name, value]
    }),
  ) as QuickJs
}

/**
 * The counters that the meter added to the binary.
 *
 * @throws Error when the binary is not metered
 */
export function meterOf(exports: WasmExports): Meter {
  return Object.fromEntries(
    Object.entries(METER_EXPORTS).map(([name, symbol]) => {
      const value = exports[symbol]
      if (typeof value !== 'object') throw new Error(`the interpreter's binary exports no global ${symbol}: it is not metered`)
      return [name, value]
    }),
  ) as unknown as Meter
}

/** Index of the stack pointer, the binary's only global. */
export const STACK_POINTER_GLOBAL = 0

/**
 * Memory layout of the binary, by emscripten's linker: constants from 0, mutable data, 5 MiB of stack that grows down, and the
 * heap up to the end.
 */
export const LAYOUT = {
  /**
   * End of the constants. Their last part are the digits of musl's printf; the first word of the data is sbrk's initial value.
   */
  constantsEnd: 86_864,
  /** End of the program's data and lowest address of its stack. */
  dataEnd: 90_208,
  /** Start of the heap and top of the empty stack: the initial stack pointer. */
  heapBase: 5_333_088,
} as const

/** JS_EVAL_TYPE_MODULE of quickjs.h; 0 is a script. */
export const EVAL_MODULE = 1

/**
 * Intrinsics of a context (QTS_Intrinsic): all but Date. Only a default context adds WeakRef, FinalizationRegistry and
 * performance.
 */
export const INTRINSICS = 0xfff & ~(1 << 1)

export const PROMISE = { pending: 0, fulfilled: 1, rejected: 2 } as const
