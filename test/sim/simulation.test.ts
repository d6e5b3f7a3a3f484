import { describe, expect, it } from 'vitest'
import { validatorKey } from './genesis.ts'
import { Simulation, type SimulationOptions } from './simulation.ts'

/** `QUOIN_SIM_SEED=17` runs that seed alone, with the nodes' logs. `QUOIN_TEST_LONG=1` runs many. */
const ONLY_SEED = process.env.QUOIN_SIM_SEED === undefined ? undefined : Number(process.env.QUOIN_SIM_SEED)
const SEEDS = process.env.QUOIN_TEST_LONG === '1' ? 1_000 : 50
const SEEDS_PER_TEST = 10

/** Runs a seed; a failure names it, and how to see it again. */
async function run(options: SimulationOptions) {
  const simulation = new Simulation(options)
  try {
    return await simulation.run()
  } catch (error) {
    const again = `QUOIN_SIM_SEED=${options.seed} npx vitest run --project sim`
    throw new Error(
      `seed ${options.seed} failed after ${simulation.world.nowMs} ms (${simulation.describe()}); again: ${again}`,
      {
        cause: error,
      },
    )
  }
}

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

if (ONLY_SEED !== undefined) {
  it(`seed ${ONLY_SEED}`, async () => {
    console.log(await run({ seed: ONLY_SEED, logger: consoleLogger({}) }))
  })
}

describe.runIf(ONLY_SEED === undefined)('calm networks', () => {
  it.each([1, 2, 3, 4, 7])('%i validators decide height after height in round 0', async (nodeCount) => {
    const result = await run({ seed: nodeCount, nodeCount, calm: true })
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
    const first = await run({ seed: 42 })
    const again = await run({ seed: 42 })
    const other = await run({ seed: 43 })
    expect(again).toEqual(first)
    expect(other.auditHash).not.toBe(first.auditHash)
  })

  const starts = Array.from({ length: SEEDS / SEEDS_PER_TEST }, (_, i) => 1 + i * SEEDS_PER_TEST)
  it.each(starts)('ten seeds from %i: agreement, no double sign, locks kept, progress once healed', async (start) => {
    const sum = { created: 0, logged: 0, failed: 0 }
    for (let seed = start; seed < start + SEEDS_PER_TEST; seed++) {
      const { height, offenders, contracts } = await run({ seed })
      for (const what of ['created', 'logged', 'failed'] as const) sum[what] += contracts[what]
      expect(height).toBeGreaterThanOrEqual(3)
      expect(offenders).toEqual({})
    }
    // The seeds are fixed, so no chance is in this; of each there were 13 or more in every ten when this was written.
    expect(Math.min(...Object.values(sum))).toBeGreaterThan(0)
  })

  it('a validator that runs twice, with one key and two disks, harms nobody', async () => {
    const caught = new Set<string>()
    for (let seed = 1; seed <= 10; seed++) {
      const { offenders } = await run({ seed, twin: true })
      for (const offender of Object.keys(offenders)) caught.add(offender)
    }
    expect([...caught]).toEqual([validatorKey(3).address])
  })

  it('seven validators and a follower', async () => {
    for (const seed of [1, 2, 3]) await run({ seed, nodeCount: 7, followerCount: 1 })
  })
})
