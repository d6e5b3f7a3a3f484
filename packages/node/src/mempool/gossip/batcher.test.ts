import { expect, it } from 'vitest'
import { ManualClock } from '../../../test/clock.ts'
import { rawOf, transactionOf } from '../../../test/gossip-pool.ts'
import { Batcher } from './batcher.ts'
import { GOSSIP_LIMITS } from './limits.ts'
import { encodeTransactionsPayload } from './payload.ts'

function setUp() {
  const clock = new ManualClock()
  const published: Uint8Array[] = []
  const batcher = new Batcher(clock, (payload) => published.push(payload))
  const add = (raw: Uint8Array) => batcher.add(transactionOf(raw))
  return { batcher, published, add, elapse: () => clock.advance(GOSSIP_LIMITS.coalesceMs) }
}

it('sends the first at once, and what follows within the window together', () => {
  const { published, add, elapse } = setUp()
  add(rawOf(1))
  expect(published).toEqual([encodeTransactionsPayload([rawOf(1)])])
  add(rawOf(2))
  add(rawOf(3))
  expect(published).toHaveLength(1)
  elapse()
  expect(published[1]).toEqual(encodeTransactionsPayload([rawOf(2), rawOf(3)]))
  // The window of that payload ends with no further transactions: the next transaction leaves at once again.
  elapse()
  add(rawOf(4))
  expect(published).toHaveLength(3)
})

it('sends a full batch before its window ends', () => {
  const { published, add } = setUp()
  add(rawOf(0))
  for (let i = 1; i <= Math.ceil(GOSSIP_LIMITS.payloadBytesMin / 1_000); i++) add(rawOf(i, 1_000))
  expect(published).toHaveLength(2)
})

it('names no transaction twice', () => {
  const { published, add, elapse } = setUp()
  for (const index of [1, 2, 2, 3, 2]) add(rawOf(index))
  elapse()
  expect(published[1]).toEqual(encodeTransactionsPayload([rawOf(2), rawOf(3)]))
})

it('sends nothing after it was closed', () => {
  const { batcher, published, add, elapse } = setUp()
  add(rawOf(1))
  add(rawOf(2))
  batcher.close()
  elapse()
  expect(published).toHaveLength(1)
})
