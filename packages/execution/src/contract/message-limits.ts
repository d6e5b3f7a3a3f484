/** Bounds of messages between accounts and contracts: part of the execution version. */
export const MESSAGE_LIMITS = {
  /** Frames of one transaction that are under way at once. */
  callDepthMax: 16,
  /** A caller keeps this part of its gas (EIP-150): it can go on when what it called used up the rest. */
  gasKept: 64,
  /** Calls of one aggregate of Multicall3. */
  aggregatedCallsMax: 1_024,
  /** Gas of evaluating a module, at deployment and whenever its image must be made again: 50 ms. */
  evaluationGasMax: 15_000_000,
  /** Growth of the heap by evaluating a module: what an image adds to the interpreter's own. */
  imageGrowthBytesMax: 2 * 1024 * 1024,
} as const

/** Bound of one executor's programs; decides nothing but speed and memory. */
export const PROGRAM_CACHE_LIMITS = {
  /** Images, by their own bytes. */
  bytesMax: 256 * 1024 * 1024,
} as const
