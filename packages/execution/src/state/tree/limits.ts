/** Bounds of the state tree. None of them changes a root. */
export const TREE_LIMITS = {
  /** Bits of a key that address a bucket; memory of the upper tree is 2^(D+1) * 32 bytes. */
  depthMin: 1,
  depthMax: 24,
  /** Changes in one batch: their positions share a double with 32 bits of the key when they are sorted. */
  changesMax: 2 ** 20,
  /** Leaves in one record. A bucket that grows beyond is split in 16, because aiming 20 bits of a key costs next to nothing. */
  pageLeavesMax: 128,
  /** Leaves below a split that are joined into one record again; well below the former, so that no batch flips to and fro. */
  joinLeavesMax: 64,
  /** Undo records that one batch deletes; more than one only after the history was made shorter. */
  prunedHeightsMax: 128,
  /** Past views that are kept between two commits. */
  viewsMax: 4,
  /** Working memory kept from one batch to the next, each buffer. */
  scratchBytesMax: 16 * 1024 * 1024,
} as const
