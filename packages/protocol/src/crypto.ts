/**
 * The cryptographic power. Protocol, consensus, execution and tree receive one; `noble.ts` is the portable one (browser, test
 * oracle), the node passes faster ones. Every backend must agree on every input: the node cross-checks its own at start-up.
 *
 * All functions are synchronous and total over well-sized inputs; a wrong size is a bug and throws.
 */
export interface Crypto {
  /** Name of the backend, for logs and metrics. */
  readonly name: string
  /** 32 bytes. */
  keccak256(bytes: Uint8Array): Uint8Array
  /** 32 bytes. */
  sha256(bytes: Uint8Array): Uint8Array
  /**
   * SHA-256 of `count` consecutive 64-byte blocks of `input`, as consecutive 32-byte digests in `output`. The unit of Merkle trees.
   * `output` may be the same memory as the beginning of `input`.
   */
  hashPairs(input: Uint8Array, output: Uint8Array, count: number): void
  /**
   * Uncompressed public key (64 bytes, without the 04 prefix) that made a signature over a 32-byte digest, or undefined when there is
   * none. `signature` is r ‖ s (64 bytes). High s (EIP-2, above half the order), zero r or s, and values beyond the order give undefined.
   */
  recover(digest: Uint8Array, signature: Uint8Array, yParity: 0 | 1): Uint8Array | undefined
  /** Whether r ‖ s (64 bytes, low s only) is `publicKey`'s (33 bytes, compressed) signature over the 32-byte digest. */
  verify(digest: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean
  /** Deterministic (RFC 6979), low-s signature over a 32-byte digest by a 32-byte secret key. */
  sign(digest: Uint8Array, secretKey: Uint8Array): { readonly signature: Uint8Array; readonly yParity: 0 | 1 }
  /** Compressed public key, 33 bytes, of a secret key; undefined when the key is zero or not below the order. */
  publicKey(secretKey: Uint8Array): Uint8Array | undefined
  /** 64-byte uncompressed form (without 04) of a compressed key, or undefined when it is not a point. */
  decompress(publicKey: Uint8Array): Uint8Array | undefined
}
