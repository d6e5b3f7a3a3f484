import { Address } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { packOps, packQueues, packTransactions, unpackOps, unpackQueues, unpackTransactions } from './pack.ts'

const bytes = fc.uint8Array({ maxLength: 300 })
const op = fc.record({ key: bytes, value: fc.option(bytes, { nil: undefined }) })
const transaction = fc.record({ raw: bytes, sender: fc.uint8Array({ minLength: 20, maxLength: 20 }).map(Address) })
const gas = fc.oneof(fc.nat(), fc.maxSafeInteger().map(Math.abs))
const candidate = fc.record({ ...{ raw: bytes, gasLimit: gas }, sender: fc.constant(Address(new Uint8Array(20).fill(7))) })
const queue = fc.record({ use: gas, candidates: fc.array(candidate, { maxLength: 4 }) })

describe('packing', () => {
  it('round-trips through one new buffer', () => {
    fc.assert(
      fc.property(fc.array(op), fc.array(transaction), fc.array(queue), (ops, transactions, queues) => {
        const packedOps = packOps(ops)
        expect(unpackOps(packedOps)).toEqual(ops)
        expect(packedOps.byteLength).toBe(packedOps.buffer.byteLength)
        const packedTransactions = packTransactions(transactions)
        expect(unpackTransactions(packedTransactions)).toEqual(transactions)
        expect(packedTransactions.byteLength).toBe(packedTransactions.buffer.byteLength)
        const packedQueues = packQueues(queues)
        expect(unpackQueues(packedQueues)).toEqual(queues)
        expect(packedQueues.byteLength).toBe(packedQueues.buffer.byteLength)
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
    const one = { raw: Uint8Array.of(1, 2, 3), sender: Address(new Uint8Array(20)), gasLimit: 1 }
    const queues = packQueues([
      { use: 1, candidates: [] },
      { use: 2, candidates: [one] },
    ])
    for (let end = 0; end < queues.length; end++) expect(() => unpackQueues(queues.slice(0, end))).toThrow(RangeError)
    for (let end = 0; end < ops.length; end++) expect(() => unpackOps(ops.slice(0, end))).toThrow(RangeError)
    for (let end = 0; end < transactions.length; end++)
      expect(() => unpackTransactions(transactions.slice(0, end))).toThrow(RangeError)
    expect(() => unpackOps(Uint8Array.of(...ops, 0))).toThrow(/bytes follow/)
  })
})
