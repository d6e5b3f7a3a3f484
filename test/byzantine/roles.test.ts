import { Height } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { runs } from '../long.ts'
import { amnesiac } from './amnesiac.ts'
import { badTime } from './bad-time.ts'
import { equivocator } from './equivocator.ts'
import { farRounds } from './far-rounds.ts'
import { flooder } from './flooder.ts'
import { silent } from './silent.ts'
import { type Role, Stage } from './stage.ts'
import { withholder } from './withholder.ts'
import { wrongRoot } from './wrong-root.ts'

const HEIGHTS = 15

/** What a role may cost honest validators over all heights. */
interface Cost {
  /** Virtual time, in milliseconds. A calm network takes about 250 per height; each lost round costs its timeouts. */
  readonly ms: number
  readonly roundsLost: number
  /** Largest size of any honest validator's log, in bytes: it is emptied at each height. */
  readonly logBytes: number
}

interface Played {
  readonly stage: Stage
  readonly cost: Cost
}

/** Plays until every honest validator has reached the height; the oracle judges each of their messages and blocks. */
async function play(role: Role, nodeCount: number, seed: number): Promise<Played> {
  const stage = new Stage(role, nodeCount, seed)
  const { simulation, honest } = stage
  let logBytes = 0
  simulation.world.afterStep = () => {
    for (const { disk } of honest) logBytes = Math.max(logBytes, disk.wal.length)
    return undefined
  }
  simulation.start()
  const done = () => honest.every((node) => node.committedHeight >= HEIGHTS)
  const reached = await simulation.until(done, 120_000)
  expect(reached, `liveness with seed ${seed}: ${simulation.describe()}`).toBe(true)
  const blamed = simulation.network.penalties.filter(({ by }) => honest.some(({ peer }) => peer === by || by === ''))
  expect(blamed.filter(({ peer }) => honest.some((node) => node.peer === peer))).toEqual([])
  return { stage, cost: { ms: simulation.world.nowMs, roundsLost: simulation.oracle.roundsLost, logBytes } }
}

/** Fee addresses of the chain's blocks: their proposers. */
const miners = ({ honest: [first] }: Stage): ReadonlySet<string> =>
  new Set(Array.from({ length: HEIGHTS }, (_, i) => first!.node!.blocks.header(Height(i + 1))!.header.miner))

const offencesOf = ({ simulation, liars }: Stage): readonly string[] => {
  const ours = simulation.network.penalties.filter(({ peer }) => liars.some((liar) => liar.peer === peer))
  return [...new Set(ours.map(({ offence }) => offence))].sort()
}

/** None of the chain's blocks is a liar's. */
const proposesInVain = (stage: Stage): void => {
  expect(stage.liars.flatMap(({ address, peer }) => (miners(stage).has(address) ? [peer] : []))).toEqual([])
}

const proposesBlocks = (stage: Stage): void => {
  expect(stage.liars.filter(({ address }) => miners(stage).has(address)).length).toBeGreaterThan(0)
}

describe.each([4, 7])('of %i validators, the largest tolerated number of liars', (nodeCount) => {
  // At least twice the cost of each in ten seeds when this was written.
  it.each<Role & { readonly most: Cost; readonly check: (stage: Stage) => void }>([
    { ...silent, most: { ms: 50_000, roundsLost: 10, logBytes: 100_000 }, check: proposesInVain },
    {
      ...equivocator,
      most: { ms: 40_000, roundsLost: 14, logBytes: 120_000 },
      check: (stage) => expect(stage.offenders.size).toBeGreaterThan(0),
    },
    { ...amnesiac, most: { ms: 8_000, roundsLost: 2, logBytes: 20_000 }, check: proposesBlocks },
    // A block of transactions from other nodes harms nobody.
    { ...withholder, most: { ms: 50_000, roundsLost: 10, logBytes: 80_000 }, check: () => {} },
    { ...wrongRoot, most: { ms: 20_000, roundsLost: 10, logBytes: 60_000 }, check: proposesInVain },
    { ...farRounds, most: { ms: 8_000, roundsLost: 1, logBytes: 12_000 }, check: proposesBlocks },
    {
      ...flooder,
      most: { ms: 8_000, roundsLost: 1, logBytes: 20_000 },
      check: (stage) => expect(offencesOf(stage)).toEqual(expect.arrayContaining(['invalid', 'malformed'])),
    },
    { ...badTime, most: { ms: 30_000, roundsLost: 10, logBytes: 120_000 }, check: proposesInVain },
  ])('$name', async ({ most, check, ...role }) => {
    for (let seed = 1; seed <= runs(1); seed++) {
      const { stage, cost } = await play(role, nodeCount, seed)
      for (const what of ['ms', 'roundsLost', 'logBytes'] as const)
        expect(cost[what], `${what} with seed ${seed}`).toBeLessThanOrEqual(most[what])
      const liars = new Set(stage.liars.map(({ address }) => address))
      expect([...stage.offenders].filter((offender) => !liars.has(offender))).toEqual([])
      check(stage)
      await stage.simulation.stop()
    }
  })
})
