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

/** Why a message of the current height is not believed. No honest peer passes such a message on. */
export interface MessageProblem {
  readonly code: 'signature' | 'not-proposer' | 'block-mismatch' | 'certificate'
  readonly message: string
}

/** Checks what is signed in messages of a height, each vote once. What a head tells comes first: a body is decoded when its signer is known. */
export class MessageVerifier {
  readonly #crypto: Crypto
  readonly #domain: SigningDomain
  /** Votes whose signature is good, in the order in which they came; signature and all, so that no forged one passes for another. */
  readonly #verified = new BoundedSet(ENGINE_LIMITS.verifiedVotesCountMax)

  constructor(crypto: Crypto, domain: SigningDomain) {
    this.#crypto = crypto
    this.#domain = domain
  }

  /** Votes verified so far by signature check, not by memory: for counters and tests. */
  verifications = 0

  readonly isVerified = (vote: Vote): boolean => this.#verified.has(voteKey(vote))

  /** A vote of our own needs no check when it comes back in a certificate. */
  remember(vote: Vote): void {
    this.#verified.add(voteKey(vote))
  }

  /** Whether the one who should have signed a message did. `set` votes on its height. */
  verifyHead(set: ValidatorSet, head: MessageHead): Result<void, MessageProblem> {
    if (head.kind === 'vote') return this.#vote(set, head.vote)
    return head.kind === 'proposal' ? this.#proposal(set, head.proposal) : ok(undefined)
  }

  /** What a message has besides a head that was verified. */
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
      return err({ code: 'not-proposer', message: `${proposal.proposer} proposes in the round of ${proposer}` })
    }
    const verified = verifyProposal(this.#crypto, this.#domain, set, proposal)
    return verified.ok
      ? ok(undefined)
      : err({ code: 'signature', message: `proposal of ${proposal.proposer}: ${verified.error.code}` })
  }

  /**
   * The signed hash must be the header's, and the header's root that of the listed transactions: then the list is what was proposed. A
   * re-proposal shows the polka that it rests on, so that nobody has to wait for the votes in it (L28).
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
