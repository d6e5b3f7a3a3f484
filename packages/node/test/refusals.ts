import { REFUSAL_REASONS, type Reason, type RefusalReason } from '../src/rpc/refusal-reasons.ts'

/** The error of a response. */
export interface TestError {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** Codes whose `data` is hex by a standard: a revert, and the timeout of EIP-7966. */
const HEX_CODES: ReadonlySet<number> = new Set([3, 4])

/** What is wrong with an error by the closed list of reasons; undefined if it is as docs/json-rpc.md says. */
export function problemOf({ code, message, data }: TestError): string | undefined {
  const problem = (what: string) => `${what}: ${JSON.stringify({ code, message, data })}`
  if (HEX_CODES.has(code)) return typeof data === 'string' && /^0x([0-9a-f]{2})*$/.test(data) ? undefined : problem('no hex')
  if (typeof data !== 'object' || data === null) return problem('no data')
  const { reason, scope } = data as { readonly reason?: unknown; readonly scope?: unknown }
  if (typeof reason !== 'string' || !Object.hasOwn(REFUSAL_REASONS, reason)) return problem('no reason of the list')
  const listed: Reason = REFUSAL_REASONS[reason as RefusalReason]
  if (scope !== listed.scope) return problem(`scope is not ${listed.scope}`)
  return [listed.code, listed.inCalls, listed.inSimulations].includes(code) ? undefined : problem('another code than in the list')
}

/** The answer, unless its error is not as the list says. */
export function checked<T extends { readonly error?: TestError }>(answer: T): T {
  const problem = answer.error === undefined ? undefined : problemOf(answer.error)
  if (problem !== undefined) throw new Error(`an error that clients cannot classify: ${problem}`)
  return answer
}
