import { setFlagsFromString } from 'node:v8'

/**
 * WebAssembly of this thread, for tests. It is plain JavaScript, because workers and child processes of Node 20 run it too.
 *
 * @typedef {import('../src/vm/power.ts').WasmPower} WasmPower
 * @typedef {import('../src/vm/power.ts').WasmExports} WasmExports
 * @typedef {(...args: number[]) => number} WasmFunction
 */

// As in `packages/platform/src/v8-flags.ts`, which gives the reason.
setFlagsFromString('--no-turbo-inline-js-wasm-calls')
if (Number.parseInt(process.versions.v8, 10) < 12) setFlagsFromString('--no-turbo-use-mid-tier-regalloc-for-huge-functions')

/** @type {any} the platform's constructors, which Node's types leave to the DOM's */
const platform = /** @type {any} */ (globalThis).WebAssembly

/**
 * @param {ArrayBuffer[]} memories collects the memories that were made
 * @returns {WasmPower}
 */
export function wasmPower(memories = []) {
  return {
    compile: (binary) => new platform.Module(binary),
    memory: (pages) => {
      const memory = new platform.Memory({ initial: pages, maximum: pages })
      memories.push(memory.buffer)
      return memory
    },
    instantiate: (module, imports) => new platform.Instance(module, imports).exports,
    text: (buffer) => {
      const bytes = Buffer.from(buffer)
      return {
        latin1: (from, to) => bytes.toString('latin1', from, to),
        utf16: (from, to) => bytes.toString('utf16le', from, to),
        putLatin1: (text, at) => void bytes.write(text, at, 'latin1'),
        putUtf16: (text, at) => void bytes.write(text, at, 'utf16le'),
      }
    },
    isTrap: (error) => error instanceof platform.RuntimeError,
  }
}

/** Name of the export that calls a guest function. */
const CALL_EXPORT = 'ma'

/**
 * WebAssembly that records the memory of the instance in which a guest function last ran, and the number of instances.
 *
 * @returns {{ power: WasmPower, lastUsed: () => Uint8Array, instances: () => number }}
 */
export function watchedPower() {
  /** @type {ArrayBuffer[]} */
  const memories = []
  const power = wasmPower(memories)
  /** @type {ArrayBuffer | undefined} */
  let last
  /** @type {WasmPower['instantiate']} */
  const instantiate = (module, imports) => {
    const memory = memories.at(-1)
    const exports = power.instantiate(module, imports)
    const call = /** @type {WasmFunction} */ (exports[CALL_EXPORT])
    /** @type {WasmFunction} */
    const watched = (...args) => {
      last = memory
      return call(...args)
    }
    return { ...exports, [CALL_EXPORT]: watched }
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
