import type { Address, Hash } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'
import { type SigningDomain, signingDigest } from './domain.ts'
import type { Height, Round } from './numbers.ts'
import { signature } from './vote.ts'

/** A proposer's word that this block is its proposal of the round. The block's content travels beside it. */
export interface UnsignedProposal {
  readonly height: Height
  readonly round: Round
  /** Block hash. */
  readonly valueId: Hash
  /** Round of the proof of lock that a re-proposal rests on; undefined for a fresh proposal (the paper's -1). */
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

/** A proof of lock can only come from an earlier round. */
export const proposalCodec: codec.Codec<Proposal> = codec.checked(
  codec.struct({ ...payloadFields, proposer: codec.address, signature }),
  ({ polRound, round }) =>
    polRound !== undefined && polRound >= round ? `proof-of-lock round ${polRound} is not before round ${round}` : undefined,
)

export function proposalDigest(crypto: Crypto, domain: SigningDomain, proposal: Omit<UnsignedProposal, 'proposer'>): Uint8Array {
  return signingDigest(crypto, domain, 'proposal', payload, proposal)
}
