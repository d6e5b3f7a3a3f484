/** Limits of the state tree. None of them affects a root. */
export const TREE_LIMITS = {
  /** Range of D, the bits of a key that select a bucket. The upper tree takes 2^(D+1) * 32 bytes of memory. */
  depthMin: 1,
  depthMax: 24,
  /** Changes in one batch: while they are sorted, a position shares a double with 32 bits of the key. */
  changesMax: 2 ** 20,
  /**
   * Leaves in one record. A larger bucket is split in 16, because finding keys that share 20 bits costs an attacker next to
   * nothing.
   */
  pageLeavesMax: 128,
  /**
   * Leaves below a split at which they are joined into one record again; well below `pageLeavesMax`, so that batches do not
   * alternate between splitting and joining.
   */
  joinLeavesMax: 64,
  /** Undo records that one batch deletes; there is more than one only after the history was shortened. */
  prunedHeightsMax: 128,
  /** Past heights whose upper nodes a reader keeps, until it moves to another head. Each takes up to 48 MB after 64 blocks of 5,000 changes. */
  viewsMax: 2,
  /** Undo records with former pages that a reader keeps, in bytes. The last one may be larger. */
  undoPagesBytesMax: 16 * 1024 * 1024,
  /** Attempts of a reader to make a proof while blocks are committed. One block can disturb at most one attempt. */
  proofAttemptsMax: 4,
  /** Bytes of working memory that each buffer keeps from batch to batch. */
  scratchBytesMax: 16 * 1024 * 1024,
} as const
