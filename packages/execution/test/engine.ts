import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createContractEngine } from '../src/contract/engine.ts'
import { ENGINE_BINARY, type Engine, meterEngine } from '../src/vm/index.ts'
import { wasmPower } from './power.mjs'

export { wasmPower, watchedPower } from './power.mjs'

/** The interpreter's binary as its package ships it. */
export const plainBinary = (): Uint8Array => readFileSync(createRequire(import.meta.url).resolve(ENGINE_BINARY.source))

let metered: Uint8Array | undefined

/** The metered binary, made from source once a process. */
export function engineBinary(): Uint8Array {
  metered ??= meterEngine(plainBinary())
  return metered
}

let contracts: Engine | undefined

/** The engine for contracts, made once a process. */
export function contractEngine(): Engine {
  contracts ??= createContractEngine(wasmPower(), engineBinary())
  return contracts
}
