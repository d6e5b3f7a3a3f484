import {
  selectProposer,
  verifyCommitCertificate,
  verifyPolkaCertificate,
  verifyProposal,
  verifyRoundCertificate,
  verifyVote,
} from '@quoin/consensus'
import {
  bytesToHex,
  type Crypto,
  err,
  Hash,
  headerHash,
  ok,
  type Proposal,
  type Result,
  type SigningDomain,
  transactionsRoot,
  type ValidatorSet,
  type Vote,
} from '@quoin/protocol'
import { BoundedSet } from './bounded-set.ts'
import { ENGINE_LIMITS } from './limits.ts'
import type { EngineMessage, MessageHead } from './messages.ts'

/** Why a message of the current height is invalid. An honest peer never relays such a message. */
export interface MessageProblem {
  readonly code: 'signature' | 'not-proposer' | 'block-mismatch' | 'certificate'
  readonly message: string
}

/**
 * Verifies the signatures in messages of a height, each vote once. The head is verified first, so a body is decoded only if its signer is
 * valid.
 */
export class MessageVerifier {
  readonly #crypto: Crypto
  readonly #domain: SigningDomain
  /** Votes with a valid signature, in order of arrival. The key includes the signature, so a forged vote cannot match. */
  readonly #verified = new BoundedSet(ENGINE_LIMITS.verifiedVotesCountMax)

  constructor(crypto: Crypto, domain: SigningDomain) {
    this.#crypto = crypto
    this.#domain = domain
  }

  /** Signature checks made so far (votes found in `#verified` are not counted). For counters and tests. */
  verifications = 0

  readonly isVerified = (vote: Vote): boolean => this.#verified.has(voteKey(vote))

  /** Notes a vote of this node, which needs no check when it comes back in a certificate. */
  remember(vote: Vote): void {
    this.#verified.add(voteKey(vote))
  }

  /** Verifies that the right validator signed a message. `set` is the validator set of the message's height. */
  verifyHead(set: ValidatorSet, head: MessageHead): Result<void, MessageProblem> {
    if (head.kind === 'vote') return this.#vote(set, head.vote)
    return head.kind === 'proposal' ? this.#proposal(set, head.proposal) : ok(undefined)
  }

  /** Verifies the rest of a message whose head was verified. */
  verifyBody(set: ValidatorSet, message: EngineMessage): Result<void, MessageProblem> {
    switch (message.kind) {
      case 'proposal':
        return this.#block(set, message)
      case 'polkaCertificate':
        return certificate(verifyPolkaCertificate(this.#crypto, this.#domain, set, message.certificate, this.isVerified))
      case 'roundCertificate':
        return certificate(verifyRoundCertificate(this.#crypto, this.#domain, set, message.certificate, this.isVerified))
      case 'commitCertificate':
        return certificate(verifyCommitCertificate(this.#crypto, this.#domain, set, message.certificate, this.isVerified))
      case 'vote':
      case 'status':
      case 'evidence':
        return ok(undefined)
    }
  }

  #vote(set: ValidatorSet, vote: Vote): Result<void, MessageProblem> {
    if (this.isVerified(vote)) return ok(undefined)
    this.verifications++
    const verified = verifyVote(this.#crypto, this.#domain, set, vote)
    if (!verified.ok) return err({ code: 'signature', message: `vote of ${vote.validator}: ${verified.error.code}` })
    this.remember(vote)
    return ok(undefined)
  }

  #proposal(set: ValidatorSet, proposal: Proposal): Result<void, MessageProblem> {
    const proposer = selectProposer(set, proposal.height, proposal.round)
    if (proposal.proposer !== proposer) {
      return err({ code: 'not-proposer', message: `${proposal.proposer} proposed in a round of ${proposer}` })
    }
    const verified = verifyProposal(this.#crypto, this.#domain, set, proposal)
    return verified.ok
      ? ok(undefined)
      : err({ code: 'signature', message: `proposal of ${proposal.proposer}: ${verified.error.code}` })
  }

  /**
   * The signed hash must be the header's hash, and the header's transactions root must match the listed hashes: then the list is the one
   * that was proposed. A re-proposal carries its polka certificate, so that no node has to wait for the votes in it (L28).
   */
  #block(set: ValidatorSet, message: Extract<EngineMessage, { kind: 'proposal' }>): Result<void, MessageProblem> {
    const { proposal, block, polka } = message
    if (
      block.header.number !== proposal.height ||
      headerHash(this.#crypto, block.header) !== proposal.valueId ||
      Hash(transactionsRoot(this.#crypto, block.transactionHashes)) !== block.header.transactionsRoot
    ) {
      return err({ code: 'block-mismatch', message: `the block is not the proposed ${proposal.valueId}` })
    }
    if (polka === undefined) return ok(undefined)
    return certificate(verifyPolkaCertificate(this.#crypto, this.#domain, set, polka, this.isVerified))
  }
}

const certificate = (result: Result<undefined, { readonly code: string }>): Result<void, MessageProblem> =>
  result.ok ? ok(undefined) : err({ code: 'certificate', message: `certificate: ${result.error.code}` })

const voteKey = (vote: Vote): string =>
  `${vote.kind}/${vote.height}/${vote.round}/${vote.validator}/${vote.valueId ?? ''}/${bytesToHex(vote.signature)}`
