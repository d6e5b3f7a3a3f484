import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ENGINE_BINARY, meterEngine, type WasmExports, type WasmImports, type WasmPower } from '../src/vm/index.ts'

/** The platform's constructors; Node's types leave them to the DOM's. */
interface Platform {
  readonly Module: new (binary: Uint8Array) => object
  readonly Memory: new (limits: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer }
  readonly Instance: new (module: object, imports: WasmImports) => { readonly exports: WasmExports }
  readonly RuntimeError: new () => Error
}
const platform = (globalThis as unknown as { WebAssembly: Platform }).WebAssembly

/** WebAssembly of this thread; `memories` collects what was made. */
export function wasmPower(memories: ArrayBuffer[] = []): WasmPower {
  return {
    compile: (binary) => new platform.Module(binary),
    memory: (pages) => {
      const memory = new platform.Memory({ initial: pages, maximum: pages })
      memories.push(memory.buffer)
      return memory
    },
    instantiate: (module, imports) => new platform.Instance(module, imports).exports,
    isTrap: (error) => error instanceof platform.RuntimeError,
  }
}

/** The interpreter's binary as its package ships it. */
export const plainBinary = (): Uint8Array => readFileSync(createRequire(import.meta.url).resolve(ENGINE_BINARY.source))

let metered: Uint8Array | undefined

/** The metered binary, made from source once a process. */
export function engineBinary(): Uint8Array {
  metered ??= meterEngine(plainBinary())
  return metered
}

export interface WatchedPower {
  readonly power: WasmPower
  /** Memory of the instance that a guest function last ran in. */
  readonly lastUsed: () => Uint8Array
  /** Instances made so far. */
  readonly instances: () => number
}

/** Name of the export that calls a guest's function. */
const CALL_EXPORT = 'ma'

/** WebAssembly that remembers which instance was used. */
export function watchedPower(): WatchedPower {
  const memories: ArrayBuffer[] = []
  const power = wasmPower(memories)
  let last: ArrayBuffer | undefined
  const instantiate = (module: object, imports: WasmImports): WasmExports => {
    const memory = memories.at(-1)
    const exports = power.instantiate(module, imports)
    const call = exports[CALL_EXPORT] as (...args: number[]) => number
    return {
      ...exports,
      [CALL_EXPORT]: (...args: number[]) => {
        last = memory
        return call(...args)
      },
    }
  }
  return {
    power: { ...power, instantiate },
    lastUsed: () => {
      if (last === undefined) throw new Error('no guest function ran')
      return new Uint8Array(last)
    },
    instances: () => memories.length,
  }
}
