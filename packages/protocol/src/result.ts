/**
 * An expected outcome as a value. Refusals that a caller must handle are returned; exceptions are for bugs and corruption.
 */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E }

export const ok = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value })

export const err = <E>(error: E): { readonly ok: false; readonly error: E } => ({ ok: false, error })

/** The value of a result that must be a success: the caller has proved it, so a refusal here is a bug. */
export function unwrap<T, E>(result: Result<T, E>): T {
  if (result.ok) return result.value
  throw new Error(`unexpected refusal: ${describe(result.error)}`)
}

function describe(error: unknown): string {
  if (error instanceof Error) return error.message
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error)
}
