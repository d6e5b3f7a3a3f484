/** Limits of tokens, and of what is remembered about who asks. Times have their unit at the end of the name. */
export const IDENTITY_LIMITS = {
  /** Characters of a token. One that names an account has 300 to 800, so that it fits into the headers of the fast path too. */
  tokenCharsMax: 4_096,
  /** Bytes of a file with keys, of a secret, or of a certificate. */
  fileBytesMax: 65_536,
  /** Public keys of all files together. A token without `kid` is tried with each key of its algorithm. */
  keysMax: 32,
  /** Bytes of a shared secret: as many as the digest of HS256 has (RFC 7518, 3.2). */
  secretBytesMin: 32,
  /** How far clocks of the issuer and of this node may differ, in seconds. */
  clockToleranceS: 30,
  /** Longest setting of a token's lifetime, in seconds: 31 days. A token cannot be revoked before it expires. */
  lifetimeSMax: 2_678_400,
  /** Cache of verified tokens, in characters of their texts. */
  verifiedCharsMax: 4 * 1024 * 1024,
  /** Units that an unknown token costs its network address: a signature takes up to 0.3 ms, for each key that is tried. */
  unknownTokenWeight: 20,
  /** How late a WebSocket is closed after its token has expired, in milliseconds. */
  expiryCheckMs: 1_000,
  /** Accounts whose entries are remembered for one head. */
  membersKeptMax: 16_384,
} as const
