import { randomBytes } from 'node:crypto'
import type { Hash } from '@quoin/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Flood, Flooder } from './flooder.ts'
import { developmentValidator, FAST, Network } from './harness.ts'
import { Load } from './load.ts'
import { until } from './watch.ts'

/** What a flood is worth at least, to all its victims, unless they have cut it off before. */
const BYTES_MIN = 20_000_000
const ANSWERS_MIN = 50
/** More than a block of this chain can have. */
const TRANSACTIONS_TOO_MANY = 20_000

/** In each turn of 10 ms, to each victim: what stopped a chain once, and ten times as much. */
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

// Three of four validators run and all of them must vote: the fourth's keys are the flooder's.
describe('three validators go on while the fourth sends without end', () => {
  const flooders = new Map<string, Flooder>()
  let network: Network
  let load: Load
  beforeAll(async () => {
    for (const [name] of [...kinds, ['questions']] as const)
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
    begin: (flooder: Flooder) => void,
    isEnough: (flooder: Flooder) => boolean,
  ): Promise<void> {
    const flooder = flooders.get(name)!
    const { hash } = await network.validators[0]!.client.getBlock({ blockNumber: 0n })
    await flooder.join(network.genesis, hash as Hash)
    try {
      begin(flooder)
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

  it('nobody halted, and all have the same chain', async () => {
    const height = await network.advance(2)
    expect(await network.agreement()).toBeGreaterThanOrEqual(height)
    for (const { log } of network.running) expect(log).not.toMatch(/has halted|has failed/)
  })
})
