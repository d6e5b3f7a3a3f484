const KiB = 1024
const MiB = 1024 * KiB

/** Bounds of the interpreter that decide outcomes: part of the execution version. */
export const VM_LIMITS = {
  /** Linear memory of an instance in pages of 64 KiB: 5.1 MiB are the program's data and stack, the rest is heap. */
  memoryPages: 512,
  /** Heap that one transaction may add, over all of its nested calls. Whole pages of 64 KiB are granted. */
  memoryBytesMax: 16 * MiB,
  /** Call depth of one transaction in bytes of machine stack, over all of its nested calls. */
  depthBytesMax: 512 * KiB,
  /** What a nested call takes from the depth for the host's own frames between two instances. */
  nestingDepthBytes: 16 * KiB,
  /** Stack in linear memory at which QuickJS throws `stack overflow`, which a contract can catch. */
  guestStackBytesMax: 96 * KiB,
  /** Arguments of an entry or of a host function: those of the widest ABI function (ABI_LIMITS.parametersMax) and a few of our own. */
  argumentsMax: 72,
  /** Arrays and objects within each other in a value that passes between host and guest. */
  nestingMax: 40,
  /** Source of one module, UTF-8. */
  sourceBytesMax: 1 * MiB,
  /** Entries of a module, and UTF-16 units of the name of one. */
  entriesMax: 4_096,
  entryNameMax: 65_536,
  /** Message and stack of a guest's error that are kept, in UTF-16 units. */
  errorTextMax: 2048,
} as const

/** Bounds of one interpreter's idle instances; they decide nothing but speed and memory. */
export const POOL_LIMITS = {
  /**
   * Idle instances that are kept: the deepest nesting of calls. One takes 0.1 MiB of the machine's memory, and what its heap once grew to: up
   * to `memoryBytesMax` more where contracts try to. It is kept all the same: clearing 16 MiB takes 2 ms, another instance up to 30.
   */
  instancesIdleMax: 17,
} as const
