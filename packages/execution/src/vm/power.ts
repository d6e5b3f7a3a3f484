/**
 * WebAssembly, passed in as a power, because this package has neither the platform's types nor its globals. Everything is
 * synchronous. The node compiles once per thread, at start.
 */
export interface WasmPower {
  compile(binary: Uint8Array): WasmModule
  /** Linear memory of exactly this many 64 KiB pages, all zero. It never grows. */
  memory(pages: number): WasmMemory
  instantiate(module: WasmModule, imports: WasmImports): WasmExports
  /** Access to text in a memory. The platform copies text many times faster than JavaScript code can. */
  text(buffer: ArrayBuffer): MemoryText
  /** Whether an exception is a WebAssembly trap (the specification's term), as opposed to a limit of the machine. */
  isTrap(error: unknown): boolean
}

/**
 * Text in a memory, by start and end address. Latin-1 takes one byte per character, UTF-16 two bytes per unit, lone surrogates
 * included.
 */
export interface MemoryText {
  latin1(from: number, to: number): string
  utf16(from: number, to: number): string
  /** Writes text that has only Latin-1 characters. */
  putLatin1(text: string, at: number): void
  putUtf16(text: string, at: number): void
}

/** A compiled module; opaque. */
export type WasmModule = object

export interface WasmMemory {
  readonly buffer: ArrayBuffer
}

/** Imports by module and name. */
export type WasmImports = Readonly<Record<string, Readonly<Record<string, WasmMemory | ((...args: number[]) => number)>>>>

export type WasmFunction = (...args: number[]) => number

export interface WasmGlobal<T> {
  value: T
}

export type WasmExports = Readonly<Record<string, WasmFunction | WasmGlobal<number> | WasmGlobal<bigint>>>
