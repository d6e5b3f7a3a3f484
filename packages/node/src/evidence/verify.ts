import { verifyProposal, verifyVote } from '@quoin/consensus'
import type { Crypto, Evidence, SigningDomain, ValidatorSet } from '@quoin/protocol'

/** Whether a validator of the set, which is that of the evidence's height, signed both messages. Checks at most two signatures. */
export function isProven(crypto: Crypto, domain: SigningDomain, set: ValidatorSet, evidence: Evidence): boolean {
  return evidence.kind === 'votes'
    ? [evidence.first, evidence.second].every((vote) => verifyVote(crypto, domain, set, vote).ok)
    : [evidence.first, evidence.second].every((proposal) => verifyProposal(crypto, domain, set, proposal).ok)
}
