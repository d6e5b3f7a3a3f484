import type { LaneName } from './messages.ts'
import type { Allowed } from './plan.ts'
import { median } from './statistics.ts'
import type { PhaseFigures } from './timeline.ts'

/** The three phases of one run of an attack. */
export interface Round {
  readonly before: PhaseFigures
  readonly during: PhaseFigures
  readonly after: PhaseFigures
  /** Validators whose process ended by itself. */
  readonly ended: readonly string[]
  /** How long a restarted validator took to find all its peers, in ms, if the attack measures that. */
  readonly rejoin?: { readonly beforeMs: number; readonly duringMs: number } | undefined
}

/** What an attack is judged by in addition to the chain's rhythm, memory and `/health`. */
export interface Judged {
  /** Limit for the growth of one node's resident memory, in MB. */
  readonly growthMbMax: number
  /** Honest senders whose transfers must stay fast. */
  readonly lanes: readonly LaneName[]
  /** Full blocks take as long as the machine needs: the wait of transfers is counted in blocks, not in ms. */
  readonly fillsBlocks: boolean
  /** Whether honest readers of an attacked node must be answered. */
  readonly reads: boolean
  /** Limit for ended sessions between nodes, including the attacker's; undefined if the attack is not made by a peer. */
  readonly disconnectsMax?: number | undefined
}

/** One comparison. */
export interface Finding {
  readonly what: string
  /** Medians over the rounds, in ms, MB, shares or counts. */
  readonly found: number
  readonly allowed: number
  readonly isKept: boolean
}

type Phase = 'before' | 'during' | 'after'

const MB = 1_000_000
/** Used for a time that never came. */
const NEVER = Number.POSITIVE_INFINITY

const middle = (values: readonly number[]): number => median(values) ?? NEVER

const finding = (what: string, found: number, allowed: number): Finding => ({ what, found, allowed, isKept: found <= allowed })

/**
 * Compares an attack's rounds with the limits. For times it compares the median over the rounds of (during or after) with that of (before).
 */
export function judge(rounds: readonly Round[], judged: Judged, allowed: Allowed): readonly Finding[] {
  /** `most` gives the bound for a figure that was `before` the attack. */
  const compare = (
    name: (phase: string) => string,
    of: (phase: PhaseFigures) => number | undefined,
    most: (before: number) => number,
  ): readonly Finding[] => {
    const figure = (phase: Phase): number => middle(rounds.map((round) => of(round[phase]) ?? NEVER))
    const before = figure('before')
    // If nothing worked before the attack, there is nothing to compare with.
    const bound = Number.isFinite(before) ? most(before) : 0
    return (['during', 'after'] as const).map((phase) => finding(name(phase), figure(phase), bound))
  }
  const time = (ratio: number) => (before: number) => Math.max(ratio * before, before + allowed.noiseMs)
  return [
    ...compare(
      (phase) => `mean block interval ${phase} the attack, ms`,
      ({ intervalMs }) => intervalMs,
      time(allowed.intervalRatio),
    ),
    ...judged.lanes.flatMap((lane) =>
      judged.fillsBlocks
        ? compare(
            (phase) => `blocks that ${lane} transfers wait ${phase} the attack, p50`,
            ({ transfers }) => transfers[lane].p50Blocks,
            (before) => before + allowed.blocksMore,
          )
        : compare(
            (phase) => `p50 of ${lane} transfers ${phase} the attack, ms`,
            ({ transfers }) => transfers[lane].p50Ms,
            time(allowed.transferRatio),
          ),
    ),
    finding('growth of memory, MB', growthMb(rounds), judged.growthMbMax),
    finding('share of /health probes without answer', lostShare(rounds), allowed.probesLostMax),
    ...(judged.reads
      ? [
          finding(
            'share of honest reads without answer',
            middle(rounds.map(({ during }) => lostReads(during))),
            allowed.readsLostMax,
          ),
        ]
      : []),
    ...(judged.disconnectsMax === undefined
      ? []
      : [finding('sessions of peers that ended', middle(rounds.map(({ during }) => during.disconnects)), judged.disconnectsMax)]),
    ...rejoining(rounds, allowed),
    finding('validators that ended', rounds.flatMap(({ ended }) => ended).length, 0),
  ]
}

function rejoining(rounds: readonly Round[], { transferRatio, noiseMs }: Allowed): readonly Finding[] {
  const times = rounds.flatMap(({ rejoin }) => rejoin ?? [])
  if (times.length === 0) return []
  const before = middle(times.map(({ beforeMs }) => beforeMs))
  const during = middle(times.map(({ duringMs }) => duringMs))
  return [finding('until a restarted validator has its peers, ms', during, transferRatio * before + noiseMs)]
}

/** The largest growth of one node in one round, from its maximum before the attack. */
export function growthMb(rounds: readonly Round[]): number {
  const grown = rounds.flatMap(({ before, during, after }) =>
    [...before.rssByNode].map(([node, bytes]) =>
      Math.max(0, (during.rssByNode.get(node) ?? 0) - bytes, (after.rssByNode.get(node) ?? 0) - bytes),
    ),
  )
  return Math.max(0, ...grown) / MB
}

const lostShare = (rounds: readonly Round[]): number =>
  middle(rounds.map(({ during }) => (during.probes === 0 ? 1 : during.probesLost / during.probes)))

const lostReads = ({ reads: { near } }: PhaseFigures): number => (near.count === 0 ? 1 : near.lost / near.count)
