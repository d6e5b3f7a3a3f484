import { disk } from '../ticks.ts'

/**
 * What a message costs besides the instructions of the interpreter and its host functions, in ticks (`ticks.ts`): at least 3,000 a microsecond of
 * the processor on the machine of docs/benchmarks.md, with the dearest arguments that were found. `disk` prices are in gas, 300 a microsecond.
 * Part of the execution version.
 */
export const MESSAGE_GAS = {
  /** Entering a contract: frame, record in memory: 2 µs */
  call: 6_000,
  /** 32 bytes of arguments or outputs. */
  word: 1_000,
  /** 32 bytes that may be an address, whose checksum is made. */
  addressWord: 6_500,
  /** A contract moves value: two balances in memory, 0.5 µs. The accounts that change for it are paid for as keys. */
  value: 1_500,
  /** First use of a code in a block, as if its program came from disk. */
  load: {
    /** A read, and what is made of it */
    base: disk(8_000),
    /** KiB of the image's heap, made whole in memory */
    imageKiB: disk(25),
    /** KiB of what is stored of the image: what it has beyond the one that all have in common */
    packedKiB: disk(150),
    /** KiB of what is stored of the interface: names, selectors, types */
    interfaceKiB: disk(1_500),
  },
  /** Creating a contract or replacing its code, besides evaluating the module. */
  creation: {
    /** Account, code, record and description of the version: four keys that are written */
    base: disk(30_000),
    /** Each byte of a container that becomes an account's code, and of what follows it. */
    codeByte: disk(5),
    /** KiB of the new image's heap: it is taken and compared */
    imageKiB: disk(500),
    /** KiB of the program as it is stored */
    storedKiB: disk(1_500),
  },
  /** A call of the native contract. */
  native: disk(3_000),
} as const
