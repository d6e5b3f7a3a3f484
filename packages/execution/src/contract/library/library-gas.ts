/**
 * Prices of the host library in ticks (`../../ticks.ts`): at least 3,000 per microsecond, so a million ticks take at most 333 µs.
 * The interpreter's own work takes 52 to 340 µs per million, so none of these functions is the cheapest way to slow down a block.
 * The comment beside each price gives the time of the unit in µs on the machine of docs/benchmarks.md (Node 20, ox-wasm for curve
 * and keccak256, node:crypto for SHA-256), with the most expensive arguments that were found. `npm run bench -- host-library`
 * measures them again and reports those above their price. Part of the execution version.
 */
export const LIBRARY_GAS = {
  keccak256: {
    /** 0.35 µs, and as much again for copying the hash to the guest */
    base: 2_600,
    /** 136 bytes: 0.39 µs */
    block: 1_400,
  },
  sha256: {
    /** 1 µs, most of it the call into OpenSSL */
    base: 4_000,
    /** 64 bytes: 0.045 µs */
    block: 200,
  },
  /** 97 µs; 60 with native libsecp256k1 */
  recover: { base: 350_000 },
  abiEncode: {
    /** 2.5 µs; 4 when a value does not fit its type, because an exception is thrown */
    base: 14_000,
    /** Each character of the list of types: 0.06 µs */
    typeChar: 300,
    /** Each value, array or struct: 0.28 µs for an empty string in an array, with its offset and length */
    value: 1_100,
    /** Each character of a string: 0.016 µs; 0.03 in an address, whose checksum is computed */
    character: 130,
    /** Each byte of `bytes`: 0.0014 µs */
    byte: 6,
  },
  abiDecode: {
    /** 1.2 µs */
    base: 5_000,
    typeChar: 300,
    /** 32 bytes: 0.3 µs for a string's text, 0.15 for short bytes */
    word: 1_200,
    /** 32 bytes if the types contain an address: 2.1 µs, because the checksum is computed */
    addressWord: 8_000,
  },
  typedData: {
    /** 20 µs for a domain of four fields and a message of one */
    base: 80_000,
    /**
     * Each character of the type: 0.25 µs in sixteen structs that each refer to the next, because each hashes all that follow it
     */
    typeChar: 900,
    /** Each value, array or struct: 1.1 µs, because a string or array is hashed */
    value: 4_200,
    /** 0.02 µs */
    character: 130,
    /** 0.003 µs */
    byte: 13,
  },
  sortedProof: {
    /** 0.4 µs */
    base: 1_900,
    /** 0.67 µs */
    node: 2_600,
  },
  orderedProof: {
    /** 1.5 µs, in addition to the item's SHA-256 */
    base: 5_000,
    /** 1.1 µs */
    node: 4_200,
  },
  /** 1.2 µs in either direction */
  address: { base: 5_000 },
  compareBytes: {
    /** 0.07 µs */
    base: 500,
    /** 0.001 µs */
    byte: 5,
  },
  concatBytes: {
    /** 0.13 µs */
    base: 650,
    /** Each part: 0.042 µs */
    value: 200,
    /** 0.0007 µs */
    byte: 4,
  },
  utf8: {
    /** 0.15 µs */
    base: 800,
    /** Each byte or UTF-16 unit: 0.009 µs */
    unit: 40,
  },
  hex: {
    /** 0.11 µs */
    base: 650,
    /** Each byte that becomes two digits, or each digit: 0.018 µs */
    unit: 80,
  },
} as const
