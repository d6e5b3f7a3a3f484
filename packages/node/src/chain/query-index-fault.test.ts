import { MemoryKv } from '@quoin/platform'
import { nobleCrypto as crypto, Hash, Height } from '@quoin/protocol'
import { beforeAll, describe, expect, it } from 'vitest'
import { appendBlock } from '../../test/blocks.ts'
import { openTestNode, type TestNode, testAccounts, testTransfers, testValidators } from '../../test/chain.ts'
import { indexRange } from '../store/schema.ts'
import { queryIndexFault } from './query-index-fault.ts'

let node: TestNode

beforeAll(async () => {
  node = await openTestNode({ crypto, validators: testValidators(crypto, 4) })
  const raws = await testTransfers(testAccounts[0]!, 0, 4)
  await node.produce(raws.slice(0, 2))
  const topics = [Hash(new Uint8Array(32).fill(1)), Hash(new Uint8Array(32).fill(2))]
  const contract = testAccounts[3]!.address.toLowerCase() as never
  const logs = [{ address: contract, topics, data: new Uint8Array(3) }]
  await appendBlock(node, crypto, [
    { raw: raws[2]!, logs },
    { raw: raws[3]!, contractAddress: contract },
  ])
})

const SPACES = ['logIndex', 'accountIndex', 'creation'] as const

const faultOf = (kv: MemoryKv) => queryIndexFault({ kv, blocks: node.store, crypto, chainId: 31_337 })

async function spoilt(space: (typeof SPACES)[number], change: (key: Uint8Array, value: Uint8Array) => object): Promise<MemoryKv> {
  const kv = (node.kv as MemoryKv).clone()
  for await (const [key, value] of kv.scan({ ...indexRange(space), limit: 1 })) kv.apply([change(key, value) as never])
  return kv
}

describe('the indexes of logs, accounts and contracts', () => {
  it('follow from the blocks', async () => {
    // Three terms; an account that sends to itself in two blocks, and the created contract twice.
    expect(await faultOf(node.kv as MemoryKv)).toEqual({ entries: 3 + 2 + 1 + 1, finding: undefined })
    expect(node.store.head.header.number).toBe(Height(2))
  })

  it.each(SPACES)('have no record of %s too few', async (space) => {
    const kv = await spoilt(space, (key) => ({ key, value: undefined }))
    expect((await faultOf(kv)).finding).toMatch(/does not follow from block [12]|no creation of contract/)
  })

  it.each(SPACES)('have no record of %s that is another one', async (space) => {
    const kv = await spoilt(space, (key, value) => ({ key, value: value.with(1, value[1]! ^ 2) }))
    expect((await faultOf(kv)).finding).toBeDefined()
  })

  it.each(SPACES)('have no record of %s too many', async (space) => {
    const kv = await spoilt(space, (key, value) => ({ key: key.with(2, key[2]! ^ 1), value }))
    expect((await faultOf(kv)).finding).toBeDefined()
  })
})
