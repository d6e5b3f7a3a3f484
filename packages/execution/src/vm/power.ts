/**
 * WebAssembly as a power: this package has neither the platform's types nor its globals. Everything is synchronous; the node compiles
 * once a thread, at start.
 */
export interface WasmPower {
  compile(binary: Uint8Array): WasmModule
  /** Linear memory of exactly this many pages of 64 KiB, all zero, that never grows. */
  memory(pages: number): WasmMemory
  instantiate(module: WasmModule, imports: WasmImports): WasmExports
  /** Reads text in a memory; the platform does it many times faster than JavaScript could. */
  textReader(buffer: ArrayBuffer): TextReader
  /** Whether an exception is a trap of WebAssembly (the specification's word), as opposed to a limit of the machine it runs on. */
  isTrap(error: unknown): boolean
}

/** Text of the bytes from `from` up to `to`, every one of which stands for a character. */
export interface TextReader {
  latin1(from: number, to: number): string
  /** Little-endian units, as they are: lone surrogates too. */
  utf16(from: number, to: number): string
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
