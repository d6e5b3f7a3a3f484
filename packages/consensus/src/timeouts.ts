import type { Round } from '@quoin/protocol'

export type TimeoutKind = 'propose' | 'prevote' | 'precommit'

/**
 * Linear timeouts in milliseconds: timeout(round) = base + round · delta (arXiv:1807.04938, section III.A). Each round waits longer than the one
 * before, so that one of them is long enough for messages to arrive.
 */
export interface TimeoutParameters {
  /** Time for a proposal to arrive and be validated in round 0. */
  readonly proposeBaseMs: number
  readonly proposeDeltaMs: number
  /** Time to wait for more prevotes after 2f+1 prevotes that are not for one value. */
  readonly prevoteBaseMs: number
  readonly prevoteDeltaMs: number
  /** Time to wait for more precommits after 2f+1 precommits that are not for one value. */
  readonly precommitBaseMs: number
  readonly precommitDeltaMs: number
  /** Upper bound of every timeout. Timers of 4,096 seconds have stopped production chains (Besu #7642). */
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

/** Duration of a timeout in milliseconds. */
export function timeoutMs(parameters: TimeoutParameters, kind: TimeoutKind, round: Round): number {
  const linear =
    kind === 'propose'
      ? parameters.proposeBaseMs + round * parameters.proposeDeltaMs
      : kind === 'prevote'
        ? parameters.prevoteBaseMs + round * parameters.prevoteDeltaMs
        : parameters.precommitBaseMs + round * parameters.precommitDeltaMs
  return Math.min(linear, parameters.timeoutMaxMs)
}
