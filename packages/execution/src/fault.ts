import type { Hash } from '@quoin/protocol'

/**
 * The machine failed while it ran a contract, as V8 does when the host's stack is too small (RangeError): no result of the contract's,
 * and nothing that other nodes would find too. `Executor.build` and `Executor.execute` reject with it. What the run had done is thrown
 * away, and the executor serves further calls as if that one had not been made. `cause` is the engine's own error.
 */
export class EngineFault extends Error {
  /** The transaction that ran; undefined where none did, or it is not known. */
  readonly transaction: Hash | undefined

  constructor(transaction: Hash | undefined, cause: unknown) {
    super(`the contract engine failed in transaction ${transaction ?? '(unknown)'}: ${textOf(cause)}`, { cause })
    this.name = 'EngineFault'
    this.transaction = transaction
  }
}

const textOf = (cause: unknown): string => (cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause))
