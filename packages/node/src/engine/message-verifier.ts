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
  type Result,
  type SigningDomain,
  transactionsRoot,
  type ValidatorSet,
  type Vote,
} from '@quoin/protocol'
import { ENGINE_LIMITS } from './limits.ts'
import type { EngineMessage } from './messages.ts'

/** Why a message of the current height is not believed. No honest peer passes such a message on. */
export interface MessageProblem {
  readonly code: 'signature' | 'not-proposer' | 'block-mismatch' | 'certificate'
  readonly message: string
}

/** Checks what is signed in messages of the current height, each vote once. */
export class MessageVerifier {
  readonly #crypto: Crypto
  readonly #domain: SigningDomain
  /** Votes whose signature is good, in the order in which they came; signature and all, so that no forged one passes for another. */
  readonly #verified = new Set<string>()

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
    for (const oldest of this.#verified) {
      if (this.#verified.size <= ENGINE_LIMITS.verifiedVotesCountMax) break
      this.#verified.delete(oldest)
    }
  }

  /** `set` votes on the message's height. */
  verify(set: ValidatorSet, message: EngineMessage): Result<void, MessageProblem> {
    switch (message.kind) {
      case 'vote':
        return this.#vote(set, message.vote)
      case 'proposal':
        return this.#proposal(set, message)
      case 'polkaCertificate':
        return certificate(verifyPolkaCertificate(this.#crypto, this.#domain, set, message.certificate, this.isVerified))
      case 'roundCertificate':
        return certificate(verifyRoundCertificate(this.#crypto, this.#domain, set, message.certificate, this.isVerified))
      case 'commitCertificate':
        return certificate(verifyCommitCertificate(this.#crypto, this.#domain, set, message.certificate, this.isVerified))
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

  /** The signed hash must be the header's, and the header's root that of the listed transactions: then the list is what was proposed. */
  #proposal(set: ValidatorSet, message: Extract<EngineMessage, { kind: 'proposal' }>): Result<void, MessageProblem> {
    const { proposal, block, polka } = message
    const proposer = selectProposer(set, proposal.height, proposal.round)
    if (proposal.proposer !== proposer) {
      return err({ code: 'not-proposer', message: `${proposal.proposer} proposes in the round of ${proposer}` })
    }
    if (
      block.header.number !== proposal.height ||
      headerHash(this.#crypto, block.header) !== proposal.valueId ||
      Hash(transactionsRoot(this.#crypto, block.transactionHashes)) !== block.header.transactionsRoot
    ) {
      return err({ code: 'block-mismatch', message: `the block is not the proposed ${proposal.valueId}` })
    }
    const verified = verifyProposal(this.#crypto, this.#domain, set, proposal)
    if (!verified.ok) return err({ code: 'signature', message: `proposal of ${proposal.proposer}: ${verified.error.code}` })
    if (polka === undefined) return ok(undefined)
    return certificate(verifyPolkaCertificate(this.#crypto, this.#domain, set, polka, this.isVerified))
  }
}

const certificate = (result: Result<undefined, { readonly code: string }>): Result<void, MessageProblem> =>
  result.ok ? ok(undefined) : err({ code: 'certificate', message: `certificate: ${result.error.code}` })

const voteKey = (vote: Vote): string =>
  `${vote.kind}/${vote.height}/${vote.round}/${vote.validator}/${vote.valueId ?? ''}/${bytesToHex(vote.signature)}`
