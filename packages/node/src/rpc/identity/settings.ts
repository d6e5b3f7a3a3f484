/** A file's content, and its name for messages. */
export interface NamedText {
  readonly name: string
  readonly text: string
}

/** How tokens are checked. */
export interface TokenSettings {
  /** The secret of HS256 in hex; undefined if the node takes no such tokens. */
  readonly secret: NamedText | undefined
  /** Public keys for RS256 and ES256: PEM or a JSON Web Key Set. */
  readonly keys: readonly NamedText[]
  /** What the claim `iss` must be; undefined if it is not looked at. */
  readonly issuer: string | undefined
  /** What the claim `aud` must be or contain; undefined if it is not looked at. */
  readonly audience: string | undefined
  /** Longest time from a token's issue to its expiry, in seconds. */
  readonly lifetimeS: number
}

/** Whom the RPC answers. It is sent to the RPC thread, so it holds texts and no key objects. */
export interface IdentitySettings {
  /** Undefined if the node takes no tokens. */
  readonly tokens: TokenSettings | undefined
  /** Patterns of methods that need no identity where the chain lets only members read. */
  readonly openMethods: readonly string[]
  /** Rules of methods, such as `debug_*: auditor`. The first that matches holds. */
  readonly methodRules: readonly string[]
}
