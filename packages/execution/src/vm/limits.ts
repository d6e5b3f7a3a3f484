const KiB = 1024
const MiB = 1024 * KiB

/** Limits of the interpreter that affect results: part of the execution version. */
export const VM_LIMITS = {
  /** Linear memory of an instance in pages of 64 KiB: 5.1 MiB hold the program's data and stack, the rest is heap. */
  memoryPages: 512,
  /** Heap growth of one transaction, over all of its nested calls. Whole pages of 64 KiB are granted. */
  memoryBytesMax: 16 * MiB,
  /** Call depth of one transaction in bytes of machine stack, over all of its nested calls. */
  depthBytesMax: 512 * KiB,
  /** Depth that a nested call uses for the host's own frames between two instances. */
  nestingDepthBytes: 16 * KiB,
  /** Stack in linear memory at which QuickJS throws `stack overflow`, which a contract can catch. */
  guestStackBytesMax: 96 * KiB,
  /**
   * Arguments of an entry or host function: the parameters of the widest ABI function (ABI_LIMITS.parametersMax) and a few more
   * for internal use.
   */
  argumentsMax: 72,
  /** Nesting of arrays and objects in a value that passes between host and guest. */
  nestingMax: 40,
  /** Bytes of one module's source in UTF-8. */
  sourceBytesMax: 1 * MiB,
  /** Entries of one module, and UTF-16 units of an entry's name. */
  entriesMax: 4_096,
  entryNameMax: 65_536,
  /** UTF-16 units that are kept of a guest error's message and stack, each. */
  errorTextMax: 2048,
} as const

/** Limits of one interpreter's idle instances. They affect only speed and memory use. */
export const POOL_LIMITS = {
  /**
   * Idle instances that are kept: the deepest nesting of calls. An instance takes 0.1 MiB, plus the largest heap that it has had:
   * up to `memoryBytesMax` more if contracts try to. It is kept anyway: clearing 16 MiB takes 2 ms, creating an instance up to 30
   * ms.
   */
  instancesIdleMax: 17,
} as const
