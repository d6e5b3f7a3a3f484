import { disk } from '../ticks.ts'

/**
 * What a message costs besides the instructions of the engine and its host functions, in ticks (`ticks.ts`): at least 3,000 a microsecond of
 * the processor on the machine of docs/benchmarks.md, with the dearest arguments that were found. `disk` prices are in gas, 300 a microsecond.
 * Part of the execution version.
 */
export const MESSAGE_GAS = {
  /** Entering a contract: frame, record in memory: 1 µs */
  call: 3_000,
  /** 32 bytes of arguments or outputs. */
  word: 1_000,
  /** 32 bytes that may be an address, whose checksum is made. */
  addressWord: 6_500,
  /** A contract moves value: two balances in memory, 0.5 µs. The accounts that change for it are paid for as keys. */
  value: 1_500,
  /** First use of a code in a block, as if its image came from disk. */
  load: {
    /** 0.2 ms: reads, and the image made whole */
    base: disk(60_000),
    /** KiB of the image's heap: 1.3 µs of one of 1 MiB */
    imageKiB: disk(400),
    /** KiB of the container, which is read, hashed and checked: 10 µs */
    codeKiB: disk(3_000),
    /** KiB of its ABI, which is parsed, checked and compiled: 40 µs, 60 with deep structs */
    abiKiB: disk(12_000),
  },
  /** Creating a contract or replacing its code, besides evaluating the module: record, history. */
  creation: disk(30_000),
  /** KiB of the new image: it is taken, compared and written. 1 MiB: 7 ms */
  creationImageKiB: disk(2_100),
  /** Each byte of a container that becomes an account's code. */
  codeByte: disk(16),
  /** A call of the native contract. */
  native: disk(3_000),
} as const
