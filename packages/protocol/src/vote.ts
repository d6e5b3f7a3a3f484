import type { Address, Hash } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'
import { type SigningDomain, signingDigest } from './domain.ts'
import type { Height, Round } from './numbers.ts'

export type VoteKind = 'prevote' | 'precommit'

/** What a validator says of a round: for a block (its hash), or for none. */
export interface UnsignedVote {
  readonly kind: VoteKind
  readonly height: Height
  readonly round: Round
  /** Block hash; undefined is a vote for nil. */
  readonly valueId: Hash | undefined
  readonly validator: Address
}

export interface Vote extends UnsignedVote {
  /** r ‖ s, low s. */
  readonly signature: Uint8Array
}

export const signature = codec.fixedBytes(64)

export const voteCodec: codec.Codec<Vote> = codec.struct({
  kind: codec.eitherOf('prevote', 'precommit'),
  height: codec.u64<Height>(),
  round: codec.u32<Round>(),
  valueId: codec.optional(codec.hash),
  validator: codec.address,
  signature,
})

/** The signed content: the signer is known by its key, the kind stands in the domain. */
const votePayload = codec.struct({ height: codec.u64<Height>(), round: codec.u32<Round>(), valueId: codec.optional(codec.hash) })

export function voteDigest(crypto: Crypto, domain: SigningDomain, vote: Omit<UnsignedVote, 'validator'>): Uint8Array {
  return signingDigest(crypto, domain, vote.kind, votePayload, vote)
}
