/** Bounds of a build: what an author's module may make the build do. */
export const BUILD_LIMITS = {
  entriesMax: 256,
  /** Items of a declared ABI, before the protocol's own check. */
  abiItemsMax: 512,
  /** One human-readable line of an ABI: the parser's regular expressions run over it. */
  abiLineCharsMax: 4_096,
  layoutFieldsMax: 1_024,
  layoutTypeCharsMax: 1_024,
  reentrantMax: 512,
  /** Gas of evaluating a module together with the kit's checks of what it declares, and once more of handing that over: some 200 ms each. */
  descriptionGasMax: 60_000_000,
  descriptionMemoryBytesMax: 8 * 1024 * 1024,
  /** Diagnostics that one build answers with. */
  diagnosticsMax: 200,
  /** Characters of a source line that a diagnostic carries. */
  lineTextCharsMax: 400,
  /** Output of the type checker that is read. */
  typeCheckBytesMax: 4 * 1024 * 1024,
  /** Directories that a watch listens to. */
  watchedDirectoriesMax: 256,
  /** A watch builds so long after the last change: editors write a file in several steps. */
  watchSettleMs: 40,
} as const
