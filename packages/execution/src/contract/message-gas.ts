import { disk } from '../ticks.ts'

/**
 * Prices of messages in ticks (`ticks.ts`), in addition to the interpreter's instructions and the host functions: at least 3,000
 * ticks per microsecond of processor time on the machine of docs/benchmarks.md, with the most expensive arguments that were
 * found. `disk` prices are in gas, 300 per microsecond. Part of the execution version.
 */
export const MESSAGE_GAS = {
  /** Entering a contract (frame, record in memory): 2 µs */
  call: 6_000,
  /** 32 bytes of arguments or outputs. */
  word: 1_000,
  /** 32 bytes that may be an address, whose checksum is computed. */
  addressWord: 6_500,
  /** A contract transfers value (two balances in memory): 0.5 µs. The accounts that change are paid for as keys. */
  value: 1_500,
  /** First use of a code in a block, priced as if its program came from disk. */
  load: {
    /** One read, and decoding it */
    base: disk(8_000),
    /** Each KiB of the image's heap, rebuilt in memory */
    imageKiB: disk(25),
    /** Each KiB of the stored image, which holds its differences from the base image */
    packedKiB: disk(150),
    /** Each KiB of the stored interface: names, selectors, types */
    interfaceKiB: disk(1_500),
  },
  /**
   * Creating a contract or replacing its code. A code that the state has costs `base`, `hashedByte`, reading the code's record and
   * the code's first use in the block (`load`). Another one costs the rest in addition, and evaluating the module.
   */
  creation: {
    /** The account, read and written, and two more written keys: record and version description */
    base: disk(24_000),
    /** Each byte of the container and the bytes behind it, hashed to find the code; once more for the address with a salt. */
    hashedByte: disk(2),
    /** A new code: two more written keys, the code and its record */
    code: disk(12_000),
    /** Each byte of a new container, which becomes a code of the state. */
    codeByte: disk(5),
    /** Each KiB of the new image's heap: it is taken and compared */
    imageKiB: disk(500),
    /** Each KiB of the stored program */
    storedKiB: disk(1_500),
  },
  /** A call of a native contract. */
  native: disk(3_000),
} as const
