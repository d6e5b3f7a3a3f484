/** Limits of a chain for tests. */
export const TESTING_LIMITS = {
  accountsMax: 500,
  /** Blocks per call of `mine`. */
  minedBlocksMax: 10_000,
  /** Snapshots per chain; equal states share one. */
  snapshotsMax: 256,
  /** Maximum balance that a test can set, in wei. It keeps sums of balances far below 2^256. */
  balanceMax: 2n ** 200n,
  /** Gas limit of reads and simulations; a node's default. */
  callGasMax: 50_000_000,
  /** Characters of one value in an error message. */
  valueCharsMax: 200,
} as const
