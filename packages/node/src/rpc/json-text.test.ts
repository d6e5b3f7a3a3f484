import fc from 'fast-check'
import { expect, it } from 'vitest'
import { JsonPieces, PIECE_CHARS, packPieces, takeText } from './json-text.ts'

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

it('texts pass between threads unchanged, also where a piece would end within a character', async () => {
  const context = { hold: () => {}, isSliceOver: () => false, nextTurn: async () => {} }
  for (const shift of [0, 1, 2]) {
    const text = 'x'.repeat(PIECE_CHARS - 2 + shift) + 'é😀'.repeat(PIECE_CHARS)
    const pieces = new JsonPieces()
    pieces.add(text)
    const made = pieces.end()
    expect(made.every((piece) => piece.length <= PIECE_CHARS)).toBe(true)
    const { pieces: packed, transfer } = packPieces(made)
    const received = structuredClone(packed, { transfer: [...transfer] })
    expect((await takeText(received, context)).pieces.join('') === text).toBe(true)
  }
  expect(packPieces(['{}'])).toEqual({ pieces: ['{}'], transfer: [] })
})
