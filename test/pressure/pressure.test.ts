import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pause } from '../../packages/node/src/abort.ts'
import { systemClock } from '../../packages/node/src/system-clock.ts'
import { Actor } from './actor.ts'
import type { Attack } from './attacks/attack.ts'
import { ATTACKS } from './attacks/index.ts'
import { bundleProcesses } from './bundle.ts'
import { Devnet } from './devnet.ts'
import { type Judged, judge } from './judge.ts'
import { type Allowed, PLAN } from './plan.ts'
import { type Row, type SpeedRow, table, writeTable } from './report.ts'
import { Arena } from './run.ts'
import { measureSpeed } from './speed.ts'

const REPORT =
  process.env['QUOIN_PRESSURE_REPORT'] ?? fileURLToPath(new URL('../../node_modules/.cache/quoin/pressure.md', import.meta.url))
/** Allowed growth of a node's memory in MB, unless an attack states more: caches fill, and young code is compiled. */
const GROWTH_MB_MAX = 250
/** Each of four nodes disconnects the attacker, and once more when it reconnects; no honest peer is disconnected. */
const DISCONNECTS_MAX = 8
/** Time for preparing, calming down and restarting nodes, in addition to the phases. */
const OVERHEAD_MS_MAX = 240_000

const roundMs = 2 * PLAN.quietMs + PLAN.attackMs + OVERHEAD_MS_MAX

const judgedOf = ({ front, growthMbMax = GROWTH_MB_MAX, lanes, reads, restartsFourth, fillsBlocks = false }: Attack): Judged => ({
  growthMbMax,
  fillsBlocks,
  disconnectsMax: front === 'network' && restartsFourth !== true ? DISCONNECTS_MAX : undefined,
  lanes: lanes ?? (front === 'defaults' ? ['far', 'near'] : ['far']),
  reads: reads ?? front === 'defaults',
})

/** An attack's own allowance is for a quiet machine. The short run has four times as much: full blocks take as long as the machine needs. */
const allowedOf = ({ noiseMs }: Attack): Allowed => ({
  ...PLAN.allowed,
  ...(noiseMs === undefined ? {} : { noiseMs: PLAN.isLong ? noiseMs : 4 * noiseMs }),
})

const rows: Row[] = []
let speed: SpeedRow | undefined

afterAll(() => writeTable(REPORT, table(rows, speed, PLAN, new Date())))

describe('what outsiders drive does not take the validators’ time', () => {
  let devnet: Devnet
  let bundle: string
  let arena: Arena
  beforeAll(async () => {
    bundle = await bundleProcesses()
    devnet = await Devnet.start(PLAN.rounds)
    arena = await Arena.open(devnet, bundle, PLAN)
  }, OVERHEAD_MS_MAX)
  afterAll(async () => {
    await arena?.close()
    await devnet?.close()
    await rm(bundle, { force: true })
  })

  it.each(ATTACKS.filter(({ inShort }) => PLAN.isLong || inShort === true).map((attack) => [attack.name, attack] as const))(
    '%s',
    { timeout: PLAN.rounds * roundMs },
    async (_, attack) => {
      const { rounds, tally } = await arena.play(attack)
      const findings = judge(rounds, judgedOf(attack), allowedOf(attack))
      rows.push({ attack, rounds, tally, findings })
      expect(arena.failure).toBeUndefined()
      expect(findings.filter(({ isKept }) => !isKept)).toEqual([])
    },
  )

  it('all validators have the same chain', async () => {
    await devnet.setFourth(true)
    const height = await devnet.network.advance(2)
    expect(await devnet.network.agreement()).toBeGreaterThanOrEqual(height)
    for (const { log } of devnet.network.running) expect(log).not.toMatch(/the node cannot continue/)
  })
})

/** Attacks that run at the same time between the two measurements of speed. */
const MIX = ['batches of block receipts', '2,000 eth_calls a second', 'subscriptions to logs', 'a connection for each request']
const MIX_MS = 15_000
/** The second of two measurements of one network may be lower by this share: after a pause without attacks it was lower by a fifth (docs/pressure.md). */
const SPEED_NOISE = 0.25

if (PLAN.isLong)
  describe('attacks that are over', () => {
    it(
      'leave the network as fast as it was',
      async () => {
        const bundle = await bundleProcesses()
        const devnet = await Devnet.start(1, {})
        try {
          // A young process compiles: the first measurement warms it up.
          await measureSpeed(devnet.network)
          const before = await measureSpeed(devnet.network)
          const [targets, prepared] = [devnet.targets('lifted'), devnet.prepared]
          const attackers = await Promise.all(
            MIX.map((attack) => Actor.start(bundle, { role: 'attacker', attack, round: 0, targets, prepared })),
          )
          for (const attacker of attackers) attacker.send({ kind: 'begin' })
          await pause(systemClock, MIX_MS)
          await Promise.all(attackers.map((attacker) => attacker.conclude()))
          await devnet.network.advance(2)
          speed = { before, after: await measureSpeed(devnet.network) }
          expect(speed.after.perSecond).toBeGreaterThanOrEqual((1 - SPEED_NOISE) * before.perSecond)
          expect(speed.after.idleMs).toBeLessThanOrEqual((1 + SPEED_NOISE) * before.idleMs + PLAN.allowed.noiseMs)
        } finally {
          await devnet.close()
          await rm(bundle, { force: true })
        }
      },
      2 * OVERHEAD_MS_MAX,
    )
  })
