/** What making a text needs of its call (`CallContext`). */
export interface TextCall {
  isSliceOver(): boolean
  nextTurn(): Promise<void>
  hold(bytes: number): void
}

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
      const end = wholeEnd(text, start + PIECE_CHARS - this.#piece.length)
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

/** An end for a piece that is not between the two halves of a character, so that each piece can be encoded. */
function wholeEnd(text: string, end: number): number {
  const last = text.charCodeAt(end - 1)
  return last >= 0xd800 && last < 0xdc00 ? end - 1 : end
}

/** A piece of text; in UTF-8 if it comes from another thread. */
export type TextPiece = string | Uint8Array

/**
 * Encodes pieces for a message to another thread. More than one are in one memory, which `transfer` hands over: a copy would take the
 * receiver a millisecond per megabyte, all at once.
 */
export function packPieces(pieces: readonly TextPiece[]): { pieces: readonly TextPiece[]; transfer: readonly ArrayBuffer[] } {
  if (pieces.length <= 1) return { pieces, transfer: [] }
  const encoded = pieces.map((piece) => Buffer.from(piece as string))
  const memory = new ArrayBuffer(encoded.reduce((sum, { length }) => sum + length, 0))
  let end = 0
  const packed = encoded.map((bytes) => {
    const piece = new Uint8Array(memory, end, bytes.length)
    piece.set(bytes)
    end += bytes.length
    return piece
  })
  return { pieces: packed, transfer: [memory] }
}

/** The text of pieces that another thread made. It is held until the call ends. Yields to other work between pieces. */
export async function takeText(pieces: readonly TextPiece[], call: TextCall): Promise<JsonText> {
  call.hold(pieces.reduce((sum, { length }) => sum + length, 0))
  const texts: string[] = []
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      texts.push(piece)
      continue
    }
    if (call.isSliceOver()) await call.nextTurn()
    texts.push(Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString())
  }
  return new JsonText(texts)
}

/** Makes a JSON array, and yields to other work between two items. */
export async function jsonList<T>(
  items: Iterable<T>,
  toJson: (item: T, index: number) => string,
  call: Pick<TextCall, 'isSliceOver' | 'nextTurn'>,
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
