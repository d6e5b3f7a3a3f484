import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createContractInterpreter } from '../src/contract/contract-interpreter.ts'
import { INTERPRETER_BINARY, type Interpreter, meterInterpreter } from '../src/vm/index.ts'
import { wasmPower } from './power.mjs'

export { wasmPower, watchedPower } from './power.mjs'

/** The interpreter's binary as its package ships it. */
export const plainBinary = (): Uint8Array => readFileSync(createRequire(import.meta.url).resolve(INTERPRETER_BINARY.source))

let metered: Uint8Array | undefined

/** The metered binary, made from source once per process. */
export function interpreterBinary(): Uint8Array {
  metered ??= meterInterpreter(plainBinary())
  return metered
}

let contracts: Interpreter | undefined

/** The interpreter for contracts, created once per process. */
export function contractInterpreter(): Interpreter {
  contracts ??= createContractInterpreter(wasmPower(), interpreterBinary())
  return contracts
}
