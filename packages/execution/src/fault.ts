import type { Hash } from '@quoin/protocol'

/**
 * This node failed while it ran a transaction: V8 threw because the host's stack was too small (RangeError), memory ran out, or
 * the interpreter has a bug. It is not a result of the transaction, and other nodes need not fail too. `Executor.build` and
 * `Executor.execute` reject with it. The run's work is discarded, and the executor serves further calls as if this one had not
 * been made. `cause` is the original exception.
 */
export class InterpreterFault extends Error {
  /** The transaction that ran; undefined if none ran or it is unknown. */
  readonly transaction: Hash | undefined

  constructor(transaction: Hash | undefined, cause: unknown) {
    super(`the interpreter failed in transaction ${transaction ?? '(unknown)'}: ${textOf(cause)}`, { cause })
    this.name = 'InterpreterFault'
    this.transaction = transaction
  }
}

/**
 * Runs an action on behalf of one transaction or none. Any exception is treated as a failure of this machine, even if it is a bug
 * of this package, so it costs only the transaction and not the block.
 *
 * @param transactionOf returns the transaction's hash; called only after an exception
 * @throws InterpreterFault for any exception of the action
 */
export function onBehalfOf<T>(transactionOf: () => Hash | undefined, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw new InterpreterFault(transactionOf(), error instanceof InterpreterFault ? error.cause : error)
  }
}

const textOf = (cause: unknown): string => (cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause))
