import './v8-flags.ts'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createContractInterpreter } from '@quoin/execution/contract'
import { INTERPRETER_BINARY, type Interpreter, type WasmExports, type WasmImports, type WasmPower } from '@quoin/execution/vm'

/** The constructors of WebAssembly. They are declared here because Node's types leave them to those of the DOM. */
interface Platform {
  readonly Module: new (binary: Uint8Array) => object
  readonly Memory: new (limits: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer }
  readonly Instance: new (module: object, imports: WasmImports) => { readonly exports: WasmExports }
  readonly RuntimeError: new () => Error
}

const { Module, Memory, Instance, RuntimeError } = (globalThis as unknown as { WebAssembly: Platform }).WebAssembly

/** WebAssembly of Node.js for `createInterpreter`. */
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
 * Reads the interpreter's WebAssembly binary, which the build of `@quoin/execution` produces.
 *
 * @throws Error if the file is missing, or if its SHA-256 is not the one that the code expects. A node with another interpreter would fork from its
 * chain.
 */
export async function loadInterpreterBinary(): Promise<Uint8Array> {
  const manifest = createRequire(import.meta.url).resolve('@quoin/execution/package.json')
  const bytes = await readFile(join(dirname(manifest), 'dist', 'vm', 'interpreter.wasm'))
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found !== INTERPRETER_BINARY.meteredSha256) {
    throw new Error(
      `the interpreter binary has SHA-256 ${found}, expected ${INTERPRETER_BINARY.meteredSha256}: rebuild the packages (npm run build)`,
    )
  }
  return bytes
}

/**
 * Compiles the interpreter that runs contracts, in about 50 ms. All executors of a thread can share one.
 *
 * @param options `tracesOutOfGas`: calls that run out of gas report where that was, for tools of authors
 */
export const loadContractInterpreter = async (options: { readonly tracesOutOfGas?: boolean } = {}): Promise<Interpreter> =>
  createContractInterpreter(nodeWasm, await loadInterpreterBinary(), options)
