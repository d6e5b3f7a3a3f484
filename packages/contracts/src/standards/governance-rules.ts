import { type ContextOf, part, value } from '../kit/index.ts'

/** Parts of all votes, or of the votes cast, are given in this many. */
export const WHOLE = 10_000n
/** More than half: else a proposal and its opposite could pass together. */
export const GOVERNANCE_THRESHOLD_MIN = 5_001n
const DAY_SECONDS = 86_400n
export const GOVERNANCE_VOTING_SECONDS_MAX: bigint = 90n * DAY_SECONDS
export const GOVERNANCE_LOCK_SECONDS_MAX: bigint = 90n * DAY_SECONDS
export const GOVERNANCE_EXECUTION_SECONDS_MAX: bigint = 365n * DAY_SECONDS

/** By which rules a proposal is decided. Parts are in ten thousandths, times in seconds. */
export interface Rules {
  /** Part of all votes that must be cast, abstentions included. */
  readonly quorum: bigint
  /** Part of the votes for and against that must be for it. */
  readonly threshold: bigint
  /** Part of all votes that must be for a proposal by the emergency path. At least `threshold`. */
  readonly emergencyThreshold: bigint
  /** How long votes are cast. */
  readonly votingTime: bigint
  /** Between the close of the vote and the first moment of execution. */
  readonly timeLock: bigint
  /** How long a proposal that passed may be executed. */
  readonly executionTime: bigint
}

export const rulesBoard = part({
  abi: [
    'event RulesChanged(uint16 quorum, uint16 threshold, uint16 emergencyThreshold, uint64 votingTime, uint64 timeLock, uint64 executionTime)',
    'error GovernanceInvalidRule(string rule, uint256 given, uint256 min, uint256 max)',
  ],
  state: {
    rules: value({
      ...{ quorum: 'uint16', threshold: 'uint16', emergencyThreshold: 'uint16' },
      ...{ votingTime: 'uint64', timeLock: 'uint64', executionTime: 'uint64' },
    }),
  },
})

type Context = ContextOf<typeof rulesBoard>

/**
 * Writes the rules down. Refuses rules under which all voters together could not decide: the time for votes and for execution is bounded, and
 * no part is above the whole.
 */
export function writeRules({ state, emit, revert }: Context, rules: Rules): void {
  const { quorum, threshold, emergencyThreshold, votingTime, timeLock, executionTime } = rules
  const ranges: readonly (readonly [rule: string, given: bigint, min: bigint, max: bigint])[] = [
    ['quorum', quorum, 1n, WHOLE],
    ['threshold', threshold, GOVERNANCE_THRESHOLD_MIN, WHOLE],
    ['emergencyThreshold', emergencyThreshold, threshold, WHOLE],
    ['votingTime', votingTime, 1n, GOVERNANCE_VOTING_SECONDS_MAX],
    ['timeLock', timeLock, 0n, GOVERNANCE_LOCK_SECONDS_MAX],
    ['executionTime', executionTime, 1n, GOVERNANCE_EXECUTION_SECONDS_MAX],
  ]
  for (const [rule, given, min, max] of ranges)
    if (given < min || given > max) throw revert.GovernanceInvalidRule(rule, given, min, max)
  state.rules.set({ quorum, threshold, emergencyThreshold, votingTime, timeLock, executionTime })
  emit.RulesChanged(quorum, threshold, emergencyThreshold, votingTime, timeLock, executionTime)
}
