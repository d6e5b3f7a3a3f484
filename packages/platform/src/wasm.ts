import './v8-flags.ts'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createContractInterpreter } from '@quoin/execution/contract'
import { INTERPRETER_BINARY, type Interpreter, type WasmExports, type WasmImports, type WasmPower } from '@quoin/execution/vm'

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
 * The interpreter's binary, which the build of the execution package makes. Throws when it is missing, or is not the one that this
 * version of the code names: a node with another interpreter would fork from its chain.
 */
export async function loadInterpreterBinary(): Promise<Uint8Array> {
  const manifest = createRequire(import.meta.url).resolve('@quoin/execution/package.json')
  const bytes = await readFile(join(dirname(manifest), 'dist', 'vm', 'interpreter.wasm'))
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found !== INTERPRETER_BINARY.meteredSha256) {
    throw new Error(`the interpreter has SHA-256 ${found}, not ${INTERPRETER_BINARY.meteredSha256}: build the packages again`)
  }
  return bytes
}

/** The interpreter that runs contracts: some 50 ms. One serves any number of executors of its thread. */
export const loadContractInterpreter = async (): Promise<Interpreter> =>
  createContractInterpreter(nodeWasm, await loadInterpreterBinary())
