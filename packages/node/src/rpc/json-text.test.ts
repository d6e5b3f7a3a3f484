import fc from 'fast-check'
import { expect, it } from 'vitest'
import { JsonPieces, PIECE_CHARS } from './json-text.ts'

it('pieces are full and not longer than the limit, whatever texts they are made of', () => {
  const length = fc.oneof(fc.nat(10), fc.nat(3 * PIECE_CHARS), fc.constantFrom(PIECE_CHARS - 1, PIECE_CHARS, 2 * PIECE_CHARS))
  fc.assert(
    fc.property(fc.array(length, { maxLength: 6 }), (lengths) => {
      const texts = lengths.map((count, i) => String(i).repeat(count))
      const all = texts.join('')
      const pieces = new JsonPieces()
      for (const text of texts) pieces.add(text)
      expect(pieces.length).toBe(all.length)
      const made = pieces.end()
      expect(made.join('') === all).toBe(true)
      expect(made.length).toBe(Math.ceil(all.length / PIECE_CHARS))
      expect(made.every((piece) => piece.length <= PIECE_CHARS)).toBe(true)
    }),
    { numRuns: 50 },
  )
})
