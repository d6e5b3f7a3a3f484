import type { CallContext } from './method.ts'

/** JSON that is ready to be sent, in pieces: the results that are too large to be made in one slice, or that several clients ask for. */
export class JsonText {
  readonly pieces: readonly string[]
  readonly length: number

  constructor(pieces: readonly string[]) {
    this.pieces = pieces
    this.length = pieces.reduce((sum, { length }) => sum + length, 0)
  }
}

/** Characters of a piece, nearly: few enough to be made in far less than a slice. */
const PIECE_CHARS = 64 * 1024

/** A JSON list of what each item becomes; other work has its turn between two items. */
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
