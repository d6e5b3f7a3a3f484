import {
  Address,
  accountKey,
  bytesToHex,
  CODES_ADDRESS,
  codeKey,
  codeRecordKey,
  compareBytes,
  contractKey,
  Hash,
  hexToBytes,
  LIMITS,
  storageKey,
  ZERO_HASH,
} from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseHistoryKey } from '../../test/history-key.ts'
import { addressOf } from '../../test/transactions.ts'
import { accountInHistoryKey, flatKey, flatKeyOf, historyKey, historyRange } from './keys.ts'

const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(Address)
/** Raw keys full of bytes that the escaping must survive. */
const rawKey = fc.oneof(
  fc.array(fc.constantFrom(0, 0, 1, 254, 255), { maxLength: 12 }).map((bytes) => Uint8Array.from(bytes)),
  fc.uint8Array({ maxLength: LIMITS.stateKeyBytesMax }),
)
const stateKey = fc
  .tuple(fc.constantFrom(addressOf(1), addressOf(0x100)), rawKey)
  .map(([of, raw]) => hexToBytes(storageKey(of, raw)))
const height = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.maxSafeInteger().map(Math.abs))

describe('keys', () => {
  it('have the layout that the comment gives', () => {
    const a = addressOf(0xab)
    expect(flatKeyOf(accountKey(a))).toEqual(Uint8Array.of(0x10, ...hexToBytes(a), 0))
    const hash = Hash(new Uint8Array(32).fill(9))
    const codes = hexToBytes(CODES_ADDRESS)
    expect(flatKeyOf(codeKey(hash))).toEqual(Uint8Array.of(0x10, ...codes, 1, ...hexToBytes(hash)))
    expect(flatKeyOf(codeRecordKey(hash))).toEqual(Uint8Array.of(0x10, ...codes, 4, ...hexToBytes(hash)))
    expect(flatKeyOf(storageKey(a, Uint8Array.of(7)))).toEqual(Uint8Array.of(0x10, ...hexToBytes(a), 2, 7))
    expect(flatKey(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(0x10, 1, 2))
    expect(bytesToHex(historyKey(Uint8Array.of(0, 1, 0), 0x0102))).toBe('0x11' + '00ff0100ff' + '0000' + '0000000000000102')
  })

  it('of history sort as state key, then height, and give both back', () => {
    fc.assert(
      fc.property(stateKey, height, stateKey, height, (a, heightA, b, heightB) => {
        const order = Math.sign(compareBytes(a, b)) || Math.sign(heightA - heightB)
        expect(Math.sign(compareBytes(historyKey(a, heightA), historyKey(b, heightB)))).toBe(order)
        expect(parseHistoryKey(historyKey(a, heightA))).toEqual({ stateKey: a, height: heightA })
      }),
      { numRuns: 500 },
    )
  })

  it('of a history range belong to one state key, from a height on', () => {
    fc.assert(
      fc.property(stateKey, height, stateKey, height, (a, from, b, at) => {
        const range = historyRange(a, from)
        const key = historyKey(b, at)
        const inside = compareBytes(key, range.from) >= 0 && compareBytes(key, range.to) < 0
        expect(inside).toBe(compareBytes(a, b) === 0 && at >= from)
      }),
      { numRuns: 500 },
    )
  })

  it('of history give their account; other keys give none', () => {
    const zeros = fc.constantFrom(0, 0, 1, 255)
    const escaped = fc.array(zeros, { minLength: 20, maxLength: 20 }).map((bytes) => Address(Uint8Array.from(bytes)))
    fc.assert(
      fc.property(fc.oneof(address, escaped), rawKey, height, (of, raw, at) => {
        expect(accountInHistoryKey(historyKey(hexToBytes(accountKey(of)), at))).toBe(of)
        for (const other of [storageKey(of, raw), codeKey(ZERO_HASH), codeRecordKey(ZERO_HASH), contractKey(of, raw)])
          expect(accountInHistoryKey(historyKey(hexToBytes(other), at))).toBeUndefined()
        expect(accountInHistoryKey(flatKeyOf(accountKey(of)))).toBeUndefined()
      }),
    )
  })

  it('sort the same as text and as bytes', () => {
    fc.assert(
      fc.property(address, rawKey, address, rawKey, (a, rawA, b, rawB) => {
        const [left, right] = [storageKey(a, rawA), storageKey(b, rawB)]
        const text = left < right ? -1 : Number(left > right)
        expect(text).toBe(Math.sign(compareBytes(hexToBytes(left), hexToBytes(right))))
      }),
    )
  })
})
