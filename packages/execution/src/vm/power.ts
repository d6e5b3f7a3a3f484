/**
 * WebAssembly as a power: this package has neither the platform's types nor its globals. Everything is synchronous; the node compiles
 * once a thread, at start.
 */
export interface WasmPower {
  compile(binary: Uint8Array): WasmModule
  /** Linear memory of exactly this many pages of 64 KiB, all zero, that never grows. */
  memory(pages: number): WasmMemory
  instantiate(module: WasmModule, imports: WasmImports): WasmExports
  /** Text in a memory; the platform copies it many times faster than JavaScript could. */
  text(buffer: ArrayBuffer): MemoryText
  /** Whether an exception is a trap of WebAssembly (the specification's word), as opposed to a limit of the machine it runs on. */
  isTrap(error: unknown): boolean
}

/** Text as bytes of a memory, from an address up to another: every Latin-1 character a byte, every UTF-16 unit, lone surrogates too, two. */
export interface MemoryText {
  latin1(from: number, to: number): string
  utf16(from: number, to: number): string
  /** Writes text that is Latin-1. */
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
