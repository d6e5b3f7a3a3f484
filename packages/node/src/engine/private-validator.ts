import {
  type Address,
  bytesToHex,
  type CommitCertificate,
  type Crypto,
  err,
  type Height,
  ok,
  type Proposal,
  proposalDigest,
  type Result,
  type SigningDomain,
  type UnsignedProposal,
  type UnsignedVote,
  type Vote,
  voteDigest,
} from '@quoin/protocol'
import { BoundedSet } from './bounded-set.ts'
import type { LastSignState, SignedStep, SignRefusal, SignStep } from './last-sign-state.ts'
import { ENGINE_LIMITS } from './limits.ts'

/** Signs with a validator's voting key. */
export interface Signer {
  /** Ethereum address of the key. */
  readonly address: Address
  /** Signs a 32-byte digest. Returns r ‖ s with low s. Deterministic: the same digest gives the same signature. */
  sign(digest: Uint8Array): Uint8Array
}

/**
 * Creates a signer from a secret key held in memory.
 * @param address Ethereum address of `secretKey`, which is not checked
 */
export const createSigner = (crypto: Crypto, address: Address, secretKey: Uint8Array): Signer => ({
  address,
  sign: (digest) => crypto.sign(digest, secretKey).signature,
})

type Position = Pick<UnsignedVote, 'height' | 'round'>
const stepOf = ({ height, round }: Position, step: SignStep): string => `${height}/${round}/${step}`
const contentOf = (at: Position, step: SignStep, digest: Uint8Array): string => `${stepOf(at, step)}/${bytesToHex(digest)}`

/** Signs votes and proposals, as far as the sign state allows. A signature may leave the node only after `sync`. */
export class PrivateValidator {
  readonly #signer: Signer
  readonly #crypto: Crypto
  readonly #domain: SigningDomain
  readonly #state: LastSignState
  /** Steps, and their contents, that were signed before the state was lost. */
  readonly #shown = new BoundedSet(ENGINE_LIMITS.shownStepsCountMax)

  constructor(signer: Signer, crypto: Crypto, domain: SigningDomain, state: LastSignState) {
    this.#signer = signer
    this.#crypto = crypto
    this.#domain = domain
    this.#state = state
  }

  get address(): Address {
    return this.#signer.address
  }

  get lastSigned(): Pick<SignedStep, 'height' | 'round' | 'step'> | undefined {
    return this.#state.last
  }

  /**
   * Signs nothing more up to the last signed height. For a validator that lost its log: it no longer knows its lock, and a vote for another
   * value could fork the chain.
   */
  abstain(): void {
    this.#state.abstain()
  }

  get isLost(): boolean {
    return this.#state.isLost
  }

  /** A state was lost once, and nothing has been signed yet above the heights that the loss may cover. */
  get isOnProbation(): boolean {
    return this.#state.isOnProbation
  }

  /** Height up to which nothing is signed; undefined if nothing is signed at all. */
  get abstainTo(): number | undefined {
    return this.#state.abstainTo
  }

  /**
   * Checks the certificate of a final block. If it contains a signature of this validator in a height that the sign state does not cover,
   * the state is not the newest one: it was restored from a copy, or another process signs with this key. Returns true in that case, and
   * nothing is signed until `settle`.
   */
  saw({ height, signatures }: CommitCertificate): boolean {
    const isOurs = signatures.some(({ validator }) => validator === this.address)
    if (!isOurs || this.#state.isLost || height <= (this.#state.last?.height ?? -1) || height <= (this.#state.abstainTo ?? -1))
      return false
    this.#state.lose()
    return true
  }

  /**
   * Checks a vote of this validator that a peer sent. Returns true if the sign state does not contain it; nothing is signed then until
   * `settle`.
   */
  sawVote(vote: Vote): boolean {
    if (vote.validator !== this.address) return false
    const digest = voteDigest(this.#crypto, this.#domain, vote)
    if (this.#state.knows({ height: vote.height, round: vote.round, step: vote.kind, digest })) return false
    this.#state.lose()
    return true
  }

  /**
   * Treats a vote of this validator that a peer sent as one that the lost state contained: from now on this step is not signed differently,
   * unless it already was. Returns false if the vote is another validator's.
   */
  remember(vote: Vote): boolean {
    if (vote.validator !== this.address) return false
    this.#shown.add(stepOf(vote, vote.kind))
    this.#shown.add(contentOf(vote, vote.kind, voteDigest(this.#crypto, this.#domain, vote)))
    return true
  }

  /** Notes that this key has signed nothing above a height. */
  settle(upTo: Height): void {
    this.#state.settle(upTo)
  }

  signVote(vote: UnsignedVote): Result<Vote, SignRefusal> {
    const signature = this.#sign(vote, vote.kind, voteDigest(this.#crypto, this.#domain, vote))
    return signature.ok ? ok({ ...vote, signature: signature.value }) : signature
  }

  signProposal(proposal: UnsignedProposal): Result<Proposal, SignRefusal> {
    const signature = this.#sign(proposal, 'proposal', proposalDigest(this.#crypto, this.#domain, proposal))
    return signature.ok ? ok({ ...proposal, signature: signature.value }) : signature
  }

  /**
   * Restores a vote of this validator from the log; it may be on disk there but not in the sign state. A conflict means that another
   * process signs with this key and that its vote reached this node over the network.
   */
  restoreVote(vote: Vote): Result<void, SignRefusal> {
    return this.#restore(vote, vote.kind, voteDigest(this.#crypto, this.#domain, vote), vote.signature)
  }

  restoreProposal(proposal: Proposal): Result<void, SignRefusal> {
    return this.#restore(proposal, 'proposal', proposalDigest(this.#crypto, this.#domain, proposal), proposal.signature)
  }

  /** Resolves when every returned signature is on disk. */
  sync(): Promise<void> {
    return this.#state.sync()
  }

  /** Call it between heights. */
  compact(): Promise<void> {
    return this.#state.compact()
  }

  #sign(at: Position, step: SignStep, digest: Uint8Array): Result<Uint8Array, SignRefusal> {
    const position = { height: at.height, round: at.round, step, digest }
    const known = this.#state.check(position)
    if (!known.ok) return known
    if (known.value !== undefined) return ok(known.value)
    if (this.#shown.has(stepOf(at, step)) && !this.#shown.has(contentOf(at, step, digest)))
      return err({
        code: 'conflict',
        message: `${step} of height ${at.height} round ${at.round} conflicts with a vote of this validator that a peer sent`,
      })
    const signature = this.#signer.sign(digest)
    this.#state.record({ ...position, signature })
    return ok(signature)
  }

  #restore(at: Position, step: SignStep, digest: Uint8Array, signature: Uint8Array): Result<void, SignRefusal> {
    const position = { height: at.height, round: at.round, step, digest }
    const known = this.#state.check(position)
    if (known.ok && known.value === undefined) this.#state.record({ ...position, signature })
    return known.ok || known.error.code !== 'conflict' ? ok(undefined) : known
  }
}
