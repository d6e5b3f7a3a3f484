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

/** The power to sign with a validator's voting key. */
export interface Signer {
  /** Ethereum address of the key. */
  readonly address: Address
  /** r ‖ s, low s, of a 32-byte digest; the same bytes give the same signature. */
  sign(digest: Uint8Array): Uint8Array
}

export const createSigner = (crypto: Crypto, address: Address, secretKey: Uint8Array): Signer => ({
  address,
  sign: (digest) => crypto.sign(digest, secretKey).signature,
})

type Position = Pick<UnsignedVote, 'height' | 'round'>
const stepOf = ({ height, round }: Position, step: SignStep): string => `${height}/${round}/${step}`
const contentOf = (at: Position, step: SignStep, digest: Uint8Array): string => `${stepOf(at, step)}/${bytesToHex(digest)}`

/** Signs votes and proposals, and nothing that the sign state forbids. What it signs may leave the node only after `sync`. */
export class PrivateValidator {
  readonly #signer: Signer
  readonly #crypto: Crypto
  readonly #domain: SigningDomain
  readonly #state: LastSignState
  /** Steps that were signed before the state was lost, and what was. */
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
   * Signs nothing more up to the last signed height. For a validator that lost its log: it has forgotten what it is locked on, and a vote for
   * anything else could be the one that forks the chain.
   */
  abstain(): void {
    this.#state.abstain()
  }

  get isLost(): boolean {
    return this.#state.isLost
  }

  /** A sign state was lost once, and nothing is signed yet above the heights to which the loss may reach. */
  get isOnProbation(): boolean {
    return this.#state.isOnProbation
  }

  /** Height up to which nothing is signed; undefined: nothing at all. */
  get abstainTo(): number | undefined {
    return this.#state.abstainTo
  }

  /**
   * Looks at the certificate of a final block. A signature of ours of a height in which the sign state knows of none proves that the state is not the
   * last one: it was restored from a copy, or another process signs with this key. True then; nothing is signed until `settle`.
   */
  saw({ height, signatures }: CommitCertificate): boolean {
    const isOurs = signatures.some(({ validator }) => validator === this.address)
    if (!isOurs || this.#state.isLost || height <= (this.#state.last?.height ?? -1) || height <= (this.#state.abstainTo ?? -1))
      return false
    this.#state.lose()
    return true
  }

  /** Looks at a vote of ours that a peer shows. True when the sign state does not know it, and nothing is signed until `settle`. */
  sawVote(vote: Vote): boolean {
    if (vote.validator !== this.address) return false
    const digest = voteDigest(this.#crypto, this.#domain, vote)
    if (this.#state.knows({ height: vote.height, round: vote.round, step: vote.kind, digest })) return false
    this.#state.lose()
    return true
  }

  /**
   * Takes a vote of ours that a peer shows for one that the state lost: from then on this step is not signed differently, as far as that has not
   * happened yet. False when the vote is another's.
   */
  remember(vote: Vote): boolean {
    if (vote.validator !== this.address) return false
    this.#shown.add(stepOf(vote, vote.kind))
    this.#shown.add(contentOf(vote, vote.kind, voteDigest(this.#crypto, this.#domain, vote)))
    return true
  }

  /** It is known now that this key has signed nothing above a height. */
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
   * A vote of ours found in the log, which may have reached the disk before the sign state did. A conflict says that another process signs
   * with this key, and that its vote came to us by the network.
   */
  restoreVote(vote: Vote): Result<void, SignRefusal> {
    return this.#restore(vote, vote.kind, voteDigest(this.#crypto, this.#domain, vote), vote.signature)
  }

  restoreProposal(proposal: Proposal): Result<void, SignRefusal> {
    return this.#restore(proposal, 'proposal', proposalDigest(this.#crypto, this.#domain, proposal), proposal.signature)
  }

  /** Resolves when every signature given out is on record. */
  sync(): Promise<void> {
    return this.#state.sync()
  }

  /** Between heights. */
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
        message: `${step} of height ${at.height} round ${at.round} is not what a peer has of this validator`,
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
