import type { CallContext } from './method.ts'

/** Serialized JSON in pieces, for results that are too large for one time slice, or are shared by several clients. */
export class JsonText {
  readonly pieces: readonly string[]
  readonly length: number

  constructor(pieces: readonly string[]) {
    this.pieces = pieces
    this.length = pieces.reduce((sum, { length }) => sum + length, 0)
  }
}

/** Approximate size of a piece. Making one takes far less than a time slice. */
export const PIECE_CHARS = 64 * 1024

/**
 * Serialized JSON that is made at once, in a thread that serves no clients, in pieces of at most `PIECE_CHARS`: the RPC thread copies and sends
 * them one by one.
 */
export class JsonPieces {
  readonly #pieces: string[] = []
  #piece = ''
  #length = 0

  get length(): number {
    return this.#length
  }

  add(text: string): void {
    this.#length += text.length
    let start = 0
    while (this.#piece.length + text.length - start >= PIECE_CHARS) {
      const end = start + PIECE_CHARS - this.#piece.length
      this.#pieces.push(this.#piece + text.slice(start, end))
      this.#piece = ''
      start = end
    }
    this.#piece += text.slice(start)
  }

  end(): readonly string[] {
    if (this.#piece !== '') this.#pieces.push(this.#piece)
    this.#piece = ''
    return this.#pieces
  }
}

/** Makes a JSON array, and yields to other work between two items. */
export async function jsonList<T>(
  items: Iterable<T>,
  toJson: (item: T, index: number) => string,
  call: Pick<CallContext, 'isSliceOver' | 'nextTurn'>,
): Promise<JsonText> {
  const pieces: string[] = []
  let piece = '['
  let index = 0
  for (const item of items) {
    if (call.isSliceOver()) await call.nextTurn()
    piece += index === 0 ? toJson(item, index) : `,${toJson(item, index)}`
    index++
    if (piece.length < PIECE_CHARS) continue
    pieces.push(piece)
    piece = ''
  }
  pieces.push(`${piece}]`)
  return new JsonText(pieces)
}
