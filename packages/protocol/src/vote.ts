import type { Address, Hash } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'
import { type SigningDomain, signingDigest } from './domain.ts'
import type { Height, Round } from './numbers.ts'

export type VoteKind = 'prevote' | 'precommit'

/** The content of a vote: a validator votes in a round for a block or for nil. */
export interface UnsignedVote {
  readonly kind: VoteKind
  readonly height: Height
  readonly round: Round
  /** Block hash, or undefined for nil. */
  readonly valueId: Hash | undefined
  readonly validator: Address
}

export interface Vote extends UnsignedVote {
  /** r ‖ s, low s. */
  readonly signature: Uint8Array
}

/** r ‖ s, 32 bytes each. */
export const signature = codec.fixedBytes(64)

export const voteCodec: codec.Codec<Vote> = codec.struct({
  kind: codec.eitherOf('prevote', 'precommit'),
  height: codec.u64<Height>(),
  round: codec.u32<Round>(),
  valueId: codec.optional(codec.hash),
  validator: codec.address,
  signature,
})

/** The signed fields. The key identifies the validator, and the digest contains the kind (`SIGNED_KIND`). */
const votePayload = codec.struct({ height: codec.u64<Height>(), round: codec.u32<Round>(), valueId: codec.optional(codec.hash) })

/** The 32-byte digest that a validator signs for a vote. It does not contain the validator's address. */
export function voteDigest(crypto: Crypto, domain: SigningDomain, vote: Omit<UnsignedVote, 'validator'>): Uint8Array {
  return signingDigest(crypto, domain, vote.kind, votePayload, vote)
}
