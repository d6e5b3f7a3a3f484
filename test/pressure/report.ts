import { mkdir, writeFile } from 'node:fs/promises'
import { arch, cpus, platform } from 'node:os'
import { dirname } from 'node:path'
import type { Attack } from './attacks/attack.ts'
import { type Finding, growthMb, type Round } from './judge.ts'
import type { LaneName, Tally } from './messages.ts'
import type { Plan } from './plan.ts'
import type { Speed } from './speed.ts'
import { median } from './statistics.ts'
import type { PhaseFigures } from './timeline.ts'

/** The result of one attack, as a row of the table. */
export interface Row {
  readonly attack: Attack
  readonly rounds: readonly Round[]
  readonly tally: Tally
  readonly findings: readonly Finding[]
}

const MB = 1_000_000
const OUTCOMES_SHOWN = 4

const phases = ['before', 'during', 'after'] as const

/** Medians over the rounds of the three phases, such as `510, 620, 505`. */
const three = ({ rounds }: Row, of: (phase: PhaseFigures) => number | undefined): string =>
  phases
    .map((phase) => median(rounds.flatMap((round) => of(round[phase]) ?? [])))
    .map((value) => (value === undefined ? 'none' : Math.round(value).toLocaleString('en')))
    .join(', ')

const worst = ({ rounds }: Row, of: (phase: PhaseFigures) => number | undefined): string =>
  phases
    .map((phase) => Math.max(...rounds.map((round) => of(round[phase]) ?? 0)))
    .map((value) => Math.round(value).toLocaleString('en'))
    .join(', ')

const transfers = (row: Row, lane: LaneName): string =>
  `${three(row, (phase) => phase.transfers[lane].p50Ms)}; ${worst(row, (phase) => phase.transfers[lane].maxMs)}` +
  (row.attack.fillsBlocks === true ? `; blocks ${three(row, (phase) => phase.transfers[lane].p50Blocks)}` : '')

/** Share of an honest reader's requests to the attacked node that stayed unanswered during the attack, in percent. */
const lost = ({ rounds }: Row, of: (phase: PhaseFigures) => readonly [lost: number, count: number]): string => {
  const shares = rounds.map(({ during }) => of(during)).map(([some, all]) => (all === 0 ? 1 : some / all))
  return `${Math.round(100 * (median(shares) ?? 1))} %`
}

const outcomes = ({ tally, rounds }: Row): string =>
  Object.entries(tally)
    .slice(0, OUTCOMES_SHOWN)
    .map(([name, count]) => `${name} ${Math.round(count / rounds.length).toLocaleString('en')}`)
    .concat(rejoined(rounds))
    .join('; ') || 'nothing was answered'

const rejoined = (rounds: readonly Round[]): readonly string[] => {
  const times = rounds.flatMap(({ rejoin }) => rejoin ?? [])
  if (times.length === 0) return []
  const [before, during] = [median(times.map(({ beforeMs }) => beforeMs)), median(times.map(({ duringMs }) => duringMs))]
  return [`a restarted validator has its peers after ${Math.round(before!)} ms before, ${Math.round(during!)} during`]
}

const memory = ({ rounds }: Row): string => {
  const before = Math.max(...rounds.map((round) => round.before.rssMaxBytes)) / MB
  return `${Math.round(before)} + ${Math.round(growthMb(rounds))}`
}

const verdict = ({ findings }: Row): string => {
  const broken = findings.filter(({ isKept }) => !isKept)
  if (broken.length === 0) return 'kept'
  return broken.map(({ what, found, allowed }) => `${what}: ${figure(found)} > ${figure(allowed)}`).join('; ')
}

const figure = (value: number): string =>
  Number.isFinite(value) ? (value < 10 ? value.toFixed(2) : Math.round(value).toLocaleString('en')) : 'never'

/** Speed of a network with the default parameters, before and after attacks. */
export interface SpeedRow {
  readonly before: Speed
  readonly after: Speed
}

const speedText = ({ before, after }: SpeedRow): string =>
  `Finalised transfers a second, 50 in a request: ${Math.round(before.perSecond).toLocaleString('en')} before attacks, ${Math.round(after.perSecond).toLocaleString('en')} after. ` +
  `Idle finality, p50: ${Math.round(before.idleMs)} ms before, ${Math.round(after.idleMs)} after.`

/** The table of a run, with how and when it was measured, for docs/reliability.md. */
export function table(rows: readonly Row[], speed: SpeedRow | undefined, plan: Plan, day: Date): string {
  const processor = cpus()[0]?.model ?? 'unknown processor'
  const head = [
    'attack',
    'what became of it, a round',
    'block interval, ms: before, during, after',
    'honest transfer at another node, ms: p50; max',
    'the same at an attacked node',
    'reads lost at an attacked node',
    '`/health` lost',
    'memory of a node, MB',
    'main thread late at most, ms',
    'bounds',
  ]
  const cells = rows.map((row) => [
    row.attack.name,
    outcomes(row),
    three(row, ({ intervalMs }) => intervalMs),
    transfers(row, 'far'),
    transfers(row, 'near'),
    lost(row, ({ reads }) => [reads.near.lost, reads.near.count]),
    lost(row, ({ probes, probesLost }) => [probesLost, probes]),
    memory(row),
    worst(row, ({ loopMaxMs }) => loopMaxMs),
    verdict(row),
  ])
  // A node's message may contain the column separator.
  const line = (columns: readonly string[]): string => `| ${columns.map((text) => text.replaceAll('|', '/')).join(' | ')} |`
  return [
    `Measured ${day.toISOString().slice(0, 10)}, Node ${process.versions.node}, ${platform()} ${arch()}, ${cpus().length} × ${processor}: ` +
      `${plan.rounds} round${plan.rounds === 1 ? '' : 's'} of each attack, ${plan.quietMs / 1_000} s before, ${plan.attackMs / 1_000} s of attack, ` +
      `${plan.quietMs / 1_000} s after; medians over the rounds, the largest of all rounds where it says max or late.`,
    '',
    line(head),
    line(head.map(() => '---')),
    ...cells.map(line),
    '',
    ...(speed === undefined ? [] : [speedText(speed), '']),
  ].join('\n')
}

export async function writeTable(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}
