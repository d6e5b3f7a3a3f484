/** Bounds of a chain for tests. */
export const TESTING_LIMITS = {
  accountsMax: 500,
  /** Blocks that one call of `mine` makes. */
  minedBlocksMax: 10_000,
  /** Snapshots of different states that a chain keeps. */
  snapshotsMax: 256,
  /** What one account may be given, in wei: no sum of balances comes near 2^256. */
  balanceMax: 2n ** 200n,
  /** Gas of a read or a simulation, as a node grants it by default. */
  callGasMax: 50_000_000,
  /** Characters of one value in a message. */
  valueCharsMax: 200,
} as const
