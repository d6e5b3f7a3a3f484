import { type AccessListEntry, Address, Hash } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressOf } from '../../test/transactions.ts'
import { intrinsicGas } from './intrinsic-gas.ts'

const to = addressOf(1)
const entry = (keys: number): AccessListEntry => ({
  address: Address(new Uint8Array(20)),
  storageKeys: Array.from({ length: keys }, () => Hash(new Uint8Array(32))),
})

describe('intrinsicGas', () => {
  it.each([
    ['a transfer', { to, data: [], accessList: [] }, 21_000],
    ['zero bytes of data, 4 each', { to, data: [0, 0, 0], accessList: [] }, 21_012],
    ['other bytes, 16 each (EIP-2028)', { to, data: [0, 1, 255], accessList: [] }, 21_036],
    ['an access list (EIP-2930)', { to, data: [], accessList: [entry(0), entry(2)] }, 21_000 + 2 * 2_400 + 2 * 1_900],
    ['an empty creation', { to: undefined, data: [], accessList: [] }, 53_000],
    // EIP-3860: 2 per started word.
    ['creation data of one word', { to: undefined, data: Array(32).fill(1), accessList: [] }, 53_000 + 32 * 16 + 2],
    ['creation data of a word and a byte', { to: undefined, data: Array(33).fill(0), accessList: [] }, 53_000 + 33 * 4 + 4],
  ])('of %s', (_, { to, data, accessList }, expected) => {
    expect(intrinsicGas({ to, data: Uint8Array.from(data), accessList })).toBe(expected)
  })

  it('of data of any length and alignment counts each byte', () => {
    const bytes = fc.array(fc.oneof(fc.constant(0), fc.constantFrom(1, 0x7f, 0x80, 0xff), fc.nat(255)), {
      minLength: 200,
      maxLength: 400,
    })
    fc.assert(
      fc.property(bytes, fc.nat(8), (given, start) => {
        const data = Uint8Array.from(given).subarray(start)
        const expected = data.reduce((gas, byte) => gas + (byte === 0 ? 4 : 16), 21_000)
        expect(intrinsicGas({ to, data, accessList: [] })).toBe(expected)
      }),
    )
  })

  it('of an ERC-20 transfer’s calldata is what Ethereum charges', () => {
    // transfer(0x…dead, 10^18): 4 + 32 + 32 bytes of which 55 are zero.
    const data = Buffer.from(`a9059cbb${'dead'.padStart(64, '0')}${(10n ** 18n).toString(16).padStart(64, '0')}`, 'hex')
    const zeros = data.filter((byte) => byte === 0).length
    expect(zeros).toBe(56)
    expect(intrinsicGas({ to, data, accessList: [] })).toBe(21_416)
  })
})
