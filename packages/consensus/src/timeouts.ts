import type { Round } from '@quoin/protocol'

export type TimeoutKind = 'propose' | 'prevote' | 'precommit'

/** Linear timeouts, timeoutX(r) = base + r · delta (paper, section III.A): every round waits longer, so that some round is long enough. */
export interface TimeoutParameters {
  /** How long a proposal may take to arrive and to be validated in round 0. */
  readonly proposeBaseMs: number
  readonly proposeDeltaMs: number
  /** How long to wait for further prevotes after 2f+1 that disagree. */
  readonly prevoteBaseMs: number
  readonly prevoteDeltaMs: number
  /** How long to wait for further precommits after 2f+1 that disagree. */
  readonly precommitBaseMs: number
  readonly precommitDeltaMs: number
  /** Upper bound of every timeout: 4,096-second timers stopped real chains (Besu #7642). */
  readonly timeoutMaxMs: number
}

export const DEFAULT_TIMEOUTS: TimeoutParameters = {
  proposeBaseMs: 1_500,
  proposeDeltaMs: 500,
  prevoteBaseMs: 500,
  prevoteDeltaMs: 250,
  precommitBaseMs: 500,
  precommitDeltaMs: 250,
  timeoutMaxMs: 30_000,
}

/** Milliseconds until the timeout of this kind and round elapses. */
export function timeoutMs(parameters: TimeoutParameters, kind: TimeoutKind, round: Round): number {
  const linear =
    kind === 'propose'
      ? parameters.proposeBaseMs + round * parameters.proposeDeltaMs
      : kind === 'prevote'
        ? parameters.prevoteBaseMs + round * parameters.prevoteDeltaMs
        : parameters.precommitBaseMs + round * parameters.precommitDeltaMs
  return Math.min(linear, parameters.timeoutMaxMs)
}
