/**
 * Hash functions and secp256k1, which callers pass as an argument. `nobleCrypto` runs everywhere and is the oracle of the tests; the node passes
 * faster backends. All backends must give the same result for every input. The node compares its own at start-up.
 *
 * All functions are synchronous. They throw RangeError for an input of the wrong size, which is a bug of the caller, and otherwise return a
 * result for every input, except `sign`.
 */
export interface Crypto {
  /** Name of the backend, for logs and metrics. */
  readonly name: string
  /** Keccak-256 as in Ethereum, 32 bytes. Not SHA3-256, which pads differently. */
  keccak256(bytes: Uint8Array): Uint8Array
  /** SHA-256 (FIPS 180-4), 32 bytes. */
  sha256(bytes: Uint8Array): Uint8Array
  /**
   * Hashes one level of a Merkle tree: writes the SHA-256 of each of `count` consecutive 64-byte blocks to `output`, one 32-byte digest after
   * the other.
   *
   * @param output may be the same memory as the beginning of `input`.
   */
  hashPairs(input: Uint8Array, output: Uint8Array, count: number): void
  /**
   * Recovers the key that made a signature.
   *
   * @param digest 32 bytes.
   * @param signature r ‖ s, 64 bytes.
   * @returns the uncompressed public key (64 bytes, without the prefix 04), or undefined if no key can have made the signature, if r or s is 0
   * or not below the order of the group, or if s is above half the order (EIP-2).
   */
  recover(digest: Uint8Array, signature: Uint8Array, yParity: 0 | 1): Uint8Array | undefined
  /**
   * Verifies a signature. Signatures that `recover` refuses for their r or s are invalid here too.
   *
   * @param digest 32 bytes.
   * @param signature r ‖ s, 64 bytes.
   * @param publicKey compressed, 33 bytes.
   */
  verify(digest: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean
  /**
   * Signs a digest with a deterministic nonce (RFC 6979) and a low s (EIP-2).
   *
   * @param digest 32 bytes.
   * @param secretKey 32 bytes.
   * @throws RangeError if the key is 0 or not below the order of the group. `publicKey` tells in advance.
   */
  sign(digest: Uint8Array, secretKey: Uint8Array): { readonly signature: Uint8Array; readonly yParity: 0 | 1 }
  /**
   * The public key of a 32-byte secret key.
   *
   * @returns the compressed key (33 bytes), or undefined if the secret key is 0 or not below the order of the group.
   */
  publicKey(secretKey: Uint8Array): Uint8Array | undefined
  /**
   * The uncompressed form of a compressed public key (33 bytes).
   *
   * @returns 64 bytes, without the prefix 04, or undefined if the key is not a point on the curve.
   */
  decompress(publicKey: Uint8Array): Uint8Array | undefined
}
