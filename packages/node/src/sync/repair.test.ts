import { MemoryKv } from '@quoin/platform'
import { type CertifiedBlock, codec, err, Height, nobleCrypto } from '@quoin/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTestNode, type TestNode, testAccounts, testTransfers, testValidators } from '../../test/chain.ts'
import { ManualClock } from '../../test/clock.ts'
import { honest, type Responder, SyncNetwork } from '../../test/sync-network.ts'
import { blockFault, recentFaults } from '../chain/block-fault.ts'
import { DamagedError } from '../store/damage.ts'
import { hashKey, heightKey } from '../store/schema.ts'
import { blocksCodec } from './messages.ts'
import { BlockRepair, REPAIR_LIMITS, type RepairPowers } from './repair.ts'

const crypto = nobleCrypto
const validators = testValidators(crypto, 4)
const spoilt = Height(2)

let peer: TestNode
let kv: MemoryKv
let network: SyncNetwork
let clock: ManualClock
let failures: unknown[]
let repairs: BlockRepair[]

beforeEach(async () => {
  peer = await openTestNode({ crypto, validators })
  for (let i = 0; i < 4; i++) await peer.produce(await testTransfers(testAccounts[1]!, 2 * i, 2))
  kv = (peer.kv as MemoryKv).clone()
  network = new SyncNetwork()
  clock = new ManualClock()
  failures = []
  repairs = []
})
afterEach(() => Promise.all(repairs.map((repair) => repair.close())))

const check = ({ store, chain }: TestNode) => ({ blocks: store, crypto, domain: chain.domain })
const everything = { content: true, signatures: true }

/** A node with records of a block that are deleted or changed. */
async function damagedNode(...changes: readonly (readonly [key: Uint8Array, value: Uint8Array | undefined])[]) {
  kv.apply(changes.map(([key, value]) => ({ key, value })))
  return openTestNode({ crypto, validators, kv })
}

function repairOf({ store, chain, pool, log }: TestNode, mempool: RepairPowers['mempool'] = pool): BlockRepair {
  const repair = new BlockRepair({
    store,
    validatorsAt: (height) => chain.validatorsAt(height),
    domain: chain.domain,
    transport: network,
    mempool,
    crypto,
    clock,
    logger: log,
    onFailure: (error) => failures.push(error),
  })
  repairs.push(repair)
  return repair
}

/** Lets running work continue, and advances the clock. */
async function settle(repair: BlockRepair, attempts: number): Promise<void> {
  for (let i = 0; i < attempts && repair.repaired === 0 && failures.length === 0; i++) {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve()
    await new Promise(setImmediate)
    clock.advance(REPAIR_LIMITS.attemptMs)
  }
}

describe('the check of recent blocks', () => {
  it('finds nothing in a database that is whole', () => {
    expect(recentFaults(check(peer))).toEqual([])
  })

  const otherOf = (space: 'header' | 'body' | 'senders' | 'receipts' | 'certificate') => kv.get(heightKey(space, Height(3)))!

  it.each(['header', 'body', 'senders', 'certificate'] as const)(
    "finds another block's %s, and that it can be rebuilt",
    async (space) => {
      const node = await damagedNode([heightKey(space, spoilt), otherOf(space)])
      const faults = recentFaults(check(node))
      expect(faults.map(({ height }) => height)).toContain(spoilt)
      expect(faults.find(({ height }) => height === spoilt)).toMatchObject({ rebuilds: true })
    },
  )

  it("finds another block's receipts, which no peer gives", async () => {
    const [transaction] = await testTransfers(testAccounts[2]!, 0, 1)
    await peer.produce([transaction!])
    kv = (peer.kv as MemoryKv).clone()
    const node = await damagedNode([heightKey('receipts', spoilt), kv.get(heightKey('receipts', Height(5)))!])
    expect(recentFaults(check(node))).toMatchObject([{ height: spoilt, rebuilds: false }])
  })

  it.each(['header', 'body', 'senders', 'receipts', 'certificate'] as const)('finds that the %s is gone', async (space) => {
    const node = await damagedNode([heightKey(space, spoilt), undefined])
    const fault = recentFaults(check(node)).find(({ height }) => height === spoilt)
    expect(fault).toMatchObject({ rebuilds: space !== 'receipts', finding: `the ${space} of height 2 is missing, the head is 4` })
  })

  it('finds that an index is gone, or leads elsewhere', async () => {
    const { hash } = peer.store.header(spoilt)!
    const [first] = peer.store.senders(spoilt)!
    for (const key of [hashKey('heightByHash', hash), hashKey('location', first!.hash)]) {
      kv = (peer.kv as MemoryKv).clone()
      const node = await damagedNode([key, undefined])
      expect(blockFault(check(node), spoilt, everything)).toMatchObject({
        rebuilds: true,
        finding: expect.stringContaining('index'),
      })
    }
  })

  it('finds a certificate that was not signed', async () => {
    const certificate = heightKey('certificate', spoilt)
    const bytes = kv.get(certificate)!
    const node = await damagedNode([certificate, bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1)])
    expect(blockFault(check(node), spoilt, { content: true, signatures: false })).toBeUndefined()
    expect(blockFault(check(node), spoilt, everything)).toMatchObject({
      rebuilds: true,
      finding: expect.stringContaining('verify'),
    })
  })
})

describe('the repair of a block', () => {
  const damage = new DamagedError('the test says so')

  async function damagedBody(): Promise<TestNode> {
    const location = hashKey('location', peer.store.senders(spoilt)![0]!.hash)
    return damagedNode(
      [heightKey('body', spoilt), Uint8Array.of(9)],
      [heightKey('certificate', spoilt), undefined],
      [location, undefined],
    )
  }

  it('fetches it from a peer, and then every record of it is as it was', async () => {
    const node = await damagedBody()
    network.responders.set('peer', honest(peer))
    const repair = repairOf(node)
    repair.request(spoilt, damage)
    repair.request(spoilt, damage)
    await settle(repair, 5)
    expect(repair.repaired).toBe(1)
    expect(blockFault(check(node), spoilt, everything)).toBeUndefined()
    expect(node.store.certifiedBlock(spoilt)).toEqual(peer.store.certifiedBlock(spoilt))
    expect(network.requests).toHaveLength(1)
  })

  it('trusts no peer: another block, a forged certificate and a changed body are refused', async () => {
    const node = await damagedBody()
    const answer =
      (block: CertifiedBlock): Responder =>
      () =>
        codec.encode(blocksCodec, [block])
    const blockAt = (height: number): CertifiedBlock => {
      const { store } = peer
      const at = Height(height)
      return { header: store.header(at)!.header, transactions: store.body(at)!, certificate: store.certificate(at)! }
    }
    const whole = blockAt(2)
    const signatures = whole.certificate.signatures.slice(0, 2)
    network.responders.set('a', answer(blockAt(3)))
    network.responders.set('b', answer({ ...whole, certificate: { ...whole.certificate, signatures } }))
    network.responders.set('c', answer({ ...whole, transactions: blockAt(3).transactions }))
    network.responders.set('d', () => Uint8Array.of(1, 2, 3))
    network.responders.set('e', () => undefined)
    network.responders.set('f', honest(peer))
    const repair = repairOf(node)
    repair.request(spoilt, damage)
    await settle(repair, 10)
    expect(repair.repaired).toBe(1)
    expect(network.offenders()).toEqual(['a', 'b', 'c', 'd'])
    expect(blockFault(check(node), spoilt, everything)).toBeUndefined()
  })

  it('waits if the senders of its transactions cannot be recovered now, and penalises nobody', async () => {
    const node = await damagedBody()
    network.responders.set('peer', honest(peer))
    let refusals = 2
    const repair = repairOf(node, {
      verify: (raws) =>
        refusals-- > 0 ? Promise.resolve(err({ code: 'unavailable', message: 'the workers die' })) : node.pool.verify(raws),
    })
    repair.request(spoilt, damage)
    await settle(repair, 5)
    expect(failures).toEqual([])
    expect([repair.repaired, network.requests.length, network.penalties.length]).toEqual([1, 3, 0])
    expect(blockFault(check(node), spoilt, everything)).toBeUndefined()
  })

  it('fails with the damage if no peer has the block', async () => {
    const repair = repairOf(await damagedBody())
    repair.request(spoilt, damage)
    await settle(repair, REPAIR_LIMITS.attemptsMax + 1)
    expect(failures).toEqual([damage])
  })

  it('fails at once if too many blocks are damaged', async () => {
    const repair = repairOf(await damagedBody())
    for (let height = 1; height <= REPAIR_LIMITS.blocksMax; height++) repair.request(Height(height), damage)
    expect(failures).toEqual([])
    repair.request(Height(1_000), damage)
    expect(failures).toEqual([damage])
  })
})
