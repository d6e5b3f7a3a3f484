import './v8-flags.ts'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createContractEngine } from '@quoin/execution/contract'
import { ENGINE_BINARY, type Engine, type WasmExports, type WasmImports, type WasmPower } from '@quoin/execution/vm'

/** The platform's constructors; Node's types leave them to the DOM's. */
interface Platform {
  readonly Module: new (binary: Uint8Array) => object
  readonly Memory: new (limits: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer }
  readonly Instance: new (module: object, imports: WasmImports) => { readonly exports: WasmExports }
  readonly RuntimeError: new () => Error
}

const { Module, Memory, Instance, RuntimeError } = (globalThis as unknown as { WebAssembly: Platform }).WebAssembly

/** V8's WebAssembly. */
export const nodeWasm: WasmPower = {
  compile: (binary) => new Module(binary),
  memory: (pages) => new Memory({ initial: pages, maximum: pages }),
  instantiate: (module, imports) => new Instance(module, imports).exports,
  text: (buffer) => {
    const bytes = Buffer.from(buffer)
    return {
      latin1: (from, to) => bytes.toString('latin1', from, to),
      utf16: (from, to) => bytes.toString('utf16le', from, to),
      putLatin1: (text, at) => void bytes.write(text, at, 'latin1'),
      putUtf16: (text, at) => void bytes.write(text, at, 'utf16le'),
    }
  },
  isTrap: (error) => error instanceof RuntimeError,
}

/**
 * The contract engine's binary, which the build of the execution package makes. Throws when it is missing, or is not the one that this
 * version of the code names: a node with another engine would fork from its chain.
 */
export async function loadEngineBinary(): Promise<Uint8Array> {
  const manifest = createRequire(import.meta.url).resolve('@quoin/execution/package.json')
  const bytes = await readFile(join(dirname(manifest), 'dist', 'vm', 'engine.wasm'))
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found !== ENGINE_BINARY.meteredSha256) {
    throw new Error(`the contract engine has SHA-256 ${found}, not ${ENGINE_BINARY.meteredSha256}: build the packages again`)
  }
  return bytes
}

/** The engine that runs contracts: some 50 ms. One serves any number of executors of its thread. */
export const loadContractEngine = async (): Promise<Engine> => createContractEngine(nodeWasm, await loadEngineBinary())
