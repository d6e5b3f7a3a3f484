import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { bytesToHex } from './bytes.ts'
import { encode } from './codec.ts'
import { receiptsCodec } from './receipt.ts'
import { EncodedReceipts, visitEncodedLogs } from './receipt-walk.ts'
import { unwrap } from './result.ts'

it('finds addresses, topics and data of every log, wherever the encoding begins in its buffer', () => {
  const receipts = fc.array(any.receipt, { maxLength: 4 })
  fc.assert(
    fc.property(receipts, fc.nat(7), (values, before) => {
      const bytes = encode(receiptsCodec, values)
      const shifted = new Uint8Array(before + bytes.length).subarray(before)
      shifted.set(bytes)
      const found: object[] = []
      visitEncodedLogs(shifted, (addressAt, topicsAt, count, receiptIndex) => {
        const dataAt = topicsAt + 32 * count + 4
        const length = Number(bytesToHex(shifted.subarray(dataAt - 4, dataAt)))
        found.push({
          address: bytesToHex(shifted.subarray(addressAt, addressAt + 20)),
          topics: Array.from({ length: count }, (_, i) =>
            bytesToHex(shifted.subarray(topicsAt + 32 * i, topicsAt + 32 * i + 32)),
          ),
          data: shifted.slice(dataAt, dataAt + length),
          receiptIndex,
        })
      })
      expect(found).toEqual(values.flatMap(({ logs }, receiptIndex) => logs.map((log) => ({ ...log, receiptIndex }))))
    }),
  )
})

it('decodes one receipt of many, with the index of its first log', () => {
  fc.assert(
    fc.property(fc.array(any.receipt, { maxLength: 6 }), (values) => {
      const receipts = new EncodedReceipts(encode(receiptsCodec, values))
      expect(receipts.count).toBe(values.length)
      let firstLogIndex = 0
      for (const [i, receipt] of values.entries()) {
        expect(unwrap(receipts.at(i)!)).toEqual({ receipt, firstLogIndex })
        firstLogIndex += receipt.logs.length
      }
      expect(receipts.at(values.length)).toBeUndefined()
    }),
  )
})

it('refuses an encoding that ends too early, or has too many receipts', () => {
  expect(() => visitEncodedLogs(Uint8Array.of(0, 0, 0, 1), () => {})).toThrow(RangeError)
  expect(() => new EncodedReceipts(Uint8Array.of(255, 0, 0, 0))).toThrow(/at most/)
  fc.assert(
    fc.property(fc.array(any.receipt, { minLength: 1, maxLength: 3 }), fc.nat(), (values, seed) => {
      const bytes = encode(receiptsCodec, values)
      expect(() => new EncodedReceipts(bytes.subarray(0, seed % bytes.length))).toThrow(RangeError)
    }),
  )
})

it('finds damage in the receipt that is decoded', () => {
  const bytes = Uint8Array.of(0, 0, 0, 1, ...new Array(17).fill(0), 0, 0, 0, 0, 0, 0, 0, 0, 0, ...new Array(20).fill(0))
  expect(new EncodedReceipts(bytes).at(0)).toMatchObject({ ok: true })
  bytes[4] = 7
  expect(new EncodedReceipts(bytes).at(0)).toMatchObject({ ok: false })
})
