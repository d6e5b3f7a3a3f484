import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/clock.ts'
import { fastHash, GossipPool, rawOf } from '../../../test/gossip-pool.ts'
import { deferred } from '../../../test/network.ts'
import { Intake } from './intake.ts'
import { GOSSIP_LIMITS } from './limits.ts'

const { turnTransactionsMax, sliceTransactionsMax, verifyingPerPeerMax } = GOSSIP_LIMITS

const rawsFrom = (first: number, count: number, length?: number) =>
  Array.from({ length: count }, (_, i) => rawOf(first + i, length))

/** Resolves when all microtasks have run. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

function setUp() {
  const clock = new ManualClock()
  const mempool = new GossipPool()
  /** Senders in the order in which their transactions reached the pool. */
  const order: number[] = []
  const intake = new Intake({
    mempool: {
      add: (raw, origin) => {
        order.push(raw[1]!)
        return mempool.add(raw, origin)
      },
      verified: (hash) => mempool.verified(hash),
    },
    crypto: fastHash,
    clock,
  })
  const take = (peer: string, raws: readonly Uint8Array[]) => intake.take(peer, raws, () => false)
  return { clock, mempool, intake, take, order }
}

describe('turns', () => {
  it('are one per pause, of a limited number of transactions', async () => {
    const { clock, mempool, take, order } = setUp()
    const taken = take('a', rawsFrom(0, 3 * turnTransactionsMax))
    for (let turns = 1; turns <= 3; turns++) {
      await settled()
      expect(order.length).toBe(turns * turnTransactionsMax)
      clock.advance(0)
    }
    expect((await taken).admissions.length).toBe(3 * turnTransactionsMax)
    expect(mempool.adding).toBe(0)
  })

  it('end with large transactions before they are many', async () => {
    const { take, order } = setUp()
    void take('a', rawsFrom(0, 20, 100_000))
    await settled()
    expect(order.length).toBe(Math.ceil(GOSSIP_LIMITS.turnBytesMax / 100_000))
  })

  it('go from peer to peer by slices', async () => {
    const { clock, take, order } = setUp()
    void take('0', [rawOf(0)])
    for (const peer of [1, 2, 3]) void take(`${peer}`, rawsFrom(peer * 2 ** 24, turnTransactionsMax))
    clock.advance(0)
    const slices = Array.from({ length: turnTransactionsMax / sliceTransactionsMax }, (_, i) => 1 + (i % 3))
    expect(order).toEqual([0, ...slices.flatMap((peer) => Array.from({ length: sliceTransactionsMax }, () => peer))])
  })

  it('give every peer its slices, however much one of them sends', async () => {
    const { clock, take, order } = setUp()
    for (let i = 0; i < 10; i++) void take('greedy', rawsFrom(i * turnTransactionsMax, turnTransactionsMax))
    const modest = take('modest', rawsFrom(2 ** 24, sliceTransactionsMax))
    await settled()
    clock.advance(0)
    expect((await modest).admissions.length).toBe(sliceTransactionsMax)
    expect(order.filter((sender) => sender === 0).length).toBeLessThan(2 * turnTransactionsMax)
  })

  it('pass over a peer of which too much is being verified', async () => {
    const { clock, mempool, take, order } = setUp()
    const verification = deferred<void>()
    mempool.verification = verification.promise
    void take('a', rawsFrom(0, 2 * verifyingPerPeerMax))
    for (let turns = 0; turns < 20; turns++) {
      await settled()
      clock.advance(0)
    }
    expect(order.length).toBe(verifyingPerPeerMax)
    void take('b', rawsFrom(2 ** 24, 5))
    expect(order.length).toBe(verifyingPerPeerMax + 5)
    verification.resolve()
    await settled()
    clock.advance(0)
    expect(order.length).toBeGreaterThan(verifyingPerPeerMax + 5)
  })
})

describe('a payload', () => {
  it('ends at a transaction that it names twice', async () => {
    const { take, order } = setUp()
    const outcome = await take('a', [rawOf(1), rawOf(2), rawOf(1), rawOf(3)])
    expect([outcome.hasTwins, outcome.admissions.length, order.length]).toEqual([true, 2, 2])
  })

  it('says of each transaction whether it had been verified, and whether the peer had sent it', async () => {
    const { clock, intake, take } = setUp()
    await take('a', [rawOf(1)])
    clock.advance(0)
    const second = fastHash.keccak256(rawOf(2))
    const { admissions } = await intake.take('b', [rawOf(1), rawOf(2)], (hash) => hash[0] === second[0])
    expect(admissions.map(({ wasVerified, isRepeat, result }) => [wasVerified, isRepeat, result.ok])).toEqual([
      [true, false, false],
      [false, true, true],
    ])
  })

  it('fails alone when the pool throws', async () => {
    const clock = new ManualClock()
    const mempool = new GossipPool()
    const add = (raw: Uint8Array) => (raw.length === 111 ? Promise.reject(new Error('bug')) : mempool.add(raw, 'gossip'))
    const intake = new Intake({ mempool: { add, verified: (hash) => mempool.verified(hash) }, crypto: fastHash, clock })
    const failed = expect(intake.take('a', rawsFrom(0, verifyingPerPeerMax, 111), () => false)).rejects.toThrow('bug')
    for (let turns = 0; turns < 10; turns++) {
      await settled()
      clock.advance(0)
    }
    await failed
    expect((await intake.take('a', [rawOf(3)], () => false)).admissions.length).toBe(1)
  })

  it('that waits ends as it stands when the node closes', async () => {
    const { intake, take } = setUp()
    const taken = take('a', rawsFrom(0, 2 * turnTransactionsMax))
    await settled()
    intake.close()
    expect((await taken).admissions.length).toBe(turnTransactionsMax)
    expect((await take('a', [rawOf(1)])).admissions.length).toBe(0)
  })
})
