import { MemoryKv } from '@quoin/platform'
import { Hash, Height, nobleCrypto } from '@quoin/protocol'
import { beforeAll, describe, expect, it } from 'vitest'
import { openTestNode, type TestNode, testAccounts, testTransfers, testValidators } from '../../test/chain.ts'
import { flatStateRange, hashKey, indexRange } from '../store/schema.ts'
import { indexFault } from './index-fault.ts'
import { stateFault } from './state-fault.ts'

const crypto = nobleCrypto
const validators = testValidators(crypto, 4)
let node: TestNode

beforeAll(async () => {
  node = await openTestNode({ crypto, validators })
  for (let i = 0; i < 3; i++) await node.produce(await testTransfers(testAccounts[1]!, 2 * i, 2))
})

const copy = (): MemoryKv => (node.kv as MemoryKv).clone()

async function firstOf(kv: MemoryKv, range: { readonly from: Uint8Array; readonly to: Uint8Array }) {
  for await (const entry of kv.scan({ ...range, limit: 1 })) return entry
  throw new Error('no entry')
}

describe('the state', () => {
  const faultOf = async (kv: MemoryKv) => (await stateFault(kv, crypto, node.store.head)).finding

  it('is that of the head, all of it', async () => {
    const { keys, finding } = await stateFault(copy(), crypto, node.store.head)
    expect(finding).toBeUndefined()
    expect(keys).toBeGreaterThan(4)
  })

  it('with a value changed, gone, or one too many is another one', async () => {
    const [key, value] = await firstOf(copy(), flatStateRange)
    const changes = [
      { key, value: value.with(0, value[0]! ^ 1) },
      { key, value: undefined },
      { key: Uint8Array.of(...key, 7), value },
    ]
    for (const change of changes) {
      const kv = copy()
      kv.apply([change])
      expect(await faultOf(kv)).toMatch(/the state has root 0x\w+, but the header of height 3 has/)
    }
  })

  it('has a tree whose root is the head record and the header', async () => {
    const kv = copy()
    const root = await firstOf(kv, { from: Uint8Array.of(0x20, 0x02), to: Uint8Array.of(0x20, 0x03) })
    kv.apply([{ key: root[0], value: undefined }])
    expect(await faultOf(kv)).toContain('the buckets have the root')
    const earlier = await stateFault(copy(), crypto, node.store.header(Height(2))!)
    expect(earlier.finding).toMatch(/the state tree belongs to block 3 .* but the head is block 2/)
  })
})

describe('the indexes', () => {
  it('lead to what they name', async () => {
    expect(await indexFault(copy(), node.store)).toEqual({ entries: 4 + 6, finding: undefined })
  })

  it.each(['heightByHash', 'location'] as const)('have an entry in %s that leads elsewhere', async (space) => {
    const kv = copy()
    const [key, value] = await firstOf(kv, indexRange(space))
    const other = space === 'location' ? value.with(7, value[7] === 1 ? 2 : 1) : value.with(7, value[7] === 0 ? 1 : 0)
    kv.apply([{ key, value: other }])
    const spoilt = await openTestNode({ crypto, validators, kv })
    expect((await indexFault(kv, spoilt.store)).finding).toMatch(/^the index has .*, which is another one$/)
  })

  it('have an entry of a block that there is not', async () => {
    const kv = copy()
    const stranger = Hash(new Uint8Array(32).fill(0xab))
    const value = kv.get(hashKey('heightByHash', node.store.head.hash))!
    kv.apply([{ key: hashKey('heightByHash', stranger), value }])
    const spoilt = await openTestNode({ crypto, validators, kv })
    expect((await indexFault(kv, spoilt.store)).finding).toContain(`the index has block ${stranger} at height 3`)
  })
})
