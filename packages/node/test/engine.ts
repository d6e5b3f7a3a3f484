import type { Engine } from '@quoin/execution/vm'
import { loadContractEngine } from '../src/executor/wasm.ts'

let engine: Promise<Engine> | undefined

/** The contract engine, made once a process. */
export function testEngine(): Promise<Engine> {
  engine ??= loadContractEngine()
  return engine
}
