import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../../test/clock.ts'
import { fastHash, GossipPool, rawOf, transactionOf } from '../../../test/gossip-pool.ts'
import { deferred } from '../../../test/network.ts'
import type { PeerId } from '../../powers.ts'
import { GOSSIP_LIMITS } from './limits.ts'
import { decodeTransactionsPayload, encodeTransactionsPayload } from './payload.ts'
import { TransactionGossip } from './transaction-gossip.ts'

const REFUSED = 3
const FORGED = 4

/** Resolves when all microtasks have run. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

/** The gossip parts of a node. */
class Station {
  readonly clock: ManualClock
  readonly pool = new GossipPool()
  readonly published: { readonly to: 'all' | 'mesh'; readonly payload: Uint8Array }[] = []
  readonly blamed: PeerId[] = []
  readonly gossip: TransactionGossip

  constructor(clock = new ManualClock()) {
    this.clock = clock
    this.pool.refusals.set(REFUSED, 'nonce-too-low').set(FORGED, 'bad-signature')
    this.gossip = new TransactionGossip({
      mempool: this.pool,
      crypto: fastHash,
      random: { bytes: (length) => new Uint8Array(length).fill(5) },
      clock,
      transport: {
        publish: (payload, to) => this.published.push({ to, payload }),
        penaliseGossip: (peer, offence) => {
          expect(offence).toBe('flood')
          this.blamed.push(peer)
        },
      },
    })
  }

  /** Its verdict on a payload that is decided at once. */
  async verdict(from: PeerId, raws: readonly Uint8Array[]): Promise<'accept' | 'ignore' | 'reject'> {
    const verdict = this.gossip.onPayload(from, encodeTransactionsPayload(raws))
    for (let turns = 0; turns < 40; turns++) {
      await settled()
      this.clock.advance(0)
    }
    return verdict
  }

  /** The transactions that it published to one kind of receivers, by payload. */
  publishedTo(to: 'all' | 'mesh'): readonly (readonly Uint8Array[])[] {
    return this.published.flatMap((publication) => {
      const raws = decodeTransactionsPayload(publication.payload)
      return publication.to === to && raws.ok ? [raws.value] : []
    })
  }
}

const rawsFrom = (first: number, count: number, length?: number, kind?: number) =>
  Array.from({ length: count }, (_, i) => rawOf(first + i, length, kind))

/** Yields the same items in another order each time. */
function* orders<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; ; i++) {
    const at = i % items.length
    yield [...items.slice(at), ...items.slice(0, at)]
  }
}

describe('what a client sent', () => {
  it('goes to all peers, and what came by gossip is left to the mesh', async () => {
    const station = new Station()
    await station.pool.add(rawOf(1), 'rpc')
    await station.pool.add(rawOf(2), 'gossip')
    await station.pool.add(rawOf(3), 'restored')
    station.clock.advance(GOSSIP_LIMITS.coalesceMs)
    expect([station.publishedTo('all'), station.publishedTo('mesh')]).toEqual([[[rawOf(1)], [rawOf(3)]], []])
    station.gossip.close()
    await station.pool.add(rawOf(4), 'rpc')
    expect(station.published).toHaveLength(2)
    expect(station.gossip.counters).toMatchObject({ payloads: 2, transactions: 2 })
  })
})

describe('what the pool dropped and takes again', () => {
  const drop = ({ pool }: Station, raw: Uint8Array) => pool.pooled.delete(transactionOf(raw).hash)

  it('is not published again before others have forgotten that it was', async () => {
    const station = new Station()
    const times: number[] = []
    for (let second = 0; second < 300; second++) {
      const { length } = station.published
      await station.pool.add(rawOf(1), 'rpc')
      if (station.published.length > length) times.push(second)
      drop(station, rawOf(1))
      station.clock.advance(1_000)
    }
    const gaps = times.slice(1).map((second, i) => 1_000 * (second - times[i]!))
    expect(gaps.length).toBeGreaterThan(1)
    expect(Math.min(...gaps)).toBeGreaterThan(2 * GOSSIP_LIMITS.sentMs)
    expect(station.gossip.counters.again).toBe(300 - times.length)
  })

  it('is passed on once, with the payload or in a batch', async () => {
    const station = new Station()
    expect(await station.verdict('a', [rawOf(1), rawOf(2)])).toBe('accept')
    for (const index of [1, 2]) drop(station, rawOf(index))
    expect(await station.verdict('b', [rawOf(2), rawOf(3)])).toBe('ignore')
    expect(station.publishedTo('mesh')).toEqual([[rawOf(3)]])
    for (const index of [1, 2, 3]) drop(station, rawOf(index))
    for (const index of [1, 2, 3]) expect(await station.verdict('c', [rawOf(index)])).toBe('ignore')
    expect(station.published).toHaveLength(1)
  })
})

describe('a payload', () => {
  it('is passed on by the mesh when the pool admitted all of it', async () => {
    const station = new Station()
    expect(await station.verdict('a', [rawOf(1), rawOf(2)])).toBe('accept')
    expect(station.published).toEqual([])
  })

  it('with something known in it goes no further; what was new goes on in batches of this node', async () => {
    const station = new Station()
    await station.verdict('a', [rawOf(1)])
    expect(await station.verdict('b', [rawOf(1), rawOf(2)])).toBe('ignore')
    expect(await station.verdict('c', [rawOf(2), rawOf(1)])).toBe('ignore')
    expect([station.publishedTo('mesh'), station.publishedTo('all')]).toEqual([[[rawOf(2)]], []])
  })

  it('with something refused in it goes no further either', async () => {
    const station = new Station()
    expect(await station.verdict('a', [rawOf(1), rawOf(2, 110, REFUSED)])).toBe('ignore')
    expect(station.publishedTo('mesh')).toEqual([[rawOf(1)]])
    expect(await station.verdict('a', [rawOf(3, 110, REFUSED)])).toBe('ignore')
  })

  it('costs the peer its score when it holds what no honest pool admits, nothing, garbage, or one transaction twice', async () => {
    const station = new Station()
    expect(await station.verdict('a', [rawOf(1), rawOf(2, 110, FORGED)])).toBe('reject')
    expect(await station.verdict('a', [])).toBe('reject')
    expect(await station.gossip.onPayload('a', Uint8Array.of(1, 2, 3))).toBe('reject')
    expect(await station.verdict('a', [rawOf(3), rawOf(4), rawOf(3)])).toBe('reject')
    // Their valid transactions are not lost.
    station.clock.advance(GOSSIP_LIMITS.coalesceMs)
    expect(station.publishedTo('mesh').flat()).toEqual([rawOf(1), rawOf(3), rawOf(4)])
  })

  it('is accepted once when its transactions come in 64 orders at once', async () => {
    const station = new Station()
    const verification = deferred<void>()
    station.pool.verification = verification.promise
    const payloads = orders(rawsFrom(0, 200))
    const verdicts = Array.from({ length: 64 }, () =>
      station.gossip.onPayload('a', encodeTransactionsPayload(payloads.next().value)),
    )
    await settled()
    verification.resolve()
    for (let turns = 0; turns < 100; turns++) {
      await settled()
      station.clock.advance(0)
    }
    const accepted = (await Promise.all(verdicts)).filter((verdict) => verdict === 'accept')
    expect([accepted.length, station.pool.verifications]).toEqual([1, 200])
    station.clock.advance(GOSSIP_LIMITS.coalesceMs)
    expect(station.publishedTo('mesh')).toEqual([])
  })
})

describe('a peer', () => {
  it('that repeats transactions is penalised until it is banned', async () => {
    const station = new Station()
    const payloads = orders(rawsFrom(0, 200))
    let sent = 0
    for (; station.blamed.length < 20; sent++) await station.verdict('a', payloads.next().value)
    const bytes = sent * 200 * (110 + GOSSIP_LIMITS.repeatOverheadBytes)
    expect(bytes).toBeLessThan(GOSSIP_LIMITS.repeatBurstBytes + 22 * GOSSIP_LIMITS.repeatStepBytes)
    expect(station.gossip.counters.repeats).toBeGreaterThan(0.98 * (sent - 1) * 200)
    expect(station.published).toEqual([])
  })

  it('may repeat what little a lossy pool makes it repeat', async () => {
    const station = new Station()
    const raws = rawsFrom(0, 200)
    for (let second = 0; second < 200; second++) {
      await station.verdict('a', raws)
      station.clock.advance(1_000)
    }
    expect(station.blamed).toEqual([])
  })

  it('may send again after a reconnect what it sent before, and gets no new allowance', async () => {
    const station = new Station()
    const raws = rawsFrom(0, 2_000)
    station.gossip.onPeer('a', 'up')
    for (const _ of [1, 2]) await station.verdict('a', [rawOf(2 ** 24)])
    for (let visits = 0; visits < 20; visits++) {
      station.gossip.onPeer('a', 'up')
      await station.verdict('a', raws)
      station.gossip.onPeer('a', 'down')
    }
    expect([station.gossip.counters.repeats, station.blamed]).toEqual([1, []])
    station.gossip.onPeer('a', 'up')
    for (let times = 0; times < 6; times++) await station.verdict('a', raws)
    const overdrawn = station.blamed.length
    expect(overdrawn).toBeGreaterThan(0)
    station.gossip.onPeer('a', 'down')
    station.gossip.onPeer('a', 'up')
    for (let times = 0; times < 2; times++) await station.verdict('a', raws)
    expect(station.blamed.length).toBeGreaterThan(overdrawn + 4)
  })

  it('is answered late while it has exceeded its allowance for refused transactions, and others are not', async () => {
    const station = new Station()
    const { clock, gossip, pool } = station
    const { wasteBurstBytes, wasteBytesPerSecond, wasteOverheadBytes } = GOSSIP_LIMITS
    const cost = 200 * (110 + wasteOverheadBytes)
    let answered = 0
    // As in the network: a limited number of unanswered payloads.
    const lane = async (first: number) => {
      for (let i = 0; i < 1_000; i++) {
        await gossip.onPayload('a', encodeTransactionsPayload(rawsFrom(first + 200 * i, 200, 110, REFUSED)))
        answered++
      }
    }
    for (let i = 0; i < 4; i++) void lane(i * 2 ** 24)
    const startMs = clock.monotonic()
    for (let steps = 0; steps < 3_000; steps++) {
      await settled()
      clock.advance(5)
    }
    const seconds = (clock.monotonic() - startMs) / 1_000
    const paid = wasteBurstBytes + seconds * wasteBytesPerSecond
    expect(answered).toBeGreaterThan(0.8 * (paid / cost))
    expect(pool.verifications).toBeLessThan((paid + 5 * cost) / (110 + wasteOverheadBytes))
    expect(await station.verdict('b', [rawOf(2 ** 29, 110, REFUSED)])).toBe('ignore')
    expect(station.blamed).toEqual([])
  })

  it('that owes a lot has nothing verified, on a new connection neither', async () => {
    const station = new Station()
    const { clock, gossip, pool } = station
    const { wasteBytesPerSecond, wasteBurstBytes, wasteOverheadBytes } = GOSSIP_LIMITS
    const wave = async (first: number) => {
      for (let i = 0; i < 60; i++)
        void gossip.onPayload('a', encodeTransactionsPayload(rawsFrom(first + 200 * i, 200, 110, REFUSED)))
      for (let turns = 0; turns < 100; turns++) {
        await settled()
        clock.advance(0)
      }
    }
    await wave(0)
    expect(pool.verifications).toBe(12_000)
    const owed = 12_000 * (110 + wasteOverheadBytes) - wasteBurstBytes
    gossip.onPeer('a', 'down')
    gossip.onPeer('a', 'up')
    await wave(2 ** 24)
    expect(pool.verifications).toBe(12_000)
    clock.advance((1_000 * (owed - wasteBurstBytes)) / wasteBytesPerSecond + 1)
    await wave(2 ** 25)
    expect(pool.verifications).toBeGreaterThan(12_000)
  })

  it('is answered late, too, when it sends more of what others have sent than a node can look up', async () => {
    const station = new Station()
    const { clock, gossip, pool } = station
    const { wasteBurstBytes, wasteBytesPerSecond, knownBytes } = GOSSIP_LIMITS
    const free = wasteBurstBytes / knownBytes
    for (let i = 0; i < free + 4_000; i++) await pool.add(rawOf(i), 'gossip')
    let answered = 0
    const lane = async () => {
      for (let i = 0; i < free + 4_000; i += 2_000) {
        await gossip.onPayload('a', encodeTransactionsPayload(rawsFrom(i, 2_000)))
        answered += 2_000
      }
    }
    const sent = lane()
    for (let turns = 0; turns < 600; turns++) {
      await settled()
      clock.advance(0)
    }
    expect(answered).toBeLessThanOrEqual(free)
    for (let seconds = 0; seconds < 2; seconds++) {
      clock.advance((1_000 * 4_000 * knownBytes) / wasteBytesPerSecond)
      for (let turns = 0; turns < 40; turns++) {
        await settled()
        clock.advance(0)
      }
    }
    await sent
    expect([station.blamed, gossip.counters.waste]).toEqual([[], 0])
  })

  it('that sends late what a block already contains is neither penalised nor delayed', async () => {
    const station = new Station()
    const raws = rawsFrom(0, 200, 110, REFUSED)
    // The block's body was verified here.
    for (const raw of raws) await station.pool.add(raw, 'gossip')
    for (const peer of ['a', 'b', 'c']) expect(await station.verdict(peer, raws)).toBe('ignore')
    expect([station.gossip.counters.waste, station.gossip.counters.repeats, station.blamed]).toEqual([0, 0, []])
  })
})

/** Honest nodes, fully connected, that forward what they admit as gossipsub does. */
class Mesh {
  readonly clock = new ManualClock()
  readonly stations: readonly Station[]
  readonly #seen: readonly Set<string>[]
  readonly #under = new Set<Promise<void>>()

  constructor(count: number) {
    this.stations = Array.from({ length: count }, () => new Station(this.clock))
    this.#seen = this.stations.map(() => new Set())
  }

  /** An outsider sends a payload to one of the nodes. */
  give(to: number, raws: readonly Uint8Array[], from = 'attacker'): void {
    this.#carry(from, to, encodeTransactionsPayload(raws))
  }

  /** Resolves when nothing is in flight any more. */
  async rest(): Promise<void> {
    for (let quiet = 0; quiet < 20; quiet++) {
      await settled()
      this.clock.advance(5)
      for (const [from, { published }] of this.stations.entries())
        for (const { payload } of published.splice(0)) {
          quiet = 0
          this.#spread(from, payload)
        }
      if (this.#under.size > 0) quiet = 0
    }
  }

  get blamed(): readonly PeerId[] {
    return this.stations.flatMap(({ blamed }) => blamed)
  }

  #spread(from: number, payload: Uint8Array): void {
    for (const to of this.stations.keys()) if (to !== from) this.#carry(`${from}`, to, payload)
  }

  #carry(from: PeerId, to: number, payload: Uint8Array): void {
    const id = Buffer.from(fastHash.keccak256(payload)).toString('hex')
    if (this.#seen[to]!.has(id)) return
    this.#seen[to]!.add(id)
    const work: Promise<void> = this.stations[to]!.gossip.onPayload(from, payload).then((verdict) => {
      this.#under.delete(work)
      if (verdict === 'accept') this.#spread(to, payload)
    })
    this.#under.add(work)
  }
}

describe('honest nodes never penalise each other', () => {
  it('when an attacker gives each of them another order of fresh transactions', async () => {
    const mesh = new Mesh(4)
    for (let round = 0; round < 8; round++) {
      const given = orders(rawsFrom(1_000 * round, 1_000))
      for (const to of mesh.stations.keys()) mesh.give(to, given.next().value)
      await mesh.rest()
    }
    expect(mesh.blamed).toEqual([])
    for (const { pool, gossip } of mesh.stations)
      expect([pool.pooled.size, gossip.counters.repeats, gossip.counters.waste]).toEqual([8_000, 0, 0])
  })

  it('when a client sends everything to all of them', async () => {
    const mesh = new Mesh(4)
    for (let second = 0; second < 3; second++) {
      for (let i = 0; i < 1_000; i++) {
        const raw = rawOf(1_000 * second + i)
        await Promise.all(mesh.stations.map(({ pool }) => pool.add(raw, 'rpc')))
        if (i % 40 === 0) mesh.clock.advance(40)
      }
      await mesh.rest()
    }
    for (const { gossip } of mesh.stations) expect(gossip.counters).toMatchObject({ repeats: 0, waste: 0 })
    expect(mesh.blamed).toEqual([])
  })

  it('when one starts with an empty pool and an attacker fills it with what all others know', async () => {
    const mesh = new Mesh(4)
    const raws = rawsFrom(0, 20_000)
    for (const { pool } of mesh.stations.slice(1)) for (const raw of raws) await pool.add(raw, 'gossip')
    for (let from = 0; from < raws.length; from += 1_000) mesh.give(0, raws.slice(from, from + 1_000))
    await mesh.rest()
    expect(mesh.stations[0]!.pool.pooled.size).toBe(20_000)
    expect(mesh.blamed).toEqual([])
  })

  it('when clients make every node take two transactions of one nonce by turns', async () => {
    const mesh = new Mesh(4)
    const pairs = Array.from({ length: 60 }, (_, i) => [rawOf(2 * i, 60_000), rawOf(2 * i + 1, 60_000)] as const)
    for (const { pool } of mesh.stations)
      for (const [a, b] of pairs.map((pair) => pair.map((raw) => transactionOf(raw).hash))) pool.rivals.set(a!, b!).set(b!, a!)
    // One client per node, each with another phase, with four keys at a time.
    for (let turn = 0; turn < 150; turn++) {
      for (const [at, { pool }] of mesh.stations.entries())
        for (let k = 0; k < 4; k++) {
          const pair = pairs[(turn * 4 + 17 * at + k) % pairs.length]!
          // Always the transaction that this node does not hold.
          await pool.add(pair.find((raw) => !pool.pooled.has(transactionOf(raw).hash))!, 'rpc')
        }
      await mesh.rest()
    }
    expect(mesh.stations.map(({ gossip }) => gossip.counters.repeats)).toEqual([0, 0, 0, 0])
    expect(mesh.blamed).toEqual([])
    expect(Math.min(...mesh.stations.map(({ gossip }) => gossip.counters.again))).toBeGreaterThan(100)
  })

  it('and lose no transaction, whatever known ones it comes with', async () => {
    const mesh = new Mesh(4)
    mesh.give(0, rawsFrom(0, 10))
    await mesh.rest()
    for (let i = 0; i < 50; i++) mesh.give(i % 4, [rawOf(i % 10), rawOf(100 + i)])
    await mesh.rest()
    for (const { pool } of mesh.stations) expect(pool.pooled.size).toBe(60)
  })
})
