import type { Interpreter } from '@quoin/execution/vm'
import { loadContractInterpreter } from '@quoin/platform'

let interpreter: Promise<Interpreter> | undefined

/** The contract interpreter, created once per process. */
export function testInterpreter(): Promise<Interpreter> {
  interpreter ??= loadContractInterpreter()
  return interpreter
}
