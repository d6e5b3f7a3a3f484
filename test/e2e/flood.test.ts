import { randomBytes } from 'node:crypto'
import { type Hash, hexToBytes } from '@quoin/protocol'
import type { Hex } from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeTransactionsPayload } from '../../packages/node/src/mempool/gossip/payload.ts'
import { type Flood, Flooder } from './flooder.ts'
import { account, developmentValidator, FAST, Network } from './harness.ts'
import type { Hears } from './listed-node.ts'
import { Load } from './load.ts'
import { until } from './watch.ts'

/** Least volume of a flood, to all its victims together, unless they have disconnected it before. */
const BYTES_MIN = 20_000_000
const ANSWERS_MIN = 50
/** More than a block of this chain can have. */
const TRANSACTIONS_TOO_MANY = 20_000

/** Bytes per turn of 10 ms, to each victim: a rate that once stopped a chain, and ten times as much. */
const STEADY = 30 * 1024
const HEAVY = 10 * STEADY

const kinds: readonly (readonly [name: string, turnBytes: number, flood: Flood])[] = [
  ['the largest proposals of this height and the next ones, slowly', STEADY, (flooder) => flooder.proposals()],
  ['the largest proposals of this height and the next ones', HEAVY, (flooder) => flooder.proposals()],
  ['votes of all rounds, slowly', STEADY, (flooder) => flooder.votes()],
  ['votes of all rounds', HEAVY, (flooder) => flooder.votes()],
  ['proposals that are too large', HEAVY, (flooder) => flooder.proposals(TRANSACTIONS_TOO_MANY)],
  ['garbage', HEAVY, () => Array.from({ length: 8 }, () => randomBytes(500_000))],
]

/** Transactions that all pools know, and the size of one that causes a lot of gossip. */
const KNOWN = 200
const LARGE_BYTES = 100_000
/** More than can be queued for one peer, whatever the limits. */
const LARGE_COUNT = 200

/** Signed transfers of an account from a nonce on, with data. */
const signed = (index: number, firstNonce: number, count: number, dataBytes = 0): Promise<readonly Hex[]> =>
  Promise.all(
    Array.from({ length: count }, (_, i) =>
      account(index).signTransaction({
        ...{ chainId: foundry.id, nonce: firstNonce + i, to: account(9).address, value: 1n, maxFeePerGas: 0n },
        ...{ gas: 21_000n + 16n * BigInt(dataBytes), maxPriorityFeePerGas: 0n, data: `0x${'00'.repeat(dataBytes)}` },
      }),
    ),
  )

/** The same items in a new order each time. */
const shuffled = <T>(items: readonly T[]): readonly T[] =>
  items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)

// Three of four validators run and all of them must vote: the flooder has the fourth's keys.
describe('three validators go on while the fourth sends without end', () => {
  const flooders = new Map<string, Flooder>()
  let network: Network
  let load: Load
  beforeAll(async () => {
    for (const [name] of [...kinds, ['questions'], ['orders'], ['deaf']] as const)
      flooders.set(name, await Flooder.create(name, developmentValidator(3)))
    const nodes = [...flooders.values()].map(({ node }) => node)
    network = await Network.create({ parameters: { ...FAST, timeoutProposeMs: 500, timeoutDeltaMs: 300 }, nodes })
    await network.startAll(network.validators.slice(0, 3))
    load = new Load(network, [0, 1])
  })
  afterAll(async () => {
    await load?.stop()
    await network?.close()
  })

  async function whileFlooded(
    name: string,
    begin: (flooder: Flooder) => void | Promise<void>,
    isEnough: (flooder: Flooder) => boolean | Promise<boolean>,
    hears: Partial<Hears> = {},
  ): Promise<void> {
    const flooder = flooders.get(name)!
    const { hash } = await network.validators[0]!.client.getBlock({ blockNumber: 0n })
    await flooder.join(network.genesis, hash as Hash, hears)
    try {
      await begin(flooder)
      await load.progress(20)
      await network.advance(8)
      await until('a flood', async () => isEnough(flooder))
      await load.progress(20)
    } finally {
      await flooder.close()
    }
    expect(network.running).toHaveLength(3)
    for (const { url } of network.running) expect((await fetch(`${url}/health`)).status).toBe(200)
  }

  it.each(kinds)('%s', (name, turnBytes, flood) =>
    whileFlooded(
      name,
      (flooder) => flooder.flood(flood, turnBytes),
      ({ sentBytes, isCutOff }) => sentBytes > BYTES_MIN || isCutOff,
    ),
  )

  it('questions', () =>
    whileFlooded(
      'questions',
      (flooder) => flooder.ask(),
      ({ answers }) => answers > ANSWERS_MIN,
    ))

  const send = async (raws: readonly Hex[]): Promise<void> => {
    for (const raw of raws) await network.running[0]!.client.request({ method: 'eth_sendRawTransaction', params: [raw] })
  }

  /** Number of sessions between validators that have ended. */
  const sessionsEnded = (): number => {
    const validators = network.genesis.nodes.filter(
      ({ peerId }) => ![...flooders.values()].some(({ node }) => node.peerId === peerId),
    )
    const ends = network.running.flatMap(({ log }) => log.split('\n').filter((line) => line.includes('peer disconnected')))
    return ends.filter((line) => validators.some(({ peerId }) => line.includes(peerId))).length
  }

  it('known transactions in ever new orders, until its gossip is no longer read', async () => {
    // Behind a nonce that never arrives, they stay in all pools.
    const raws = await signed(5, 1, KNOWN)
    await send(raws)
    const known = raws.map((raw) => hexToBytes(raw))
    const before = sessionsEnded()
    await whileFlooded(
      'orders',
      (flooder) => flooder.publish(() => encodeTransactionsPayload(shuffled(known)), HEAVY),
      async () => {
        const metrics = await Promise.all(network.running.map((validator) => validator.metrics()))
        return metrics.every((of) => (of['quoin_network_gossip_bans'] ?? 0) > 0)
      },
    )
    expect(sessionsEnded()).toBe(before)
  })

  it('nothing, and reads no gossip', async () => {
    const raws = await signed(6, 0, LARGE_COUNT, LARGE_BYTES)
    const before = sessionsEnded()
    const isDropped = async () =>
      (await Promise.all(network.running.map((validator) => validator.metrics()))).some(
        (metrics) => metrics['quoin_network_gossip_dropped']! > 0,
      )
    await whileFlooded(
      'deaf',
      () => send(raws),
      async ({ isCutOff }) => !isCutOff && (await isDropped()),
      { onGossip: () => new Promise(() => {}) },
    )
    expect(sessionsEnded()).toBe(before)
  })

  it('no node halted, and all have the same chain', async () => {
    const height = await network.advance(2)
    expect(await network.agreement()).toBeGreaterThanOrEqual(height)
    for (const { log } of network.running) expect(log).not.toMatch(/the node cannot continue/)
  })
})
