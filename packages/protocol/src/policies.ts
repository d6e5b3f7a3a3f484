import * as codec from './codec.ts'

/** Who may do something: everyone, or only accounts whose entry has the role for it. */
export const ACCESS = ['open', 'members'] as const
export type Access = (typeof ACCESS)[number]

/** Whom the chain lets do what. A change takes effect with the next block. */
export interface Policies {
  /** Who may send transactions. `members`: accounts with the role `sender`. Suspended accounts may not send under either. */
  readonly sending: Access
  /** Who may create contracts. `members`: accounts and contracts with the role `deployer`. */
  readonly deploying: Access
  /** Whom the RPC answers. `members`: identities with the role `reader`. It restricts what nodes answer, and keeps nothing secret among them. */
  readonly reading: Access
}

/** An open chain: everyone may send, deploy and read. */
export const OPEN_POLICIES: Policies = { sending: 'open', deploying: 'open', reading: 'open' }

const access: codec.Codec<Access> = codec.eitherOf('open', 'members')

export const policiesCodec: codec.Codec<Policies> = codec.struct({ sending: access, deploying: access, reading: access })
