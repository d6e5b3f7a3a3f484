import { MemoryKv } from '@quoin/platform'
import {
  type Address,
  certifiedBlockCodec,
  codec,
  compareBytes,
  type Hash,
  type Header,
  Height,
  hexToBytes,
  type TimeMs,
  unwrap,
  ZERO_HASH,
} from '@quoin/protocol'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { appendBlock } from '../../test/blocks.ts'
import { openTestNode, type TestNode, testAccounts, testTransfers } from '../../test/chain.ts'
import { crypto, fourValidators as validators } from '../../test/fixture.ts'
import { BlockStore } from './block-store.ts'
import { DamagedError } from './damage.ts'
import { FORMAT_VERSION, formatCodec, hashKey, heightKey, SPACE, singleKey } from './schema.ts'
import type { BlockRecord } from './types.ts'

const height = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }).map((value) => Height(value))
const heightSpaces = ['header', 'body', 'senders', 'receipts', 'certificate', 'validatorsHash'] as const
const hashSpaces = ['heightByHash', 'location', 'validators'] as const

describe('schema', () => {
  it('orders the keys of a space as the heights', () => {
    fc.assert(
      fc.property(fc.constantFrom(...heightSpaces), height, height, (space, a, b) => {
        expect(Math.sign(compareBytes(heightKey(space, a), heightKey(space, b)))).toBe(Math.sign(a - b))
      }),
    )
  })

  it('gives every record a key of its own, below the spaces of execution', () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}` as Hash)
    const key = fc.oneof(
      fc
        .tuple(fc.constantFrom('format', 'chain', 'head'), fc.constant(''))
        .map(([space]) => [space, singleKey(space as 'head')] as const),
      fc
        .tuple(fc.constantFrom(...heightSpaces), height)
        .map(([space, value]) => [`${space}${value}`, heightKey(space, value)] as const),
      fc
        .tuple(fc.constantFrom(...hashSpaces), hash)
        .map(([space, value]) => [`${space}${value}`, hashKey(space, value)] as const),
    )
    fc.assert(
      fc.property(key, key, ([nameA, a], [nameB, b]) => {
        expect(compareBytes(a, b) === 0).toBe(nameA === nameB)
        expect(a[0]).toBeLessThan(0x10)
      }),
    )
    expect(new Set(Object.values(SPACE)).size).toBe(Object.values(SPACE).length)
  })
})

let node: TestNode
let kv: MemoryKv
beforeEach(async () => {
  kv = new MemoryKv()
  node = await openTestNode({ crypto, validators, kv })
})

const reopened = (from: MemoryKv = kv) => unwrap(BlockStore.open(from, crypto))

describe('BlockStore', () => {
  it('reads the same from memory and, after reopening, from disk', async () => {
    for (let i = 0; i < 3; i++) await node.produce(await testTransfers(testAccounts[1]!, 2 * i, 2))
    const fresh = reopened()
    expect(fresh.head).toEqual(node.store.head)
    for (let i = 0; i <= 4; i++) {
      const at = Height(i)
      for (const read of ['logsBloom', 'header', 'body', 'senders', 'receipts', 'certificate', 'certifiedBlock'] as const) {
        expect(fresh[read](at), `${read} ${i}`).toEqual(node.store[read](at))
        expect(fresh[read](at), `${read} ${i} again`).toEqual(node.store[read](at))
      }
      for (const { hash } of fresh.senders(at) ?? []) expect(fresh.locate(hash)).toEqual(node.store.locate(hash))
    }
    expect(fresh.header(Height(4))).toBeUndefined()
    expect(fresh.validators(Height(5))?.validators).toEqual(validators.set.validators)
    expect(fresh.validators(Height(6))).toBeUndefined()
    expect(fresh.heightOf(ZERO_HASH)).toBeUndefined()
    expect(fresh.locate(ZERO_HASH)).toBeUndefined()
  })

  it('shows the bloom filter of a block from disk, as from its header', async () => {
    const logs = [{ address: `0x${'c0'.repeat(20)}` as Address, topics: [], data: new Uint8Array(0) }]
    const [raw] = await testTransfers(testAccounts[0]!, 0, 1)
    const { header } = await appendBlock(node, crypto, [{ raw: raw!, logs }])
    expect(header.logsBloom.some((byte) => byte !== 0)).toBe(true)
    const fresh = reopened()
    expect(fresh.logsBloom(Height(0))).toEqual(new Uint8Array(256))
    // The head is in memory from the start, the block before it is not.
    await appendBlock({ store: fresh, feed: node.feed }, crypto, [])
    expect(reopened().logsBloom(Height(1))).toEqual(header.logsBloom)
    expect(fresh.logsBloom(Height(3))).toBeUndefined()
  })

  it('gives block sync the bytes of a certified block as stored', async () => {
    const raws = await testTransfers(testAccounts[1]!, 0, 3)
    const { header } = await node.produce(raws)
    const block = unwrap(codec.decode(certifiedBlockCodec, node.store.certifiedBlock(Height(1))!))
    expect(block).toEqual({ header, transactions: raws, certificate: node.store.certificate(Height(1)) })
    expect(node.store.certifiedBlock(Height(0))).toBeUndefined()
    expect(node.store.certifiedBlock(Height(2))).toBeUndefined()
  })

  it('keeps a set of validators once, however many heights it votes at', async () => {
    for (let i = 0; i < 5; i++) await node.produce()
    let sets = 0
    for await (const _ of kv.scan({ from: Uint8Array.of(SPACE.validators), to: Uint8Array.of(SPACE.validators + 1) })) sets++
    expect(sets).toBe(1)
  })

  it('refuses a database of another format, and says what to do', () => {
    kv.apply([{ key: singleKey('format'), value: codec.encode(formatCodec, FORMAT_VERSION + 1) }])
    const opened = BlockStore.open(kv, crypto)
    expect(opened).toMatchObject({ ok: false, error: { code: 'unknown-format' } })
    expect(!opened.ok && opened.error.message).toMatch(
      new RegExp(`format ${FORMAT_VERSION + 1}, but this release reads format ${FORMAT_VERSION}.*--reset`),
    )
  })

  it('appends only the block that follows the head, and genesis only once', async () => {
    const { header, hash } = await node.produce()
    const record = (change: Partial<Header>): BlockRecord => ({
      header: { ...header, ...change },
      hash,
      transactions: [],
      receipts: new Uint8Array(4),
      creations: [],
      certificate: node.store.certificate(Height(1)),
      validators: [],
      ops: [],
    })
    await expect(node.store.append(record({ number: Height(3), parentHash: hash }))).rejects.toThrow('does not follow')
    await expect(node.store.append(record({ number: Height(2), parentHash: ZERO_HASH }))).rejects.toThrow('does not follow')
    await expect(node.store.append(record({}))).rejects.toThrow('does not follow')
    const chain = { genesisDigest: ZERO_HASH, restartEpoch: 0 }
    await expect(node.store.appendGenesis(record({ number: Height(0), timeMs: 0 as TimeMs }), chain)).rejects.toThrow('already')
  })

  it('throws on records that this node cannot have written', async () => {
    const { hash } = await node.produce(await testTransfers(testAccounts[1]!, 0, 1))
    const damage = (key: Uint8Array, value: Uint8Array | undefined) => {
      const copy = kv.clone()
      copy.apply([{ key, value }])
      return copy
    }
    expect(() => reopened(damage(heightKey('header', Height(1)), undefined))).toThrow(
      /damaged: the head is block 1 .*, but its header is missing/,
    )
    expect(() => reopened(damage(heightKey('header', Height(1)), Uint8Array.of(1)))).toThrow(
      /damaged: the header of height 1 does not decode/,
    )
    expect(() => reopened(damage(singleKey('head'), Uint8Array.of(1)))).toThrow(/damaged: the head does not decode/)
    expect(() => reopened(damage(heightKey('body', Height(1)), Uint8Array.of(9))).body(Height(1))).toThrow(
      /the body of height 1 does not decode/,
    )
    const receipts = heightKey('receipts', Height(1))
    for (const cut of [Uint8Array.of(9), kv.get(receipts)!.slice(0, -1)])
      expect(() => reopened(damage(receipts, cut)).singleReceipts(Height(1))).toThrow(/the receipts of height 1 does not decode/)
    const wrong = reopened(damage(receipts, kv.get(receipts)!.with(4, 9))).singleReceipts(Height(1))!
    expect(() => wrong.at(0)).toThrow(/the receipts of height 1 does not decode/)
    expect(() => reopened().singleReceipts(Height(1))!.at(1)).toThrow(/it has 1 receipts, none at 1/)
    expect(reopened().singleReceipts(Height(1))!.at(0)).toEqual({ receipt: node.store.receipts(Height(1))![0], firstLogIndex: 0 })
    expect(() => reopened(damage(hashKey('heightByHash', hash), Uint8Array.of(9))).heightOf(hash)).toThrow(
      /the heightByHash at 0x\w+ does not decode/,
    )
    const setHash = kv.get(heightKey('validatorsHash', Height(1)))!
    const set = damage(Uint8Array.of(SPACE.validators, ...setHash), undefined)
    expect(() => reopened(set).validators(Height(1))).toThrow(/damaged: the validator set 0x\w+ of height 1 is missing/)
  })

  it('knows which records a block must have: a missing one is reported as damage', async () => {
    await node.produce(await testTransfers(testAccounts[1]!, 0, 1))
    const readers = {
      header: (store: BlockStore, height: Height) => store.header(height),
      body: (store: BlockStore, height: Height) => store.body(height),
      senders: (store: BlockStore, height: Height) => store.senders(height),
      receipts: (store: BlockStore, height: Height) => store.receipts(height) ?? store.singleReceipts(height),
      certificate: (store: BlockStore, height: Height) => store.certificate(height),
      validatorsHash: (store: BlockStore, height: Height) => store.validators(height),
    }
    for (const [space, read] of Object.entries(readers) as [keyof typeof readers, (typeof readers)['header']][]) {
      const height = Height(space === 'header' ? 0 : 1)
      const copy = kv.clone()
      copy.apply([{ key: heightKey(space, height), value: undefined }])
      const told: DamagedError[] = []
      const store = unwrap(BlockStore.open(copy, crypto, (damage) => told.push(damage)))
      expect(() => read(store, height)).toThrow(DamagedError)
      expect(told).toMatchObject([{ finding: `the ${space} of height ${height} is missing, the head is 1` }])
      expect(read(store, Height(9))).toBeUndefined()
    }
  })

  it.each(['format', 'chain', 'head'] as const)('finds that %s is missing in a chain that has begun', (space) => {
    kv.apply([{ key: singleKey(space), value: undefined }])
    expect(() => reopened()).toThrow('some of the records format, chain and head are missing')
  })

  it('is empty before genesis, and says so', () => {
    const empty = reopened(new MemoryKv())
    expect(empty.chain).toBeUndefined()
    expect(() => empty.head).toThrow('genesis')
    expect(empty.header(Height(0))).toBeUndefined()
  })
})

describe('a crash', () => {
  it('at any commit leaves the block before or the block, whole, and the chain goes on from there', async () => {
    const snapshots: MemoryKv[] = []
    const write = kv.write.bind(kv)
    kv.write = async (ops) => {
      snapshots.push(kv.clone())
      await write(ops)
      snapshots.push(kv.clone())
    }
    for (let i = 0; i < 3; i++) await node.produce(await testTransfers(testAccounts[1]!, i, 1))
    expect(snapshots).toHaveLength(6)
    for (const [i, disk] of snapshots.entries()) {
      const restarted = await openTestNode({ crypto, validators, kv: disk })
      expect(restarted.chain.head.header.number).toBe(Math.ceil(i / 2))
      const sent = Math.ceil(i / 2)
      await restarted.produce(await testTransfers(testAccounts[1]!, sent, 1))
      expect(restarted.store.senders(Height(sent + 1))).toHaveLength(1)
      expect(hexToBytes(restarted.chain.head.hash)).toHaveLength(32)
    }
  })
})
