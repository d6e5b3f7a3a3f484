import { describe, expect, it } from 'vitest'
import { ChainId, Gas, Height, Nonce, nextHeight, Power, Round, TimeMs, U256_MAX, Wei } from './numbers.ts'

const integers = { Height, Round, Nonce, Gas, Power, ChainId, TimeMs } as const
const largest: Readonly<Record<keyof typeof integers, number>> = {
  Height: Number.MAX_SAFE_INTEGER,
  Round: 0xffff_ffff,
  Nonce: 0xffff_ffff,
  Gas: Number.MAX_SAFE_INTEGER,
  Power: 2 ** 32,
  ChainId: Number.MAX_SAFE_INTEGER,
  TimeMs: Number.MAX_SAFE_INTEGER,
}

describe.each(Object.entries(integers))('%s', (name, make) => {
  const max = largest[name as keyof typeof integers]

  it('is an integer of its range', () => {
    for (const value of [0, 1, max]) expect(make(value)).toBe(value)
    for (const value of [-1, 0.5, max + 1, Number.NaN, Number.POSITIVE_INFINITY, '1' as unknown as number]) {
      expect(() => make(value)).toThrow(`${name} must be an integer from 0 to ${max}, not ${value}`)
    }
  })
})

it('Wei is a 256-bit amount', () => {
  for (const value of [0n, U256_MAX]) expect(Wei(value)).toBe(value)
  for (const value of [-1n, U256_MAX + 1n]) expect(() => Wei(value)).toThrow(RangeError)
})

it('the next height is one more, and ends with its range', () => {
  expect(nextHeight(Height(6))).toBe(7)
  expect(() => nextHeight(Height(Number.MAX_SAFE_INTEGER))).toThrow(RangeError)
})
