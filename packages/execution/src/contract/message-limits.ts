/** Limits of messages between accounts and contracts: part of the execution version. */
export const MESSAGE_LIMITS = {
  /** Frames of one transaction that are on the call stack at once. */
  callDepthMax: 16,
  /** A caller keeps 1/64 of its gas (EIP-150), so that it can go on when the call used up the rest. */
  gasKept: 64,
  /** Calls in one aggregate of Multicall3. */
  aggregatedCallsMax: 1_024,
  /** Gas for evaluating a module, at deployment and whenever its image must be made again: 50 ms. */
  evaluationGasMax: 15_000_000,
  /** Bytes by which evaluating a module may grow the heap: what an image adds to the base image. */
  imageGrowthBytesMax: 2 * 1024 * 1024,
  /**
   * Bytes of the images of the codes whose loads a block has paid for (`loaded-codes.ts`). A code that the block used before as many
   * others pays for its load again.
   */
  loadedBytesMax: 128 * 1024 * 1024,
} as const

/** Limit of one executor's program cache. It affects only speed and memory use. */
export const PROGRAM_CACHE_LIMITS = {
  /**
   * Bytes of the cached images. Twice the codes that count as loaded, so that these are in the cache even if failed creations have
   * put others there.
   */
  bytesMax: 2 * MESSAGE_LIMITS.loadedBytesMax,
} as const
