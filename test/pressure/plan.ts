/** How long and how strictly the suite measures. Times in milliseconds. */
export interface Plan {
  /** Whether the whole table of attacks runs, or only those marked `inShort`. */
  readonly isLong: boolean
  /** Times that each attack is run, each with its own phases before and after. */
  readonly rounds: number
  readonly quietMs: number
  readonly attackMs: number
  /** What an attack may do to the chain and its honest users. */
  readonly allowed: Allowed
}

/** Bounds of what is measured during and after an attack, beside the same run before it. */
export interface Allowed {
  /** Mean time between blocks, as a multiple of that before. */
  readonly intervalRatio: number
  /** Median of an honest transfer, as a multiple of that before. */
  readonly transferRatio: number
  /** Blocks that an honest transfer may wait more than before, where an attack fills the blocks. */
  readonly blocksMore: number
  /** What every bound of a time may be exceeded by, in ms: noise of timers and of the machine. */
  readonly noiseMs: number
  /** Share of the looks at `/health` that an attack may leave unanswered. */
  readonly probesLostMax: number
  /** Share of an honest reader's requests that an attack on a node with the default limits may leave unanswered. */
  readonly readsLostMax: number
}

const isLong = process.env['QUOIN_TEST_LONG'] !== undefined
const named = process.env['QUOIN_PRESSURE_ROUNDS']

/** The ratios that are promised. */
const PROMISED: Allowed = {
  intervalRatio: 1.25,
  transferRatio: 2,
  blocksMore: 2,
  noiseMs: 75,
  probesLostMax: 0.05,
  readsLostMax: 0.05,
}

/**
 * Slack for one short round on a busy machine of two cores: six to ten blocks and as many transfers are counted in each phase, so that one
 * late block moves a mean by a fifth. An attack that takes the validators' time misses these bounds by a factor, not by a fraction.
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
