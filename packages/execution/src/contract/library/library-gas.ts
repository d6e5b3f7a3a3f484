/**
 * Prices of the host library in ticks (`../../ticks.ts`): at least 3,000 a microsecond, so that a million is at most 333 µs. The interpreter's
 * own work takes 52 to 340, so that none of these functions is the cheapest way to make a block slow. Beside each price stands what the unit takes, in µs on the
 * machine of docs/benchmarks.md (Node 20, ox-wasm for curve and keccak256, node:crypto for SHA-256), with the dearest arguments that were found;
 * `npm run bench -- host-library` measures them again and names what is over. Part of the execution version.
 */
export const LIBRARY_GAS = {
  keccak256: {
    /** 0.35 µs, and as much again for the bytes that the guest gets */
    base: 2_600,
    /** 136 bytes: 0.39 µs */
    block: 1_400,
  },
  sha256: {
    /** 1 µs, most of it the way to OpenSSL */
    base: 4_000,
    /** 64 bytes: 0.045 µs */
    block: 200,
  },
  /** 97 µs; 60 where libsecp256k1 is native */
  recover: { base: 350_000 },
  abiEncode: {
    /** 2.5 µs; 4 when a value does not fit its type, for an exception is thrown */
    base: 14_000,
    /** A character of the list of types: 0.06 µs */
    typeChar: 300,
    /** A value, array or struct: 0.28 µs for an empty string in an array, with its offset and length */
    value: 1_100,
    /** A character of a string: 0.016 µs; 0.03 in an address, whose checksum is computed */
    character: 130,
    /** A byte of `bytes`: 0.0014 µs */
    byte: 6,
  },
  abiDecode: {
    /** 1.2 µs */
    base: 5_000,
    typeChar: 300,
    /** 32 bytes: 0.3 µs of a string's text, 0.15 of short bytes */
    word: 1_200,
    /** 32 bytes where the types have an address: 2.1 µs, for the checksum is made */
    addressWord: 8_000,
  },
  typedData: {
    /** 20 µs for a domain of four fields and a message of one */
    base: 80_000,
    /** A character of the type: 0.25 µs in sixteen structs that each refer to the next, for each has its own hash of those behind it */
    typeChar: 900,
    /** A value, array or struct: 1.1 µs, for a string or array is hashed */
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
    /** 1.5 µs, besides the item's SHA-256 */
    base: 5_000,
    /** 1.1 µs */
    node: 4_200,
  },
  /** Either way: 1.2 µs */
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
    /** A part: 0.042 µs */
    value: 200,
    /** 0.0007 µs */
    byte: 4,
  },
  utf8: {
    /** 0.15 µs */
    base: 800,
    /** A byte or UTF-16 unit: 0.009 µs */
    unit: 40,
  },
  hex: {
    /** 0.11 µs */
    base: 650,
    /** A byte that becomes two digits, or a digit: 0.018 µs */
    unit: 80,
  },
} as const
