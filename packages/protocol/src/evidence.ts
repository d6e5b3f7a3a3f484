import * as codec from './codec.ts'
import { type Proposal, proposalCodec } from './proposal.ts'
import { type Vote, voteCodec } from './vote.ts'

/** Proof that a validator signed two different things for one height, round and kind. */
export type Evidence =
  | { readonly kind: 'votes'; readonly first: Vote; readonly second: Vote }
  | { readonly kind: 'proposals'; readonly first: Proposal; readonly second: Proposal }

export const evidenceCodec: codec.Codec<Evidence> = codec.checked(
  codec.union({
    votes: codec.struct({ first: voteCodec, second: voteCodec }),
    proposals: codec.struct({ first: proposalCodec, second: proposalCodec }),
  }),
  problem,
)

/** Whether the two really contradict each other; their signatures are checked elsewhere. The lesser encoding stands first. */
function problem(evidence: Evidence): string | undefined {
  const { first, second } = evidence
  if (first.height !== second.height || first.round !== second.round) return 'evidence of two different rounds'
  if (evidence.kind === 'votes') {
    if (evidence.first.validator !== evidence.second.validator || evidence.first.kind !== evidence.second.kind)
      return 'evidence of two different voters or kinds'
    return (first.valueId ?? '') < (second.valueId ?? '') ? undefined : 'evidence is not two different votes in order'
  }
  if (evidence.first.proposer !== evidence.second.proposer) return 'evidence of two different proposers'
  return order(evidence.first) < order(evidence.second) ? undefined : 'evidence is not two different proposals in order'
}

/** The evidence in two contradicting votes, in canonical order. */
export function voteEvidence(a: Vote, b: Vote): Evidence {
  return (a.valueId ?? '') < (b.valueId ?? '') ? { kind: 'votes', first: a, second: b } : { kind: 'votes', first: b, second: a }
}

export function proposalEvidence(a: Proposal, b: Proposal): Evidence {
  return order(a) < order(b) ? { kind: 'proposals', first: a, second: b } : { kind: 'proposals', first: b, second: a }
}

/** Compares as the encodings of two proposals of one round do: 10 digits hold every round. */
const order = ({ valueId, polRound }: Proposal): string => `${valueId}${polRound?.toString().padStart(10, '0') ?? ''}`
