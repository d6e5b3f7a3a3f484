import { Address } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { packOps, packTransactions, unpackOps, unpackTransactions } from './pack.ts'

const bytes = fc.uint8Array({ maxLength: 300 })
const op = fc.record({ key: bytes, value: fc.option(bytes, { nil: undefined }) })
const transaction = fc.record({ raw: bytes, sender: fc.uint8Array({ minLength: 20, maxLength: 20 }).map(Address) })

describe('packing', () => {
  it('gives back what went in, from one buffer of its own', () => {
    fc.assert(
      fc.property(fc.array(op), fc.array(transaction), (ops, transactions) => {
        const packedOps = packOps(ops)
        expect(unpackOps(packedOps)).toEqual(ops)
        expect(packedOps.byteLength).toBe(packedOps.buffer.byteLength)
        const packedTransactions = packTransactions(transactions)
        expect(unpackTransactions(packedTransactions)).toEqual(transactions)
        expect(packedTransactions.byteLength).toBe(packedTransactions.buffer.byteLength)
      }),
    )
  })

  it('reads from the middle of a larger buffer', () => {
    const ops = [{ key: Uint8Array.of(1), value: new Uint8Array(0) }]
    const packed = packOps(ops)
    const larger = new Uint8Array(packed.length + 8)
    larger.set(packed, 5)
    expect(unpackOps(larger.subarray(5, 5 + packed.length))).toEqual(ops)
  })

  it('throws on every cut and on trailing bytes', () => {
    const ops = packOps([
      { key: Uint8Array.of(1, 2), value: Uint8Array.of(3) },
      { key: Uint8Array.of(4), value: undefined },
    ])
    const transactions = packTransactions([{ raw: Uint8Array.of(1, 2, 3), sender: Address(new Uint8Array(20)) }])
    for (let end = 0; end < ops.length; end++) expect(() => unpackOps(ops.slice(0, end))).toThrow(RangeError)
    for (let end = 0; end < transactions.length; end++)
      expect(() => unpackTransactions(transactions.slice(0, end))).toThrow(RangeError)
    expect(() => unpackOps(Uint8Array.of(...ops, 0))).toThrow(/bytes follow/)
  })
})
