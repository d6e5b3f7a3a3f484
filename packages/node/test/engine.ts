import type { Engine } from '@quoin/execution/vm'
import { loadContractEngine } from '@quoin/platform'

let engine: Promise<Engine> | undefined

/** The contract engine, made once a process. */
export function testEngine(): Promise<Engine> {
  engine ??= loadContractEngine()
  return engine
}
