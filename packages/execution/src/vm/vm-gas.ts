import type { Ticks } from '../ticks.ts'

/**
 * What the interpreter charges besides executed instructions (`meter/weights.ts`), in the same unit, ticks (`../ticks.ts`): one plain instruction
 * of the interpreter's binary. All that the interpreter calls gas is counted in them. Part of the execution version.
 */
export const VM_GAS = {
  /** Restoring an image before a call, whatever its size: the fixed data of the interpreter. */
  restore: 20_000,
  /** Restoring an image: each KiB of its heap, from memory that no cache of the processor holds. */
  restoreKiB: 160,
  /** Each page of 4 KiB of stack or heap that a call is the first to write: it is taken from the system and cleared again. */
  page: 1_500,
  /** A call of a host function, before its own price. */
  hostCall: 400,
  /** Each character of a string and byte of a Uint8Array that passes between host and guest, and each byte of a serialised structure. */
  hostByte: 3,
  /** Each character of a string or name in a structure for the guest besides: JavaScript takes it apart. */
  hostCharacter: 8,
  /** Each array and object that the host reads, besides what is in it. */
  hostObject: 600,
  /** Each element and member that the host reads or writes. */
  hostMember: 600,
} as const

/** Gas for restoring an image whose heap has this many bytes. */
export const restoreGas = (heapBytes: number): Ticks => VM_GAS.restore + Math.ceil(heapBytes / 1024) * VM_GAS.restoreKiB
