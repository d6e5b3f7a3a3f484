import type { Hash } from '@quoin/protocol'

/**
 * This node failed while it ran a transaction: V8 threw because the host's stack was too small (RangeError) or memory ran out, or the
 * interpreter has a bug. No result of the transaction, and nothing that other nodes must find too. `Executor.build` and `Executor.execute`
 * reject with it. What the run had done is thrown away, and the executor serves further calls as if that one had not been made. `cause`
 * is what was thrown.
 */
export class InterpreterFault extends Error {
  /** The transaction that ran; undefined where none did, or it is not known. */
  readonly transaction: Hash | undefined

  constructor(transaction: Hash | undefined, cause: unknown) {
    super(`the interpreter failed in transaction ${transaction ?? '(unknown)'}: ${textOf(cause)}`, { cause })
    this.name = 'InterpreterFault'
    this.transaction = transaction
  }
}

/**
 * Does what is done for one transaction, or for none. Whatever that throws is a failure of this machine, a bug of ours too: it must cost the
 * transaction, and not the block. The hash is asked for when something was thrown.
 */
export function onBehalfOf<T>(transactionOf: () => Hash | undefined, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw new InterpreterFault(transactionOf(), error instanceof InterpreterFault ? error.cause : error)
  }
}

const textOf = (cause: unknown): string => (cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause))
