import type { Address } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'
import type { SigningDomain } from './domain.ts'
import type { Height, Round } from './numbers.ts'
import { type Proposal, proposalCodec, proposalDigest } from './proposal.ts'
import { type Vote, type VoteKind, voteCodec, voteDigest } from './vote.ts'

/** Proof that a validator signed two different votes of one kind, or two different proposals, in one round. The smaller encoding is `first`. */
export type Evidence =
  | { readonly kind: 'votes'; readonly first: Vote; readonly second: Vote }
  | { readonly kind: 'proposals'; readonly first: Proposal; readonly second: Proposal }

/** Evidence counts for so many heights: a validator answers that long for what it signed, under keys that were replaced as well. */
export const EVIDENCE_HEIGHTS_MAX = 100_000

export const evidenceCodec: codec.Codec<Evidence> = codec.checked(
  codec.union({
    votes: codec.struct({ first: voteCodec, second: voteCodec }),
    proposals: codec.struct({ first: proposalCodec, second: proposalCodec }),
  }),
  problem,
)

/** Checks that the two messages contradict each other and are in canonical order. Does not verify their signatures. */
function problem(evidence: Evidence): string | undefined {
  const { first, second } = evidence
  if (first.height !== second.height || first.round !== second.round) return 'evidence must be of one height and round'
  if (evidence.kind === 'votes') {
    if (evidence.first.validator !== evidence.second.validator || evidence.first.kind !== evidence.second.kind)
      return 'evidence must be of one validator and one kind of vote'
    return (first.valueId ?? '') < (second.valueId ?? '') ? undefined : 'evidence must be two different votes in canonical order'
  }
  if (evidence.first.proposer !== evidence.second.proposer) return 'evidence must be of one proposer'
  return order(evidence.first) < order(evidence.second)
    ? undefined
    : 'evidence must be two different proposals in canonical order'
}

/** Makes evidence of two contradicting votes, in any order. Does not check that they contradict each other; the codec does. */
export function voteEvidence(a: Vote, b: Vote): Evidence {
  return (a.valueId ?? '') < (b.valueId ?? '') ? { kind: 'votes', first: a, second: b } : { kind: 'votes', first: b, second: a }
}

/** Makes evidence of two contradicting proposals, in any order. Does not check that they contradict each other; the codec does. */
export function proposalEvidence(a: Proposal, b: Proposal): Evidence {
  return order(a) < order(b) ? { kind: 'proposals', first: a, second: b } : { kind: 'proposals', first: b, second: a }
}

/** Sort key in the order of the encodings of proposals of one round. Every round has at most 10 digits. */
const order = ({ valueId, polRound }: Proposal): string => `${valueId}${polRound?.toString().padStart(10, '0') ?? ''}`

/** What a validator signs at most once in a round. */
export const SIGNED_ONCE = ['proposal', 'prevote', 'precommit'] as const
export type SignedOnce = (typeof SIGNED_ONCE)[number]

/** Where a validator contradicted itself. Evidence of one offence names one place, however many messages the validator signed there. */
export interface Offence {
  /** Address of the key that signed. */
  readonly validator: Address
  readonly height: Height
  readonly round: Round
  readonly kind: SignedOnce
}

export function offenceOf(evidence: Evidence): Offence {
  const { height, round } = evidence.first
  if (evidence.kind === 'proposals') return { validator: evidence.first.proposer, height, round, kind: 'proposal' }
  const kind: VoteKind = evidence.first.kind
  return { validator: evidence.first.validator, height, round, kind }
}

/** The two digests that were signed, and their signatures. */
export function signedInEvidence(
  crypto: Crypto,
  domain: SigningDomain,
  evidence: Evidence,
): readonly { readonly digest: Uint8Array; readonly signature: Uint8Array }[] {
  return evidence.kind === 'votes'
    ? [evidence.first, evidence.second].map((vote) => ({ digest: voteDigest(crypto, domain, vote), signature: vote.signature }))
    : [evidence.first, evidence.second].map((one) => ({ digest: proposalDigest(crypto, domain, one), signature: one.signature }))
}
