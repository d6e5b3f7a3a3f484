import type { Address, Hash } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'
import { type SigningDomain, signingDigest } from './domain.ts'
import type { Height, Round } from './numbers.ts'
import { signature } from './vote.ts'

/** The content of a proposal: the proposer of a round names its block by hash. The block itself is sent separately. */
export interface UnsignedProposal {
  readonly height: Height
  readonly round: Round
  /** Block hash. */
  readonly valueId: Hash
  /** For a re-proposal, the round of its proof of lock (validRound). Undefined for a fresh proposal, where arXiv:1807.04938 has -1. */
  readonly polRound: Round | undefined
  readonly proposer: Address
}

export interface Proposal extends UnsignedProposal {
  readonly signature: Uint8Array
}

const payloadFields = {
  height: codec.u64<Height>(),
  round: codec.u32<Round>(),
  valueId: codec.hash,
  polRound: codec.optional(codec.u32<Round>()),
} as const

const payload = codec.struct(payloadFields)

/** Refuses a proof of lock that is not from an earlier round. */
export const proposalCodec: codec.Codec<Proposal> = codec.checked(
  codec.struct({ ...payloadFields, proposer: codec.address, signature }),
  ({ polRound, round }) =>
    polRound !== undefined && polRound >= round ? `proof-of-lock round ${polRound} must be before round ${round}` : undefined,
)

/** The 32-byte digest that a proposer signs. It does not contain the proposer's address. */
export function proposalDigest(crypto: Crypto, domain: SigningDomain, proposal: Omit<UnsignedProposal, 'proposer'>): Uint8Array {
  return signingDigest(crypto, domain, 'proposal', payload, proposal)
}
