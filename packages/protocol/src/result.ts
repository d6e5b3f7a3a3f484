/**
 * The outcome of an operation that may fail in an expected way, such as decoding bytes from a peer. Expected failures are returned; exceptions
 * are for bugs and corruption.
 *
 * @example
 * const decoded = codec.decode(headerCodec, bytes)
 * if (!decoded.ok) return reject(decoded.error.message)
 * use(decoded.value)
 */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E }

/** Makes a successful result. */
export const ok = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value })

/** Makes a failed result. */
export const err = <E>(error: E): { readonly ok: false; readonly error: E } => ({ ok: false, error })

/**
 * Takes the value of a result that cannot be a failure, because the caller checked its input before.
 *
 * @throws Error if the result is a failure. That is a bug of the caller.
 */
export function unwrap<T, E>(result: Result<T, E>): T {
  if (result.ok) return result.value
  throw new Error(`unwrap: the result is an error: ${describe(result.error)}`)
}

function describe(error: unknown): string {
  if (error instanceof Error) return error.message
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error)
}
