/** Limits of the development node. Values are counts unless the name ends with a unit. */
export const DEV_LIMITS = {
  /** Accounts that the mnemonic funds. */
  accountsMax: 1_000,
  /** Blocks per request; this many take some seconds. */
  minedBlocksMax: 10_000,
  /** The oldest snapshot is dropped first. */
  snapshotsMax: 1_024,
  /** Minimum time between two blocks of interval mining. */
  blockTimeMsMin: 1,
  /** Maximum time between two blocks of interval mining. Node.js timers are limited to 2^31 - 1 ms. */
  blockTimeMsMax: 86_400_000,
  /** Accounts that are impersonated at the same time; the oldest is dropped first. */
  impersonatedMax: 4_096,
  /** Modules that are read from the artifact directory. */
  artifactsMax: 1_024,
  artifactBytesMax: 16 * 1024 * 1024,
} as const
