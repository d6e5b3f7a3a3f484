import { QuoinError } from '../errors.ts'

/** The cursor belongs to another chain, or to blocks of a development chain that was reset. */
export class CursorUnknownError extends QuoinError {
  override name = 'CursorUnknownError'
  readonly reason = 'cursor-unknown'

  constructor(cause?: Error) {
    super(
      "The stream's cursor belongs to another chain, or the development chain was reset. Delete the stored position, or set onUnknownCursor: 'restart'.",
      cause === undefined ? {} : { cause },
    )
  }
}

/** The text is no cursor of this stream. */
export class InvalidCursorError extends QuoinError {
  override name = 'InvalidCursorError'
  readonly reason = 'invalid-cursor'
}

/** The consumer was too slow for a buffer with `whenFull: 'fail'`. */
export class StreamOverflowError extends QuoinError {
  override name = 'StreamOverflowError'
  readonly reason = 'overflow'
  /** The position behind the last item that the consumer got: pass it as `after` to continue. */
  readonly cursor: string

  constructor(maxSize: number, cursor: string) {
    super(`More than ${maxSize} items waited for the consumer of the stream. Continue after the cursor of this error.`)
    this.cursor = cursor
  }
}
