import { type Address, equalBytes, err, type Result } from '@quoin/protocol'
import { RECEIPT_BOUNDS } from '../block/receipt-bounds.ts'
import { encodeErrorString } from '../error-data.ts'
import type { GuestError } from '../vm/index.ts'

/** What a message that succeeded answers. */
export interface Success {
  readonly data: Uint8Array
  readonly contractAddress: Address | undefined
}

/** A contract that an exception went through, for people: nothing of it is in a block. */
export interface ContractTrace {
  /** Undefined for code that was to be made, whose evaluation threw. */
  readonly address: Address | undefined
  /** The interpreter's backtrace. */
  readonly stack: string
}

/** Why a message failed. */
export interface Failure {
  readonly reason: string
  readonly data: Uint8Array
  readonly error: GuestError | undefined
  /** The contracts that threw, or threw on what an inner call had failed with, innermost first; empty where none did. */
  readonly trace: readonly ContractTrace[]
}

/** `error`: what evaluating a module threw. `trace`: of an inner message that made this one fail. */
export function failed(reason: string, error?: GuestError, trace?: readonly ContractTrace[]): Result<never, Failure> {
  const own = error === undefined ? [] : [{ address: undefined, stack: error.stack }]
  return err({ reason, data: encodeErrorString(reason), error, trace: trace ?? own })
}

/**
 * An exception that left a contract: it brings its own data, or is put into words. `cause` is the last message of the contract's that failed; its
 * trace belongs to this one if its data do.
 */
export function thrown(error: GuestError, address: Address, cause: Failure | undefined): Result<never, Failure> {
  const { name, message } = error
  // The interpreter hands on no longer ones; were there one, its receipt could not be encoded.
  const data = error.data !== undefined && error.data.length <= RECEIPT_BOUNDS.errorDataBytesMax ? error.data : undefined
  const reason = name === '' || name === 'Error' || data !== undefined ? message : `${name}: ${message}`
  const inner = cause !== undefined && data !== undefined && equalBytes(cause.data, data) ? cause.trace : []
  const trace = [...inner, { address, stack: error.stack }]
  return data === undefined ? failed(reason, error, trace) : err({ reason, data, error, trace })
}

export const OUT_OF_GAS = failed('out of gas')
