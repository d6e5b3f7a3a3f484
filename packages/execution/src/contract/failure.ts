import { type Address, equalBytes, err, type Result } from '@quoin/protocol'
import { RECEIPT_BOUNDS } from '../block/receipt-bounds.ts'
import { encodeErrorString } from '../error-data.ts'
import type { GuestError } from '../vm/index.ts'

/** Result of a message that succeeded. */
export interface Success {
  readonly data: Uint8Array
  readonly contractAddress: Address | undefined
}

/** A contract that an exception passed through. For people only; no block contains it. */
export interface ContractTrace {
  /** Undefined for new code whose evaluation threw. */
  readonly address: Address | undefined
  /** The interpreter's backtrace. */
  readonly stack: string
}

/** Why a message failed. */
export interface Failure {
  readonly reason: string
  readonly data: Uint8Array
  readonly error: GuestError | undefined
  /** The contracts that threw or rethrew, innermost first; empty where none did. */
  readonly trace: readonly ContractTrace[]
  /** More about the reason, for people. No block contains it and no contract sees it, so its text may change at any time. */
  readonly detail?: string | undefined
}

/**
 * Builds a failure whose data is `Error(string)` with the reason.
 *
 * @param error exception from the evaluation of a module
 * @param trace trace of an inner message that made this one fail
 */
export function failed(reason: string, error?: GuestError, trace?: readonly ContractTrace[]): Result<never, Failure> {
  const own = error === undefined ? [] : [{ address: undefined, stack: error.stack }]
  return err({ reason, data: encodeErrorString(reason), error, trace: trace ?? own })
}

/**
 * Builds the failure for an exception that left a contract. An exception without data gets its text as `Error(string)`.
 *
 * @param cause the contract's last inner message that failed; its trace and detail are included if its data is the same
 */
export function thrown(error: GuestError, address: Address, cause: Failure | undefined): Result<never, Failure> {
  const { name, message } = error
  // The interpreter already drops longer data. If it did not, the receipt could not be encoded.
  const data = error.data !== undefined && error.data.length <= RECEIPT_BOUNDS.errorDataBytesMax ? error.data : undefined
  const reason = name === '' || name === 'Error' || data !== undefined ? message : `${name}: ${message}`
  const inner = cause !== undefined && data !== undefined && equalBytes(cause.data, data) ? cause : undefined
  const trace = [...(inner?.trace ?? []), { address, stack: error.stack }]
  return data === undefined ? failed(reason, error, trace) : err({ reason, data, error, trace, detail: inner?.detail })
}

export const OUT_OF_GAS_REASON = 'out of gas'

const SPENT: Failure = { reason: OUT_OF_GAS_REASON, data: encodeErrorString(OUT_OF_GAS_REASON), error: undefined, trace: [] }

export const OUT_OF_GAS: Result<never, Failure> = err(SPENT)

/**
 * `OUT_OF_GAS` with a detail for people.
 *
 * @param trace where the gas ended, if the interpreter recorded that
 */
export const outOfGas = (detail: string, trace: readonly ContractTrace[] = []): Result<never, Failure> =>
  err({ ...SPENT, detail, trace })
