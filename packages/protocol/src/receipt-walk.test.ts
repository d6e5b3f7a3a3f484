import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { bytesToHex } from './bytes.ts'
import { encode } from './codec.ts'
import { receiptsCodec } from './receipt.ts'
import { visitEncodedLogs } from './receipt-walk.ts'

it('finds the addresses and topics of every log, wherever the encoding begins in its buffer', () => {
  const receipts = fc.array(any.receipt, { maxLength: 4 })
  fc.assert(
    fc.property(receipts, fc.nat(7), (values, before) => {
      const bytes = encode(receiptsCodec, values)
      const shifted = new Uint8Array(before + bytes.length).subarray(before)
      shifted.set(bytes)
      const found: object[] = []
      visitEncodedLogs(shifted, (addressAt, topicsAt, count) => {
        found.push({
          address: bytesToHex(shifted.subarray(addressAt, addressAt + 20)),
          topics: Array.from({ length: count }, (_, i) =>
            bytesToHex(shifted.subarray(topicsAt + 32 * i, topicsAt + 32 * i + 32)),
          ),
        })
      })
      expect(found).toEqual(values.flatMap(({ logs }) => logs.map(({ address, topics }) => ({ address, topics }))))
    }),
  )
})

it('refuses an encoding that ends too early', () => {
  expect(() => visitEncodedLogs(Uint8Array.of(0, 0, 0, 1), () => {})).toThrow(RangeError)
})
