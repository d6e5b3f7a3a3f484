/** Bounds of the executor. None of them changes a block. */
export const EXECUTOR_LIMITS = {
  /** Outcomes of one height that are kept until it is committed: one a round, and rounds beyond this are rare. */
  executedBlocksMax: 16,
  /** Calls that wait for the one being served. */
  callsMax: 64,
} as const
