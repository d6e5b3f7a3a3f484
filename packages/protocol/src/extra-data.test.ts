import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { extraData } from '../test/arbitraries.ts'
import { checkRoundTrip, checkStrict } from '../test/codec-laws.ts'
import { bytesToHex, Hash } from './bytes.ts'
import { decode, encode } from './codec.ts'
import { extraDataCodec } from './extra-data.ts'
import { LIMITS } from './limits.ts'

const hash = (byte: number) => Hash(new Uint8Array(32).fill(byte))
const value = {
  version: 1,
  milliseconds: 999,
  executionVersion: hash(1),
  validatorsHash: hash(2),
  nextValidatorsHash: hash(3),
} as const

describe('extraData', () => {
  it('is version, milliseconds, three hashes, and an empty reserved field', () => {
    const hex = `0x0103e7${'01'.repeat(32)}${'02'.repeat(32)}${'03'.repeat(32)}00000000`
    expect(bytesToHex(encode(extraDataCodec, value))).toBe(hex)
    expect(extraDataCodec.bytesMax).toBe(103)
    expect(extraDataCodec.bytesMax).toBeLessThanOrEqual(LIMITS.extraDataBytesMax)
  })

  it('round-trips, in one encoding', () => {
    fc.assert(
      fc.property(extraData, (any) => checkStrict(extraDataCodec, checkRoundTrip(extraDataCodec, any))),
      { numRuns: 20 },
    )
  })

  it('refuses another version, a thousand milliseconds, and anything in the reserved field', () => {
    const bytes = encode(extraDataCodec, value)
    for (const [at, byte, message] of [
      [0, 0, 'unknown extraData version 0 (at byte 1)'],
      [0, 2, 'unknown extraData version 2 (at byte 1)'],
      [2, 0xe8, '1000 is above 999 (at byte 3)'],
      [102, 1, 'length 1, at most 0 is allowed (at byte 103)'],
    ] as const) {
      expect(decode(extraDataCodec, bytes.with(at, byte))).toMatchObject({ ok: false, error: { message } })
    }
    expect(() => encode(extraDataCodec, { ...value, milliseconds: 1_000 })).toThrow(RangeError)
  })
})
