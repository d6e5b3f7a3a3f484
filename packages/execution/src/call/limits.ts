/** Limits of calls that change nothing: `eth_call` and `eth_estimateGas`. None of them affects a block. */
export const CALL_LIMITS = {
  /** Runs of one call at a past height. Each repetition resolves a key that the run before guessed wrong (`past-run.ts`). */
  runsMax: 1_024,
  /** Keys whose history is read at once. */
  seeksMax: 64,
  /** Accounts that one call may override. */
  overriddenAccountsMax: 1_024,
  /** Gas for making the program of one code override: enough to evaluate a container of the maximum size. */
  codeGasMax: 30_000_000,
} as const
