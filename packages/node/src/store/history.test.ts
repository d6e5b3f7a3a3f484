import { MemoryKv } from '@quoin/platform'
import { Height, nobleCrypto, unwrap } from '@quoin/protocol'
import { expect, it } from 'vitest'
import { openTestNode, testAccounts, testTransfers } from '../../test/chain.ts'
import { crypto, fourValidators as validators } from '../../test/fixture.ts'
import { BlockStore } from './block-store.ts'

/** More than three times 64. */
const HEIGHTS = 200
const TRANSFER_EVERY = 20

it(`every one of ${HEIGHTS} blocks keeps header, body, receipts, certificate and place, for a newly started process`, async () => {
  const kv = new MemoryKv()
  const node = await openTestNode({ crypto, validators, kv })
  const raws = await testTransfers(testAccounts[0]!, 0, HEIGHTS / TRANSFER_EVERY)
  const hashes = [node.store.head.hash]
  for (let height = 1; height <= HEIGHTS; height++) {
    const block = await node.produce(height % TRANSFER_EVERY === 0 ? [raws[height / TRANSFER_EVERY - 1]!] : [])
    hashes.push(block.hash)
  }
  const store = unwrap(BlockStore.open(kv, nobleCrypto))
  expect(store.head.header.number).toBe(HEIGHTS)
  for (let number = 1; number <= HEIGHTS; number++) {
    const height = Height(number)
    const count = number % TRANSFER_EVERY === 0 ? 1 : 0
    expect(store.header(height)?.hash).toBe(hashes[number])
    expect(store.heightOf(hashes[number]!)).toBe(height)
    expect([store.body(height)?.length, store.receipts(height)?.length, store.senders(height)?.length]).toEqual([
      count,
      count,
      count,
    ])
    expect(store.certificate(height)).toMatchObject({ height, blockHash: hashes[number] })
    expect(store.certificate(height)?.signatures).toHaveLength(4)
    expect(store.validators(height)?.validators).toHaveLength(4)
    expect(store.certifiedBlock(height)).toBeDefined()
  }
})
