import { concatBytes, unwrap } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeFrames, encodeVarint, FRAME_HEADER_BYTES, FrameDecoder, varintHeader } from './frames.ts'

const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 })

/** Cuts bytes at the given positions, regardless of frame boundaries. */
function cut(bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...sorted].map((from, i) => bytes.subarray(from, sorted[i] ?? bytes.length))
}

describe('frames', () => {
  it('give back the messages, whatever the chunks', () => {
    fc.assert(
      fc.property(messages, fc.array(fc.nat(10_000), { maxLength: 40 }), (sent, places) => {
        const decoder = new FrameDecoder(300)
        const received: Uint8Array[] = []
        for (const chunk of cut(encodeFrames(sent), places)) {
          decoder.push(chunk)
          for (let frame = unwrap(decoder.next()); frame !== undefined; frame = unwrap(decoder.next())) received.push(frame)
          expect(decoder.pendingBytes).toBeLessThan(FRAME_HEADER_BYTES + 300)
        }
        expect(received).toEqual(sent)
        expect(decoder.pendingBytes).toBe(0)
      }),
    )
  })

  it('are copies: a message does not change with the chunk it came in', () => {
    const bytes = encodeFrames([Uint8Array.of(1, 2, 3)])
    const decoder = new FrameDecoder(10)
    decoder.push(bytes)
    const frame = unwrap(decoder.next())
    bytes.fill(0)
    expect(frame).toEqual(Uint8Array.of(1, 2, 3))
  })

  it('of the limit pass, one byte more is a fault', () => {
    const decode = (bytes: Uint8Array) => {
      const decoder = new FrameDecoder(5)
      decoder.push(bytes)
      return decoder.next()
    }
    expect(decode(encodeFrames([new Uint8Array(5)]))).toMatchObject({ ok: true, value: new Uint8Array(5) })
    expect(decode(Uint8Array.of(0, 0, 0, 6))).toMatchObject({ ok: false, error: { code: 'oversized' } })
    expect(decode(Uint8Array.of(0xff, 0xff, 0xff, 0xff))).toMatchObject({ ok: false, error: { code: 'oversized' } })
    expect(decode(new Uint8Array(4))).toMatchObject({ ok: true, value: new Uint8Array(0) })
  })

  it('that came before a fault are given out; after it nothing is, and nothing is kept', () => {
    const decoder = new FrameDecoder(5)
    decoder.push(encodeFrames([Uint8Array.of(1)]))
    decoder.push(Uint8Array.of(0, 0, 1, 0, 9, 9, 9))
    expect(decoder.next()).toMatchObject({ ok: true, value: Uint8Array.of(1) })
    expect(decoder.next()).toMatchObject({ ok: false, error: { code: 'oversized' } })
    decoder.push(encodeFrames([Uint8Array.of(1)]))
    expect(decoder.next()).toMatchObject({ ok: false, error: { code: 'oversized' } })
    expect(decoder.pendingBytes).toBe(0)
  })

  it('survive any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (chunks) => {
        const decoder = new FrameDecoder(64)
        for (const chunk of chunks) {
          decoder.push(chunk)
          for (let frame = decoder.next(); frame.ok && frame.value !== undefined; frame = decoder.next()) {
            expect(frame.value.length).toBeLessThanOrEqual(64)
          }
          expect(decoder.pendingBytes).toBeLessThan(FRAME_HEADER_BYTES + 64)
        }
      }),
    )
  })

  it('with a varint header give back the messages, and end at the limit', () => {
    fc.assert(
      fc.property(messages, fc.array(fc.nat(10_000), { maxLength: 40 }), (sent, places) => {
        const decoder = new FrameDecoder(300, varintHeader)
        const received: Uint8Array[] = []
        for (const chunk of cut(concatBytes(...sent.flatMap((message) => [encodeVarint(message.length), message])), places)) {
          decoder.push(chunk)
          for (let frame = unwrap(decoder.next()); frame !== undefined; frame = unwrap(decoder.next())) received.push(frame)
        }
        expect(received).toEqual(sent)
      }),
    )
    for (const header of [encodeVarint(301), Uint8Array.of(0xff, 0xff, 0xff, 0x7f), new Uint8Array(9).fill(0xff)]) {
      const decoder = new FrameDecoder(300, varintHeader)
      decoder.push(header)
      expect(decoder.next()).toMatchObject({ ok: false, error: { code: 'oversized' } })
    }
    expect([0, 127, 128, 300, 16_384].map((length) => [...encodeVarint(length)])).toEqual([
      [0],
      [127],
      [128, 1],
      [172, 2],
      [128, 128, 1],
    ])
  })
})
