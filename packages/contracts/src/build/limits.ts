/** Limits of a build. They bound the work that an author's module can cause. */
export const BUILD_LIMITS = {
  entriesMax: 256,
  /** Items of a declared ABI; applied before the protocol's own check. */
  abiItemsMax: 512,
  /** Length of one human-readable ABI line. Bounds the work of the parser's regular expressions. */
  abiLineCharsMax: 4_096,
  layoutFieldsMax: 1_024,
  layoutTypeCharsMax: 1_024,
  reentrantMax: 512,
  /** Gas for evaluating a module including the kit's checks of the declaration, and again for returning the declaration: some 200 ms each. */
  descriptionGasMax: 60_000_000,
  descriptionMemoryBytesMax: 8 * 1024 * 1024,
  /** Diagnostics that one build returns. */
  diagnosticsMax: 200,
  /** Characters of the source line in a diagnostic. */
  lineTextCharsMax: 400,
  /** Bytes of the type checker's output that are read. */
  typeCheckBytesMax: 4 * 1024 * 1024,
  /** Directories that one watch observes. */
  watchedDirectoriesMax: 256,
  /** A watch waits this long after the last change before it builds, because editors write a file in several steps. */
  watchSettleMs: 40,
} as const
