import { disk } from '../ticks.ts'

/**
 * What contracts pay for the work of their host functions, on top of `VM_GAS.hostCall` and `VM_GAS.hostByte`, in ticks (`ticks.ts`): at least
 * 3,000 a microsecond of the processor, as in the host library (`library/library-gas.ts`). What goes to the disk stands here as `disk(gas)`, 300 gas a
 * microsecond. So a block of the default 72 million gas takes 240 ms, whatever it does. Beside each price stands what it pays for, in µs on the
 * machine of docs/benchmarks.md. Part of the execution version.
 */
export const CONTRACT_GAS = {
  environment: {
    /** A bigint of more than 32 bits, which the interpreter makes of its serialisation: 0.8 µs */
    word: 2_500,
    /** An address's text: 1.2 µs for a checksum that is not in the cache, and the text's way to the guest */
    address: 5_000,
    /** An object of six members, one of them an address: 4 µs */
    block: 10_000,
  },
  /** A key of the state: an account, an entry of storage, a contract's record, a code. Once for each in a transaction (`key-gas.ts`). */
  key: {
    /** The first read, which is not in the database's cache: 20 µs */
    read: disk(6_000),
    /** The first write, besides its read: the value in the block's batch, the history's entry and the tree's leaf: 20 µs */
    write: disk(6_000),
  },
  storage: {
    /** `load`, `has`, in memory: 1.8 µs for a key that is no ASCII, or an address whose checksum is not in the cache */
    load: 5_500,
    /** `store`, `remove`, in memory: 0.9 µs, and as much for the journal's entry, which stays until the block ends */
    store: 6_000,
    /** A byte of a value that is read for the first time, decompression included: 0.0013 µs */
    loadByte: disk(1),
    /**
     * A byte of the key, of the new value and of the old one, which goes to the history: hashed, logged and written twice by the database:
     * 0.04 µs. Of a value that was written before, what the new one has more than the longest so far.
     */
    storeByte: disk(16),
    /** A byte of each value that is written: what the journal keeps until the block ends. */
    keptByte: 10,
    /** A character of the name of a type that is no scalar: 0.06 µs */
    typeChar: 200,
  },
  emit: {
    /** Encoding as in the library, the address in the block's bloom, the log in the receipt: 5 µs */
    base: 16_000,
    /** A topic in the bloom and in the receipt: 0.5 µs */
    topic: 1_500,
    /** A byte of data, written and hashed with the receipts: 0.04 µs */
    byte: disk(16),
    /** A value that is in its topic as a hash: keccak256 of the words and bytes that it takes, 0.003 µs a byte */
    hashed: { value: 300, character: 30, byte: 10 },
  },
  revert: {
    /** Encoding and the text of the exception: 4 µs */
    base: 12_000,
  },
  call: {
    /** Before the message itself, whose price is the frame's: options, address, checkpoint, outcome, which may be an exception: 5 µs, 6.5 for a failure */
    base: 20_000,
    /** A character of a signature: 0.06 µs; keccak256 and the rest of parsing are in the base. */
    signatureChar: 200,
    /** A byte of data that is joined or returned: 0.001 µs */
    byte: 3,
  },
  /** `balanceOf`, `codeAt`. */
  account: {
    /** In memory: 0.7 µs of a balance, 3 with a code of 1 kB */
    base: 3_500,
    /** A byte of a code that is read for the first time, as of a value: 0.0013 µs */
    codeByte: disk(1),
  },
} as const
