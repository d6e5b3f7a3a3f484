/** Limits of genesis. They decide whether a genesis is valid, so they are part of the execution version. */
export const GENESIS_LIMITS = {
  /** Gas of a system contract's constructor: what a transaction has by default. */
  genesisConstructorGasMax: 36_000_000,
} as const
