/** How long and how strictly the suite measures. Times in milliseconds. */
export interface Plan {
  /** Whether the whole table of attacks runs, or only those marked `inShort`. */
  readonly isLong: boolean
  /** Runs of each attack, each with its own phases before and after. */
  readonly rounds: number
  readonly quietMs: number
  readonly attackMs: number
  /** Limits for the effect of an attack on the chain and its honest users. */
  readonly allowed: Allowed
}

/** Limits for the figures during and after an attack, compared with the same run before it. */
export interface Allowed {
  /** Mean time between blocks, as a multiple of that before. */
  readonly intervalRatio: number
  /** Median of an honest transfer, as a multiple of that before. */
  readonly transferRatio: number
  /** Additional blocks that an honest transfer may wait if an attack fills the blocks. */
  readonly blocksMore: number
  /** Tolerance for every limit of a time, in ms: noise of timers and of the machine. */
  readonly noiseMs: number
  /** Share of the `/health` probes that may stay unanswered during an attack. */
  readonly probesLostMax: number
  /** Share of an honest reader's requests that may stay unanswered if the attacked node has the default limits. */
  readonly readsLostMax: number
}

const isLong = process.env['QUOIN_TEST_LONG'] !== undefined
const named = process.env['QUOIN_PRESSURE_ROUNDS']

/** The guaranteed ratios. */
const PROMISED: Allowed = {
  intervalRatio: 1.25,
  transferRatio: 2,
  blocksMore: 2,
  noiseMs: 75,
  probesLostMax: 0.05,
  readsLostMax: 0.05,
}

/**
 * Slack for one short round on a busy machine with two cores: each phase has six to ten blocks and as many transfers, so one late block
 * changes a mean by a fifth. An attack that takes the validators' time misses these limits by a factor, not by a fraction.
 */
const SLACK: Allowed = {
  intervalRatio: 2,
  transferRatio: 3,
  blocksMore: 3,
  noiseMs: 250,
  probesLostMax: 0.35,
  readsLostMax: 0.35,
}

export const PLAN: Plan = {
  isLong,
  rounds: named === undefined ? (isLong ? 5 : 1) : Number(named),
  quietMs: isLong ? 4_000 : 3_000,
  attackMs: isLong ? 8_000 : 5_000,
  allowed: isLong ? PROMISED : SLACK,
}
