import type { Ticks } from '../ticks.ts'

/**
 * What the interpreter charges in addition to executed instructions (`meter/weights.ts`), in the same unit, ticks
 * (`../ticks.ts`): one plain instruction of the interpreter's binary. In this folder, "gas" is always counted in ticks. Part of
 * the execution version.
 */
export const VM_GAS = {
  /** Restoring an image before a call, independent of its size: the interpreter's fixed data. */
  restore: 20_000,
  /** Restoring an image: each KiB of its heap, read from memory that is in no processor cache. */
  restoreKiB: 160,
  /**
   * Each 4 KiB page of stack or heap that the call is the first to write: the system provides it and it is cleared again later.
   */
  page: 1_500,
  /** Each call of a host function, in addition to the function's own price. */
  hostCall: 400,
  /** Each character of a string and byte of a Uint8Array that passes between host and guest, and each byte of a serialised structure. */
  hostByte: 3,
  /**
   * Extra price of each character of a string or name in a structure for the guest: JavaScript encodes it character by character.
   */
  hostCharacter: 8,
  /** Each array and object that the host reads, in addition to its contents. */
  hostObject: 600,
  /** Each element and member that the host reads or writes. */
  hostMember: 600,
} as const

/** Ticks for restoring an image with a heap of this many bytes. */
export const restoreGas = (heapBytes: number): Ticks => VM_GAS.restore + Math.ceil(heapBytes / 1024) * VM_GAS.restoreKiB
