/** Limits of host functions: part of the execution version. */
export const CONTRACT_LIMITS = {
  /**
   * Bytes of an encoded storage value. Below `stateValueBytesMax`, so that writing one value to disk takes a small part of a
   * block's time.
   */
  storedValueBytesMax: 64 * 1024,
  /** Characters of the name of a stored value's type. */
  storedTypeCharsMax: 512,
  /** Characters of a called function's signature, outputs included. */
  signatureCharsMax: 2_048,
  /** Characters of the signature by which a module names one of its functions. The image keeps the names of its entries. */
  entrySignatureCharsMax: 8_192,
  /** UTF-16 units of the message of a host function's exception. */
  errorTextCharsMax: 1_024,
} as const

/** Cache sizes. They affect only speed and memory use. */
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
