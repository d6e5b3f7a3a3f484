import { Hash, Height } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CURSOR_CHARS, cursorOf, isOfChain, namedHeight, namesBlock, positionOf, readCursor } from './cursor.ts'
import { beginningOf, type Position, type Unit } from './position.ts'

const hash = (byte: number) => Hash(`0x${byte.toString(16).padStart(2, '0').repeat(32)}`)
const genesis = hash(0x11)
/** The hash of a block is made of its height. */
const hashOf = (height: Height) => hash(height % 256)
const written = (position: Position, unit: Unit | undefined) => cursorOf(genesis, position, unit, hashOf(namedHeight(position)))

const unit = fc.constantFrom<Unit>('logs', 'transactions')
const position = fc.record({ height: fc.maxSafeNat().map(Height), index: fc.oneof(fc.constant(0), fc.nat(0xffff_ffff)) })

describe('a cursor', () => {
  it('has a fixed form', () => {
    expect([
      written(beginningOf(0), 'logs'),
      written(beginningOf(0x0103), 'logs'),
      written({ height: Height(0x0103), index: 5 }, 'logs'),
      written({ height: Height(0x0103), index: 5 }, 'transactions'),
    ]).toEqual([
      'ARERERERERERAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
      'ARERERERERERAAAAAAAAAQIBAAAAAAICAgICAgICAgICAgICAgI',
      'ARERERERERERAAAAAAAAAQMCAAAABQMDAwMDAwMDAwMDAwMDAwM',
      'ARERERERERERAAAAAAAAAQMDAAAABQMDAwMDAwMDAwMDAwMDAwM',
    ])
  })

  it('gives back every position, and names the block before it or around it', () => {
    fc.assert(
      fc.property(position, unit, (at, counted) => {
        const text = written(at, counted)
        expect(text).toHaveLength(CURSOR_CHARS)
        const read = readCursor(text)
        if (!read.ok) throw new Error(read.error)
        expect(positionOf(read.value, counted)).toEqual(at)
        const named = at.index > 0 || at.height === 0 ? at.height : at.height - 1
        expect(read.value.height).toBe(named)
        expect([isOfChain(read.value, genesis), isOfChain(read.value, hash(0x12))]).toEqual([true, false])
        expect([namesBlock(read.value, hashOf(Height(named))), namesBlock(read.value, hash((named + 1) % 256))]).toEqual([
          true,
          false,
        ])
      }),
    )
  })

  it('between blocks fits every kind of stream, and within a block only those that count the same items', () => {
    const read = (text: string) => {
      const result = readCursor(text)
      if (!result.ok) throw new Error(result.error)
      return result.value
    }
    const between = read(written(beginningOf(7), 'logs'))
    expect([undefined, 'logs', 'transactions'].map((one) => positionOf(between, one as Unit | undefined))).toEqual(
      new Array(3).fill(beginningOf(7)),
    )
    const within = read(written({ height: Height(7), index: 2 }, 'logs'))
    expect([positionOf(within, undefined), positionOf(within, 'transactions')]).toEqual([undefined, undefined])
  })

  it('is refused in any other form', () => {
    const text = written({ height: Height(7), index: 2 }, 'logs')
    const changed = (at: number, byte: number, from = text) => {
      const bytes = Buffer.from(from, 'base64url')
      bytes[at] = byte
      return bytes.toString('base64url')
    }
    const last = text.slice(0, -1)
    for (const [wrong, problem] of [
      ['', /51 characters/],
      [`${text}A`, /51 characters/],
      [text.slice(1), /51 characters/],
      [`${last}=`, /51 characters/],
      [`${last}+`, /51 characters/],
      // The last character has two bits that belong to no byte.
      [`${last}${String.fromCharCode(text.charCodeAt(text.length - 1) + 1)}`, /canonical/],
      [changed(0, 2), /version 2/],
      [changed(9, 0xff), /does not decode/],
      [changed(17, 4), /does not decode/],
      [changed(17, 1), /count/],
      [changed(17, 0), /count/],
      [changed(21, 0), /count/],
      [changed(17, 0, written(beginningOf(7), 'logs')), /nothing behind it/],
    ] as const)
      expect(readCursor(wrong), wrong).toEqual({ ok: false, error: expect.stringMatching(problem) })
  })

  it('of random text is refused, or is the same text when it is written again', () => {
    const bytes = fc.uint8Array({ minLength: 38, maxLength: 38 }).map((random) => {
      random.set([1, ...new Uint8Array(8).fill(0x11), 0, 0])
      random[17]! %= 5
      return Buffer.from(random).toString('base64url')
    })
    fc.assert(
      fc.property(bytes, unit, (text, counted) => {
        const read = readCursor(text)
        const at = read.ok ? positionOf(read.value, counted) : undefined
        if (!read.ok || at === undefined) return
        expect(cursorOf(genesis, at, counted, Hash(`0x${Buffer.from(read.value.block).toString('hex').padEnd(64, '0')}`))).toBe(
          text,
        )
      }),
      { numRuns: 1_000 },
    )
  })
})
