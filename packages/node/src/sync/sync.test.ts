import type { MemoryKv } from '@quoin/platform'
import { certifiedBlockCodec, codec, Hash, Height, idOfName, LIMITS, transactionsRoot, unwrap, ZERO_HASH } from '@quoin/protocol'
import fc from 'fast-check'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openTestNode, type TestNode, testAccounts, testTransfers, testValidators } from '../../test/chain.ts'
import { ManualClock } from '../../test/clock.ts'
import { crypto, fourValidators as validators } from '../../test/fixture.ts'
import { addedValidator, governedGenesis, provenReady } from '../../test/governing.ts'
import { bytes, forged, honest, LIES, type Lie, liarsOf, type Responder, SyncNetwork } from '../../test/sync-network.ts'
import { TransportError } from '../powers.ts'
import { SYNC_LIMITS } from './limits.ts'
import { blocksCodec, SYNC_REQUEST, type SyncRequest, statusCodec, syncRequestCodec } from './messages.ts'
import { createSync } from './sync.ts'
import type { BlockSync } from './types.ts'

/** A chain of `LENGTH` blocks that other nodes want, and copies of its database at each height. */
let source: TestNode
const LENGTH = 12
const databases: MemoryKv[] = []
let liars: Readonly<Record<Lie, Responder>>

beforeAll(async () => {
  source = await openTestNode({ crypto, validators })
  const raws = await testTransfers(testAccounts[1]!, 0, LENGTH)
  liars = liarsOf(source, crypto, validators)
  for (let sent = 0, height = 1; height <= LENGTH; height++) {
    databases.push((source.kv as MemoryKv).clone())
    // Every third block is empty, the others contain one or two transactions.
    const count = height % 3
    await source.produce(raws.slice(sent, sent + count))
    sent += count
  }
})

interface World {
  readonly node: TestNode
  readonly network: SyncNetwork
  readonly clock: ManualClock
  readonly sync: BlockSync
  readonly failures: () => readonly unknown[]
}

const open: BlockSync[] = []
afterEach(async () => {
  for (const sync of open.splice(0)) await sync.close()
})

async function createWorld(node?: TestNode): Promise<World> {
  const mine = node ?? (await openTestNode({ crypto, validators }))
  const [network, clock] = [new SyncNetwork(), new ManualClock()]
  const sync = createSync({
    chain: mine.chain,
    reader: mine.store,
    transport: network,
    mempool: mine.pool,
    crypto,
    clock,
    logger: mine.log,
  })
  open.push(sync)
  return { node: mine, network, clock, sync, failures: () => mine.log.lines.filter(({ level }) => level === 'error') }
}

/** Pulls and commits, as the engine does. */
async function catchUp({ sync, node }: World): Promise<number> {
  let count = 0
  for (
    let next = await sync.next(new AbortController().signal);
    next !== undefined;
    next = await sync.next(new AbortController().signal)
  ) {
    unwrap(await node.chain.validate(next.block))
    await node.chain.commit(next.block, next.certificate)
    count++
  }
  return count
}

describe('next', () => {
  it('brings a new node to the head of its peers, in answers of any length', async () => {
    for (const count of [1, 2, 5, 256]) {
      const world = await createWorld()
      world.network.responders.set('peer', honest(source, count))
      world.sync.hint('peer', Height(LENGTH))
      expect(world.sync.behind).toBe(true)
      expect(await catchUp(world)).toBe(LENGTH)
      expect(world.node.chain.head.hash).toBe(source.chain.head.hash)
      expect(world.network.requests).toHaveLength(Math.ceil(LENGTH / count))
      expect(world.network.penalties).toEqual([])
      expect(world.sync.behind).toBe(false)
      expect(world.failures()).toEqual([])
    }
  })

  it('asks for the next answer while the caller executes what came', async () => {
    const world = await createWorld()
    world.network.responders.set('peer', honest(source, 2))
    world.sync.hint('peer', Height(LENGTH))
    await world.sync.next(new AbortController().signal)
    expect(world.network.requests.map(({ request }) => request.kind === 'blocks' && request.from)).toEqual([1, 3])
  })

  it('has nothing when nobody claims a later block', async () => {
    const { sync, network } = await createWorld()
    network.responders.set('peer', honest(source))
    sync.hint('peer', Height(0))
    expect(sync.behind).toBe(false)
    expect(await sync.next(new AbortController().signal)).toBeUndefined()
    expect(network.requests).toEqual([])
  })

  it.each(LIES)('arrives past a peer that %s, and has it penalised', async (name) => {
    const world = await createWorld()
    world.network.responders.set('liar', liars[name])
    world.sync.hint('liar', Height(1_000_000))
    world.network.responders.set('honest', honest(source))
    world.sync.hint('honest', Height(LENGTH))
    expect(await catchUp(world)).toBe(LENGTH)
    expect(world.network.offenders()).toEqual(['liar'])
    expect(world.sync.claimedBy(1)).toBe(LENGTH)
    expect(world.failures()).toEqual([])
  })

  it.each(LIES)('is not held by a peer alone that %s', async (name) => {
    const world = await createWorld()
    world.network.responders.set('liar', liars[name])
    world.sync.hint('liar', Height(1_000_000))
    const committed = await catchUp(world)
    expect(committed).toBeLessThan(LENGTH)
    expect(world.sync.behind).toBe(false)
    expect(world.network.offenders()).toEqual(['liar'])
    world.sync.hint('liar', Height(2_000_000))
    expect(world.sync.behind).toBe(false)
    const asked = world.network.requests.length
    expect(await world.sync.next(new AbortController().signal)).toBeUndefined()
    expect(world.network.requests).toHaveLength(asked)
  })

  it('arrives whatever lies are mixed with one honest peer, wherever it starts', async () => {
    const lies = fc.uniqueArray(fc.constantFrom(...LIES), { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(
        lies,
        fc.integer({ min: 0, max: LENGTH - 1 }),
        fc.integer({ min: 1, max: 5 }),
        async (names, start, count) => {
          const world = await createWorld(await openTestNode({ crypto, validators, kv: databases[start]!.clone() }))
          for (const name of names) {
            world.network.responders.set(name, liars[name])
            world.sync.hint(name, Height(LENGTH + 5))
          }
          world.network.responders.set('honest', honest(source, count))
          world.sync.hint('honest', Height(LENGTH))
          expect(await catchUp(world)).toBe(LENGTH - start)
          expect(world.node.chain.head.hash).toBe(source.chain.head.hash)
          expect(world.network.offenders()).not.toContain('honest')
        },
      ),
      { numRuns: 25 },
    )
  })

  it('passes over a peer that does not answer in time, or is gone, without penalty', async () => {
    const world = await createWorld()
    world.network.responders.set('silent', () => new Promise(() => {}))
    world.sync.hint('silent', Height(LENGTH))
    const arrived = world.sync.next(new AbortController().signal)
    world.network.responders.set('gone', (request, signal) => {
      if (request.kind === 'status') return honest(source)(request, signal)
      throw new TransportError('disconnected', 'the connection was lost')
    })
    world.sync.hint('gone', Height(LENGTH))
    world.network.responders.set('honest', honest(source))
    world.sync.hint('honest', Height(LENGTH))
    world.clock.advance(SYNC_LIMITS.requestMsMax)
    expect((await arrived)?.block.header.number).toBe(1)
    expect(world.network.penalties).toEqual([])
    const asked = world.network.requests.flatMap(({ peer, request }) => (request.kind === 'blocks' ? [peer] : []))
    expect(asked.slice(0, 3)).toEqual(['silent', 'gone', 'honest'])
  })

  it('uses a liar again when its bench is over and it makes a new claim', async () => {
    const world = await createWorld()
    let truthful = false
    world.network.responders.set('peer', (request, signal) => (truthful ? honest(source)(request, signal) : undefined))
    world.sync.hint('peer', Height(LENGTH))
    expect(await catchUp(world)).toBe(0)
    truthful = true
    world.clock.advance(SYNC_LIMITS.benchMsMin)
    world.sync.hint('peer', Height(LENGTH))
    expect(await catchUp(world)).toBe(LENGTH)
  })

  it('goes on after consensus committed a block that was fetched too', async () => {
    const world = await createWorld()
    world.network.responders.set('peer', honest(source))
    world.sync.hint('peer', Height(LENGTH))
    const first = (await world.sync.next(new AbortController().signal))!
    for (let height = 1; height <= 3; height++) {
      const transactions = unwrap(await world.node.pool.verify(source.store.body(Height(height))!))
      const block = { ...source.store.header(Height(height))!, transactions }
      await world.node.chain.commit(block, source.store.certificate(Height(height))!)
    }
    expect(first.block.header.number).toBe(1)
    expect(await catchUp(world)).toBe(LENGTH - 3)
  })

  it('gives up at once when its signal is aborted, and can be called again', async () => {
    const world = await createWorld()
    let answer: (value: Uint8Array) => void = () => {}
    world.network.responders.set('slow', () => new Promise((resolve) => (answer = resolve)))
    world.sync.hint('slow', Height(LENGTH))
    const controller = new AbortController()
    const waiting = world.sync.next(controller.signal)
    const reason = new Error('the engine stops')
    await Promise.resolve()
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    const again = world.sync.next(new AbortController().signal)
    answer((await honest(source)({ kind: 'blocks', from: Height(1), countMax: 9, bytesMax: 1e6 }, controller.signal))!)
    expect((await again)?.block.header.number).toBe(1)
  })

  it('verifies each height against the validators of that height', async () => {
    const five = testValidators(crypto, 5)
    const added = five.set.withId(idOfName('v5')!)!
    const genesis = governedGenesis(crypto, validators)
    const openGoverned = () => openTestNode({ crypto, validators: five, genesis })
    const [ahead, behind] = [await openGoverned(), await openGoverned()]
    await ahead.produce(await addedValidator(added, idOfName('v1')!))
    await ahead.produce([await provenReady(crypto, ahead.chain.domain, added, five.secretKeys.get(added.address)!, Height(1))])
    for (let height = 3; height <= 4; height++) await ahead.produce()
    const world = await createWorld(behind)
    world.network.responders.set('peer', honest(ahead))
    world.sync.hint('peer', Height(4))
    expect(await catchUp(world)).toBe(4)
    expect(behind.chain.head.certificate?.signatures).toHaveLength(5)
  })

  it('throws on a fork that the validators signed, and on garbage that they signed: no peer is at fault', async () => {
    const other = await openTestNode({ crypto, validators })
    await other.produce(await testTransfers(testAccounts[2]!, 0, 1))
    const fork = await createWorld(other)
    fork.network.responders.set('peer', honest(source))
    fork.sync.hint('peer', Height(LENGTH))
    await expect(fork.sync.next(new AbortController().signal)).rejects.toThrow('the chain has forked')
    expect(fork.network.penalties).toEqual([])
    const world = await createWorld()
    const garbage = bytes(0x7f, ...new Uint8Array(LIMITS.transactionBytesMin))
    const root = Hash(transactionsRoot(crypto, [Hash(crypto.keccak256(garbage))]))
    const sealed = forged(crypto, source, { transactionsRoot: root }, validators)
    world.network.responders.set('peer', async (request, signal) => {
      const answer = unwrap(codec.decode(blocksCodec, (await sealed(request, signal))!))
      return codec.encode(codec.list(certifiedBlockCodec, 1), [{ ...answer[0]!, transactions: [garbage] }])
    })
    world.sync.hint('peer', Height(1))
    await expect(world.sync.next(new AbortController().signal)).rejects.toThrow('type not valid')
  })
})

describe('claims', () => {
  it('calls when a peer is ahead, and not for peers that are level, benched or unsubscribed from', async () => {
    const { sync, network } = await createWorld()
    let calls = 0
    const stop = sync.onBehind(() => calls++)
    sync.hint('peer', Height(0))
    expect(calls).toBe(0)
    sync.hint('peer', Height(1))
    expect(calls).toBe(1)
    expect(await sync.next(new AbortController().signal)).toBeUndefined()
    sync.hint('peer', Height(2))
    expect(calls).toBe(1)
    stop()
    network.responders.set('other', honest(source))
    sync.hint('other', Height(2))
    expect(calls).toBe(1)
  })

  it('asks a peer that comes up how far it is, and everybody now and then', async () => {
    const { sync, network, clock } = await createWorld()
    network.responders.set('peer', honest(source))
    const behind = new Promise<void>((resolve) => sync.onBehind(resolve))
    sync.onPeer('peer', 'up')
    await behind
    expect(sync.claimedBy(1)).toBe(LENGTH)
    sync.onPeer('peer', 'down')
    expect(sync.behind).toBe(false)
    const again = new Promise<void>((resolve) => sync.onBehind(resolve))
    clock.advance(SYNC_LIMITS.statusIntervalMs)
    await again
    expect(network.requests.map(({ request }) => request.kind)).toEqual(['status', 'status'])
  })

  it('tells what several peers claim from what one does, and asks that one all the same', async () => {
    const { sync, network } = await createWorld()
    // The request hangs, so nothing refutes the claim.
    network.responders.set('liar', () => new Promise(() => {}))
    sync.hint('liar', Height(1_000_000))
    expect([sync.behind, sync.claimedBy(1), sync.claimedBy(2)]).toEqual([true, 1_000_000, 0])
    sync.hint('peer', Height(7))
    expect([sync.claimedBy(2), sync.claimedBy(3)]).toEqual([7, 0])
    const closing = new AbortController()
    const next = sync.next(closing.signal)
    expect(network.requests.map(({ peer }) => peer)).toEqual(['liar'])
    closing.abort()
    await expect(next).rejects.toBe(closing.signal.reason)
  })

  it('learns from a question how far the asker is', async () => {
    const { sync } = await createWorld()
    const { genesisHash } = source.chain.domain
    const status = { kind: 'status', genesisHash, height: Height(7), hash: ZERO_HASH } as const
    const answer = await sync.onRequest('peer', codec.encode(syncRequestCodec, status))
    expect(unwrap(codec.decode(statusCodec, answer!)).height).toBe(0)
    expect(sync.claimedBy(1)).toBe(7)
  })

  it('avoids a peer of another chain, as client and as server', async () => {
    const { sync, network } = await createWorld()
    const foreign = { genesisHash: ZERO_HASH, height: Height(7), hash: ZERO_HASH }
    network.responders.set('asked', () => codec.encode(statusCodec, foreign))
    network.responders.set('fellow', honest(source))
    sync.onPeer('asked', 'up')
    const question = codec.encode(syncRequestCodec, { kind: 'status', ...foreign })
    expect(await sync.onRequest('asking', question)).toBeUndefined()
    const behind = new Promise<void>((resolve) => sync.onBehind(resolve))
    sync.onPeer('fellow', 'up')
    await behind
    expect(network.offenders()).toEqual(['asked', 'asking'])
    expect(sync.claimedBy(1)).toBe(LENGTH)
  })
})

describe('onRequest', () => {
  const ask = async (world: World, request: Partial<SyncRequest & { kind: 'blocks' }>) => {
    const question = {
      kind: 'blocks',
      from: Height(1),
      countMax: 256,
      bytesMax: SYNC_LIMITS.answerBytesMax,
      ...request,
    } as SyncRequest
    const answer = await world.sync.onRequest('asker', codec.encode(syncRequestCodec, question))
    return answer === undefined ? undefined : unwrap(codec.decode(blocksCodec, answer)).map(({ header }) => header.number)
  }

  it('answers with the requested blocks that it has, limited by count and bytes, at least one', async () => {
    const world = await createWorld(source)
    expect(await ask(world, { from: Height(3), countMax: 4 })).toEqual([3, 4, 5, 6])
    expect(await ask(world, { from: Height(LENGTH - 1) })).toEqual([LENGTH - 1, LENGTH])
    expect(await ask(world, { from: Height(LENGTH + 1) })).toBeUndefined()
    expect(await ask(world, { from: Height(0) })).toBeUndefined()
    expect(await ask(world, { countMax: 0 })).toBeUndefined()
    expect(await ask(world, { bytesMax: 1 })).toEqual([1])
    const size = source.store.certifiedBlock(Height(1))!.length
    expect(await ask(world, { bytesMax: size })).toEqual([1])
    expect(await ask(world, { bytesMax: size + 1 })).toEqual([1, 2])
  })

  it('refuses and penalises what is not a question, and never throws', async () => {
    const { sync, network } = await createWorld()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async (tail) => {
        for (const message of [tail, bytes(SYNC_REQUEST, ...tail)]) {
          const valid = codec.decode(syncRequestCodec, message).ok
          const before = network.penalties.length
          await sync.onRequest('peer', message)
          if (!valid) expect(network.penalties.slice(before)).toEqual([{ peer: 'peer', offence: 'malformed' }])
        }
      }),
    )
  })
})

describe('close', () => {
  it('aborts running work and waits for it', async () => {
    const world = await createWorld()
    world.network.responders.set('silent', () => new Promise(() => {}))
    world.sync.hint('silent', Height(3))
    const waiting = world.sync.next(new AbortController().signal)
    world.sync.onPeer('silent', 'up')
    await world.sync.close()
    await expect(waiting).rejects.toThrow()
    world.clock.advance(10 * SYNC_LIMITS.statusIntervalMs)
    expect(world.network.requests).toHaveLength(2)
    expect(world.failures()).toEqual([])
  })
})

describe('limits', () => {
  it('let every answer through that a node gives, and every block into an answer', () => {
    expect(SYNC_LIMITS.responseBytesMax).toBeGreaterThan(SYNC_LIMITS.answerBytesMax + certifiedBlockCodec.bytesMax)
    expect(SYNC_LIMITS.requestMsMax).toBeGreaterThan(SYNC_LIMITS.statusIntervalMs)
    expect(SYNC_LIMITS.benchMsMin).toBeLessThan(SYNC_LIMITS.benchMsMax)
  })
})
