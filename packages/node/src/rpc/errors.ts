import type { Hex } from '@quoin/protocol'
import { REFUSAL_REASONS, type RefusalReason, type Scope } from './refusal-reasons.ts'

/** `data` of an error: what a client needs to decide what to do. */
export interface RefusalData {
  readonly reason: RefusalReason
  readonly scope: Scope
  readonly [detail: string]: unknown
}

/** The error of a response, without its id. */
export interface Refusal {
  readonly code: number
  readonly message: string
  /** Hex where a standard says so: a revert, and the timeout of EIP-7966. */
  readonly data: RefusalData | Hex
}

/** Where a reason is given: some have codes of their own in calls and simulations. */
export type Where = 'calls' | 'simulations' | 'elsewhere'

function codeOf(reason: RefusalReason, where: Where): number {
  const { code, inCalls = code, inSimulations = code } = REFUSAL_REASONS[reason]
  return where === 'calls' ? inCalls : where === 'simulations' ? inSimulations : code
}

const dataOf = (reason: RefusalReason, details: object | undefined): RefusalData => ({
  reason,
  scope: REFUSAL_REASONS[reason].scope,
  ...details,
})

/** @param details - Further members of `data`. */
export const refusal = (reason: RefusalReason, message: string, details?: object): Refusal => ({
  code: codeOf(reason, 'elsewhere'),
  message,
  data: dataOf(reason, details),
})

/** A method throws it to answer with this error. Any other exception is a bug and is answered with `internal`. */
export class RpcError extends Error implements Refusal {
  readonly code: number
  readonly data: RefusalData | Hex

  /** @param details - Further members of `data`, or the whole of it in hex where a standard says so. */
  constructor(reason: RefusalReason, message: string, details?: object | Hex, where: Where = 'elsewhere') {
    super(message)
    this.code = codeOf(reason, where)
    this.data = typeof details === 'string' ? details : dataOf(reason, details)
  }
}

export const invalidParams = (message: string): RpcError => new RpcError('invalid-params', message)
