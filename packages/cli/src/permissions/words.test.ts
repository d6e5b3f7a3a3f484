import { PROTOCOL_ROLES } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expiryText, idText, parseExpiry, parseId, parseRoles, rolesText } from './words.ts'

const OWN = new Map([
  [16, 'teller'],
  [20, 'risk officer'],
])

/** Roles that the chain allows. */
const roles = fc.maxSafeNat().map((n) => (n & (0xffff_0000 | PROTOCOL_ROLES)) >>> 0)

describe('roles in words', () => {
  it('are read back, with and without names on the chain', () => {
    fc.assert(
      fc.property(roles, fc.constantFrom(OWN, new Map<number, string>()), (mask, own) => {
        expect(parseRoles(rolesText(mask, own), own)).toBe(mask)
      }),
    )
  })

  it.each([
    [0, 'none'],
    [5, 'admin,sender'],
    [2 ** 31, 'bit31'],
    [0xffff_0004, 'sender,teller,risk officer,bit17-bit19,bit21-bit31'],
  ])('%d is %s', (mask, text) => {
    expect(rolesText(mask, OWN)).toBe(text)
  })

  it.each(['', 'chief', 'Admin', 'bit15', 'bit32', 'bit20-bit17', 'sender,', 'none,sender', 'bit7'])('%j is none', (text) => {
    expect(() => parseRoles(text, OWN)).toThrow(/there is no role .*teller, risk officer/)
  })
})

describe('times', () => {
  it.each([
    ['never', 0n],
    ['2030-01-31', 1_896_048_000n],
    ['2030-01-31T12:30Z', 1_896_093_000n],
    ['2030-01-31T12:30:05Z', 1_896_093_005n],
    ['1896093005', 1_896_093_005n],
  ])('%s', (text, seconds) => {
    expect(parseExpiry(text)).toBe(seconds)
    expect(parseExpiry(expiryText(Number(seconds)))).toBe(seconds)
  })

  it.each(['', 'soon', '0', '-5', '2030-13-01', '2030-01-31T12:30', '31.1.2030', '1969-01-01', '9'.repeat(17)])(
    '%j is refused',
    (text) => {
      expect(() => parseExpiry(text)).toThrow('--expires')
    },
  )

  it('beyond the calendar are seconds', () => {
    expect(expiryText(Number.MAX_SAFE_INTEGER)).toBe(String(Number.MAX_SAFE_INTEGER))
  })
})

it('ids are short names', () => {
  expect(idText('0x62616e6b2d610000000000000000000000000000000000000000000000000000' as never)).toBe('bank-a')
  expect(idText(`0x${'00'.repeat(32)}` as never)).toBe('-')
  for (const name of ['', 'Bank', '-a', 'a'.repeat(32)])
    expect(() => parseId(name, 'organisation')).toThrow('is not a short name')
})
