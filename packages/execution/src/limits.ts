/** Limits of the executor. None of them affects a block. */
export const EXECUTOR_LIMITS = {
  /** Results of one height that are kept until it is committed: one per round; more rounds are rare. */
  executedBlocksMax: 16,
  /** Calls that may wait while another one is served. */
  callsMax: 64,
} as const
