import { MemoryKv } from '@quoin/platform'
import { Height, nobleCrypto, unwrap } from '@quoin/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  LogRecorder,
  openTestExecutor,
  openTestNode,
  type TestNode,
  testAccounts,
  testGenesis,
  testTransfers,
  testValidators,
} from '../test/chain.ts'
import { ManualClock } from '../test/clock.ts'
import { crc32cTable } from '../test/crc32c.ts'
import { honest, SyncNetwork } from '../test/sync-network.ts'
import { createInlineRecovery } from './crypto/recovery.ts'
import { createNode, type Node } from './node.ts'
import { DamagedError, DamageReports } from './store/damage.ts'
import { MemoryLog } from './store/memory-log.ts'
import { heightKey } from './store/schema.ts'

const crypto = nobleCrypto
const validators = testValidators(crypto, 4)
const genesis = testGenesis(crypto, validators.set)

let peer: TestNode
let kv: MemoryKv
let network: SyncNetwork
let damage: DamageReports
let halts: unknown[]
let node: Node

beforeEach(async () => {
  peer = await openTestNode({ crypto, validators })
  for (let i = 0; i < 3; i++) await peer.produce(await testTransfers(testAccounts[1]!, i, 1))
  kv = (peer.kv as MemoryKv).clone()
  network = new SyncNetwork()
  network.responders.set('peer', honest(peer))
  damage = new DamageReports()
  halts = []
})
afterEach(() => node.stop())

/** A follower of the chain on `kv`. */
async function open(): Promise<Node> {
  const transport = {
    self: 'self',
    peers: network.peers,
    request: network.request,
    penalise: network.penalise,
    penaliseGossip: () => {},
    send: () => {},
    publish: () => {},
    listen: () => {},
    admit: () => {},
    start: async () => {},
    stop: async () => {},
  }
  const created = await createNode({
    powers: {
      crypto,
      crc32c: crc32cTable,
      clock: new ManualClock(),
      random: { bytes: (length) => new Uint8Array(length).fill(1) },
      kv,
      files: { wal: new MemoryLog(), signState: new MemoryLog() },
      transport,
      executor: await openTestExecutor(crypto, kv),
      recovery: createInlineRecovery(crypto),
      damage,
    },
    genesis,
    signer: undefined,
    logger: new LogRecorder(),
    onHalt: (error) => halts.push(error),
  })
  node = unwrap(created)
  return node
}

async function settle(until: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100 && !until(); turn++) await new Promise(setImmediate)
}

describe('a node to which damage is reported', () => {
  it('halts once if no peer can repair it', async () => {
    await open()
    const found = new DamagedError('the state', Uint8Array.of(0x10, 1, 2))
    damage.report(found)
    damage.report(new DamagedError('LevelDB'))
    expect(halts).toEqual([found])
  })

  it('gets reports that were made before it existed', async () => {
    const found = new DamagedError('the state')
    damage.report(found)
    await open()
    expect(halts).toEqual([found])
  })

  it('fetches a block from peers, and continues', async () => {
    await open()
    kv.apply([{ key: heightKey('body', Height(2)), value: undefined }])
    expect(() => node.blocks.body(Height(2))).toThrow(DamagedError)
    await settle(() => node.counters['repairedBlocks'] === 1)
    expect(node.blocks.body(Height(2))).toEqual(peer.store.body(Height(2)))
    expect(halts).toEqual([])
  })

  it('halts at a record of a height that it has not reached: its key is damaged', async () => {
    await open()
    damage.report(new DamagedError('a body', heightKey('body', Height(77))))
    expect(halts).toHaveLength(1)
    expect(network.requests).toEqual([])
  })
})

describe('a node that starts on a damaged database', () => {
  it('repairs blocks that peers have', async () => {
    kv.apply([{ key: heightKey('certificate', Height(1)), value: undefined }])
    await (await open()).start()
    await settle(() => node.counters['repairedBlocks'] === 1)
    expect(node.blocks.certificate(Height(1))).toEqual(peer.store.certificate(Height(1)))
    expect(halts).toEqual([])
  })

  it('does not start if peers cannot repair it', async () => {
    kv.apply([{ key: heightKey('receipts', Height(1)), value: undefined }])
    await expect((await open()).start()).rejects.toThrow('the receipts of height 1 is missing')
  })
})
