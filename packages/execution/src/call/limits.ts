/** Bounds of calls that leave nothing behind: `eth_call` and `eth_estimateGas`. None of them changes a block. */
export const CALL_LIMITS = {
  /** Runs of one call at a past height, each for a key that the one before guessed wrong (`past-run.ts`). */
  runsMax: 1_024,
  /** Keys whose history is sought at once. */
  seeksMax: 64,
  /** Accounts that one call may override. */
  overriddenAccountsMax: 1_024,
  /** Gas for making the program of one overriding code: a container of the largest size, evaluated. */
  codeGasMax: 30_000_000,
} as const
