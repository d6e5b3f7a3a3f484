/** Bounds of what a contract may do through its host functions: part of the execution version. */
export const CONTRACT_LIMITS = {
  /** A value in storage, encoded. Below `stateValueBytesMax`, so that one value's way to the disk stays a small part of a block's time. */
  storedValueBytesMax: 64 * 1024,
  /** Name of a storage value's type. */
  storedTypeCharsMax: 512,
  /** Signature of a called function, outputs included. */
  signatureCharsMax: 2_048,
  /** Signature by which a module names one of its functions: an image is kept with the names of its entries. */
  entrySignatureCharsMax: 8_192,
  /** Text of an exception that a host function throws, in UTF-16 units. */
  errorTextCharsMax: 1_024,
} as const

/** Bounds of caches; they decide nothing but speed and memory. */
export const CONTRACT_CACHE_LIMITS = {
  /** Parsed types of storage values. */
  typesMax: 512,
  /** Parsed signatures of called functions. */
  signaturesMax: 512,
  /** Addresses as text with their checksum. */
  addressesMax: 4_096,
  /** State keys of contracts' records. */
  recordKeysMax: 1_024,
} as const
