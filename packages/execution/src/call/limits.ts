/** Limits of calls that change nothing: `eth_call`, `eth_estimateGas` and `eth_simulateV1`. None of them affects a block. */
export const CALL_LIMITS = {
  /** Runs of one call at a past height. Each repetition resolves a key that the run before guessed wrong (`past-run.ts`). */
  runsMax: 1_024,
  /** Keys whose history is asked for at once. How many are read at a time is for the database to say. */
  seeksMax: 64,
  /** Accounts that one call may override. */
  overriddenAccountsMax: 1_024,
  /** Gas for making the program of one code override: enough to evaluate a container of the maximum size. */
  codeGasMax: 30_000_000,
  /**
   * Data that a call returns to its client. A function returns `encodedBytesMax` (512 KiB) at most, a creation a container. Only `fallback`
   * and `receive` can return more; contracts that call them see all of it.
   */
  returnedBytesMax: 1024 * 1024,
  /** Blocks of one simulation, those that fill gaps included: execution-apis' recommendation. */
  simulatedBlocksMax: 256,
  /** How long after the block before it a simulated block is, unless the request says so: a network's usual block time. */
  simulatedBlockMs: 1_000,
} as const
