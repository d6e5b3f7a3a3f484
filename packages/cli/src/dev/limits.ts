/** Bounds of the development node; a number of things unless the name says a unit. */
export const DEV_LIMITS = {
  /** Accounts that the mnemonic funds. */
  accountsMax: 1_000,
  /** Blocks that one request makes: some seconds of work. */
  minedBlocksMax: 10_000,
  /** Snapshots that are kept; the oldest is forgotten first. */
  snapshotsMax: 1_024,
  /** Least time between two blocks of interval mining. */
  blockTimeMsMin: 1,
  /** Most time between two blocks of interval mining: Node's longest timer is one of 2^31 ms. */
  blockTimeMsMax: 86_400_000,
  /** Accounts that are impersonated at a time. */
  impersonatedMax: 4_096,
  /** Artifact modules that are read. */
  artifactsMax: 1_024,
  artifactBytesMax: 16 * 1024 * 1024,
} as const
