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
