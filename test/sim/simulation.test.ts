import { afterAll, describe, expect, it } from 'vitest'
import { agedSignState } from './aged.ts'
import { DEFAULT_LASTING, FAULT_KINDS, type LastingFault } from './faults.ts'
import { validatorKey } from './genesis.ts'
import { runSeed, SeedSummary } from './seed-run.ts'
import { Simulation, type SimulationOptions } from './simulation.ts'

/**
 * `QUOIN_SIM_SEED=17` runs that seed alone, with the nodes' logs; QUOIN_SIM_NODES, QUOIN_SIM_HEIGHTS and QUOIN_SIM_LASTING (as in
 * `wipe,old-backup`) modify it. `QUOIN_TEST_LONG=1` runs many seeds.
 */
const ONLY_SEED = process.env.QUOIN_SIM_SEED === undefined ? undefined : Number(process.env.QUOIN_SIM_SEED)
const IS_LONG = process.env.QUOIN_TEST_LONG === '1'
const SEEDS = IS_LONG ? 3_000 : 120
const SEEDS_OF_SEVEN = IS_LONG ? 500 : 20
const SEEDS_OF_200_HEIGHTS = IS_LONG ? 20 : 2
const SEEDS_OF_CHANGES = IS_LONG ? 1_000 : 20
const SEEDS_PER_TEST = 10
/** Long enough for changes to take effect, which takes two heights each. */
const CHANGING = { faultyHeights: 20, faultyMs: 60_000, healedHeights: 5, healedMs: 60_000 } satisfies Partial<SimulationOptions>
/** Logs are replayed after every step of the first seeds, and after some steps of the others. */
const REPLAY_CHANCE = 0.05

const consoleLogger = (bindings: object): NonNullable<SimulationOptions['logger']> => {
  const write = (level: string) => (fields: object, message: string) =>
    console.log(level, JSON.stringify({ ...bindings, ...fields }), message)
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (more) => consoleLogger({ ...bindings, ...more }),
  }
}

/** Faults that leave the chain time to grow. */
/** A node that was wiped at the end must fetch all heights, and takes up to half a second to execute each. */
const longRun = (heights: number) =>
  ({
    faultyHeights: heights,
    faultyMs: heights * 15_000,
    healedMs: 30_000 + heights * 1_500,
    faultGapMs: [500, 8_000],
  }) satisfies Partial<SimulationOptions>

if (ONLY_SEED !== undefined) {
  it(`seed ${ONLY_SEED}`, async () => {
    const { QUOIN_SIM_NODES = '4', QUOIN_SIM_HEIGHTS, QUOIN_SIM_LASTING } = process.env
    const result = await runSeed({
      seed: ONLY_SEED,
      nodeCount: Number(QUOIN_SIM_NODES),
      ...(QUOIN_SIM_HEIGHTS === undefined ? {} : longRun(Number(QUOIN_SIM_HEIGHTS))),
      lastingFaults: (QUOIN_SIM_LASTING?.split(',') as LastingFault[] | undefined) ?? DEFAULT_LASTING,
      replayChance: 1,
      logger: consoleLogger({}),
    })
    console.log(result)
  })
}

describe.runIf(ONLY_SEED === undefined)('calm networks', () => {
  it.each([1, 2, 3, 4, 7])('%i validators decide height after height in round 0', async (nodeCount) => {
    const result = await runSeed({ seed: nodeCount, nodeCount, calm: true })
    expect(result.height).toBeGreaterThanOrEqual(11)
    expect(result.roundsLost).toBe(0)
    // Blocks every 200 ms while there are transactions: consensus itself takes a fraction of that.
    expect(result.virtualMs).toBeLessThan(11 * 400)
  })

  it('nodes without a vote follow', async () => {
    const simulation = new Simulation({ seed: 5, followerCount: 2, calm: true })
    await simulation.run()
    expect(simulation.nodes.map(({ committedHeight }) => committedHeight >= 11)).toEqual(Array(6).fill(true))
  })
})

describe.runIf(ONLY_SEED === undefined)('faulty networks', () => {
  it('the same seed gives the same run, bit for bit, and another seed another', async () => {
    const first = await runSeed({ seed: 42 })
    const again = await runSeed({ seed: 42 })
    const other = await runSeed({ seed: 43 })
    expect(again).toEqual(first)
    expect(other.auditHash).not.toBe(first.auditHash)
  })

  const summary = new SeedSummary()
  const summaryOfSeven = new SeedSummary()
  afterAll(() => {
    summary.print('four validators')
    summaryOfSeven.print('seven validators and a follower')
  })

  const startsOf = (count: number) => Array.from({ length: Math.ceil(count / SEEDS_PER_TEST) }, (_, i) => 1 + i * SEEDS_PER_TEST)
  it.each(startsOf(SEEDS))('ten seeds from %i: agreement, no double sign, locks kept, progress once healed', async (start) => {
    for (let seed = start; seed < start + SEEDS_PER_TEST; seed++) {
      const result = await runSeed({ seed, replayChance: start === 1 ? 1 : REPLAY_CHANCE })
      summary.add(result)
      expect(result.height).toBeGreaterThanOrEqual(3)
      expect(result.offenders).toEqual({})
    }
  })

  it.each(startsOf(SEEDS_OF_SEVEN))('ten seeds from %i of seven validators and a follower', async (start) => {
    for (let seed = start; seed < start + SEEDS_PER_TEST; seed++) {
      const result = await runSeed({ seed, nodeCount: 7, followerCount: 1, replayChance: REPLAY_CHANCE })
      summaryOfSeven.add(result)
      expect(result.offenders).toEqual({})
    }
  })

  it('every kind of fault occurred, and nodes that had to stop did so', () => {
    expect(summary.seeds, 'this test checks the totals of all seeds: run it without -t').toBe(SEEDS)
    const expected = FAULT_KINDS.filter((kind) => kind !== 'old-backup')
    expect([...summary.faults].filter(([, count]) => count > 2).map(([kind]) => kind)).toEqual(expected)
    expect(summary.halts).toBeGreaterThan(SEEDS)
    // Of created contracts, of calls with an effect, and of failed calls there were 13 or more in every ten seeds.
    expect(Math.min(...Object.values(summary.contracts))).toBeGreaterThan(SEEDS / 2)
    expect(summary.replays).toBeGreaterThan(100 * SEEDS)
  })

  it.each(Array.from({ length: SEEDS_OF_200_HEIGHTS }, (_, i) => 5_001 + i))(
    'seed %i over 200 heights: all certificates, pruned undo records, rewritten sign states',
    async (seed) => {
      const simulation = new Simulation({ seed, ...longRun(200), replayChance: 0.01 })
      for (const node of simulation.nodes) node.disk.signState = await agedSignState(node.address)
      const agedBytes = simulation.nodes[0]!.disk.signState.length
      const { height } = await simulation.run()
      expect(height).toBeGreaterThan(200)
      const rewritten = simulation.nodes.filter(({ disk }) => disk.signState.length < agedBytes / 4)
      expect(rewritten.length).toBeGreaterThanOrEqual(3)
    },
  )

  const summaryOfChanges = new SeedSummary()
  afterAll(() => summaryOfChanges.print('four to seven validators that change, with two spare nodes'))

  it.each(startsOf(SEEDS_OF_CHANGES))('ten seeds from %i of sets, roles and rules that change under faults', async (start) => {
    for (let seed = start; seed < start + SEEDS_PER_TEST; seed++) {
      const simulation = new Simulation({ seed, nodeCount: 4 + (seed % 4), spareCount: 2, lastingFaults: [], ...CHANGING })
      const result = await simulation.run()
      summaryOfChanges.add(result)
      expect(result.offenders).toEqual({})
    }
  })

  it('seed 40,017: a timer that fires while a synced block is committed does not reach the height that ended', async () => {
    await runSeed({ seed: 40_017, nodeCount: 7, followerCount: 1 })
  })

  it('a validator that runs twice, with one key and two disks, harms nobody: it is caught, or detects its twin and stops signing', async () => {
    const caught = new Set<string>([validatorKey(3).address])
    for (let seed = 1; seed <= 10; seed++) {
      const { offenders } = await runSeed({ seed, twin: true })
      for (const offender of Object.keys(offenders)) caught.add(offender)
    }
    expect([...caught]).toEqual([validatorKey(3).address])
  })
})
