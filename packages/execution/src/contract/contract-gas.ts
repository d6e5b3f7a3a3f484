import { disk } from '../ticks.ts'

/**
 * Prices of host functions in ticks (`ticks.ts`), in addition to `VM_GAS.hostCall` and `VM_GAS.hostByte`: at least 3,000 ticks
 * per microsecond of processor time, as in the host library (`library/library-gas.ts`). Disk work is given as `disk(gas)`, at 300
 * gas per microsecond. So a block of the default 72 million gas takes at most 240 ms, whatever it does. The comment beside each
 * price says what it pays for, in µs on the machine of docs/benchmarks.md. Part of the execution version.
 */
export const CONTRACT_GAS = {
  environment: {
    /** A bigint of more than 32 bits, which the interpreter makes from its serialisation: 0.8 µs */
    word: 2_500,
    /** An address as text: 1.2 µs for a checksum that is not cached, plus the text's copy to the guest */
    address: 5_000,
    /** An object with six members, one of them an address: 4 µs */
    block: 10_000,
  },
  /**
   * A key of the state: an account, a storage entry, a contract's record, a code. Charged once per key and transaction
   * (`key-gas.ts`).
   */
  key: {
    /** The first read, not in the database's cache: 20 µs */
    read: disk(6_000),
    /** The first write, in addition to its read: the value in the block's batch, the history entry and the tree leaf: 20 µs */
    write: disk(6_000),
  },
  storage: {
    /** `load` and `has` in memory: 1.8 µs for a non-ASCII key, or an address whose checksum is not cached */
    load: 5_500,
    /** `store` and `remove` in memory: 0.9 µs, and as much for the journal's entry, which stays until the block ends */
    store: 6_000,
    /** Each byte of a value that is read for the first time, decompression included: 0.0013 µs */
    loadByte: disk(1),
    /**
     * Each byte of the key, of the new value and of the old one (kept in the history): hashed, logged and written twice by the
     * database: 0.04 µs. If the transaction has written the value before, only the bytes above its longest value so far.
     */
    storeByte: disk(16),
    /** Each byte of each written value, because the journal keeps it until the block ends. */
    keptByte: 10,
    /** Each character of the name of a type that is not a scalar: 0.06 µs */
    typeChar: 200,
  },
  emit: {
    /** Encoding as in the library, the address in the block's bloom, the log in the receipt: 5 µs */
    base: 16_000,
    /** Each topic, in the bloom and in the receipt: 0.5 µs */
    topic: 1_500,
    /** Each byte of data, written and hashed with the receipts: 0.04 µs */
    byte: disk(16),
    /** Each indexed value that is stored as a hash in its topic: keccak256 of its words and bytes, 0.003 µs a byte */
    hashed: { value: 300, character: 30, byte: 10 },
  },
  revert: {
    /** Encoding and the exception's text: 4 µs */
    base: 12_000,
  },
  call: {
    /**
     * Before the message itself, which its frame charges for: options, address, checkpoint, outcome, which may be an exception: 5
     * µs, 6.5 for a failure
     */
    base: 20_000,
    /** Each character of a signature: 0.06 µs. keccak256 and the rest of parsing are part of the base. */
    signatureChar: 200,
    /** Each byte of data that is joined or returned: 0.001 µs */
    byte: 3,
  },
  /** `balanceOf`, `codeAt`. */
  account: {
    /** In memory: 0.7 µs for a balance, 3 for a code of 1 kB */
    base: 3_500,
    /** Each byte of a code that is read for the first time, as for a value: 0.0013 µs */
    codeByte: disk(1),
  },
} as const
