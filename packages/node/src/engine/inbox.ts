import { CONSENSUS_LIMITS } from '@quoin/consensus'
import { type Crypto, type Evidence, Height, type Round, type SigningDomain, type ValidatorSet, type Vote } from '@quoin/protocol'
import type { Logger } from '../logger.ts'
import type { Offence, PeerId } from '../powers.ts'
import type { BlockSync } from '../sync/types.ts'
import { BoundedSet } from './bounded-set.ts'
import { contentOf, EarlyMessages, slotOf } from './early-messages.ts'
import { ENGINE_LIMITS } from './limits.ts'
import { MessageVerifier } from './message-verifier.ts'
import { decodeMessage, decodeMessageHead, type EngineMessage, type MessageHead, messagePosition } from './messages.ts'

/** A message that the driver takes. */
export type SignedMessage = Exclude<EngineMessage, { kind: 'status' | 'evidence' }>

/** A message as received from the network. */
export interface Received {
  readonly from: PeerId
  readonly bytes: Uint8Array
  /** Arrival, in wall-clock milliseconds. */
  readonly receivedMs: number
}

/** A message of this height with valid signatures. */
export interface Verified {
  readonly kind: 'current'
  readonly from: PeerId
  readonly receivedMs: number
  readonly head: MessageHead
  readonly message: SignedMessage
}

/** A message sorted by its relation to the engine's height. */
export type Sorted =
  | Verified
  /** The sender still works on a height that is final here. */
  | { readonly kind: 'late'; readonly from: PeerId; readonly head: MessageHead }

export interface InboxPowers {
  readonly crypto: Crypto
  readonly domain: SigningDomain
  readonly sync: Pick<BlockSync, 'hint'>
  readonly logger: Logger
  readonly penalise: (peer: PeerId, offence: Offence, why: string) => void
  /** Called for each vote with a valid signature, even if the vote is kept for later or not wanted. */
  readonly onVote: (vote: Vote) => void
  /** Called with evidence as a peer sent it: nothing about it is verified. */
  readonly onEvidence: (from: PeerId, evidence: Evidence) => void
}

/** Position of the engine, as far as sorting needs it. */
export interface InboxPosition {
  readonly height: Height
  /** 0 before the height begins. */
  readonly round: Round
  /** Validator sets of this height and the next. */
  readonly validators: ValidatorSet
  readonly nextValidators: ValidatorSet
  /** Largest size of a proposal whose block can be valid. */
  readonly proposalBytesMax: number
  /** Whether a message of this kind can be processed now, or must wait until the height begins. */
  readonly takes: (kind: SignedMessage['kind']) => boolean
}

/**
 * Sorts messages by their first bytes, before spending time on the rest. The head is enough to drop messages of unwanted heights or rounds,
 * known messages, and messages of the wrong signer. The remaining ones are verified; early ones are kept. Any message costs bounded time
 * and returns a value; it never throws.
 */
export class Inbox {
  readonly #powers: InboxPowers
  readonly #verifier: MessageVerifier
  readonly #early = new EarlyMessages<Verified>()
  /** Contents that the driver received in this height. */
  readonly #taken = new BoundedSet(ENGINE_LIMITS.takenMessagesCountMax)
  /** Verified messages per slot (a statement that an honest validator makes once). */
  readonly #variants = new Map<string, readonly string[]>()

  constructor(powers: InboxPowers) {
    this.#powers = powers
    this.#verifier = new MessageVerifier(powers.crypto, powers.domain)
  }

  get verifiedVotes(): number {
    return this.#verifier.verifications
  }

  startHeight(): void {
    this.#taken.clear()
    this.#variants.clear()
  }

  /** Takes the messages kept for a height, oldest first. */
  kept(height: Height): readonly Verified[] {
    return this.#early.take(height)
  }

  /** Keeps a verified message for later. */
  keep(early: Verified): void {
    this.#early.add(early)
  }

  /** Notes a vote that this node signed. */
  signed(vote: Vote): void {
    this.#verifier.remember(vote)
  }

  /** The engine has processed the message: later copies are ignored. */
  taken(head: MessageHead): void {
    this.#taken.add(contentOf(head))
  }

  /** Returns undefined if nothing is to be done with the message now. */
  sort(received: Received, position: InboxPosition): Sorted | undefined {
    try {
      return this.#sort(received, position)
    } catch (error) {
      // A bug of this node. A peer that triggers it must not be able to stop a validator.
      this.#powers.logger.error(
        { peer: received.from, error },
        'handling a message failed because of a bug: the message is refused',
      )
      this.#powers.penalise(received.from, 'invalid', 'handling the message failed')
      return undefined
    }
  }

  #sort(received: Received, position: InboxPosition): Sorted | undefined {
    const { from, bytes } = received
    const decoded = decodeMessageHead(bytes)
    if (!decoded.ok) return this.#refuse(from, 'malformed', decoded.error.message)
    const head = decoded.value
    if (head.kind === 'evidence') {
      // Evidence has no body, but a head may be followed by one.
      const whole = decodeMessage(bytes)
      if (!whole.ok) return this.#refuse(from, 'malformed', whole.error.message)
      this.#powers.onEvidence(from, head.evidence)
      return undefined
    }
    const { height } = messagePosition(head)
    if (height < position.height) return { kind: 'late', from, head }
    if (height > position.height) this.#powers.sync.hint(from, Height(height - 1))
    if (head.kind === 'status' || !isWanted(head, position)) return undefined
    const content = contentOf(head)
    const isCurrent = height === position.height
    if (isCurrent && this.#taken.has(content)) return undefined
    if (head.kind === 'proposal' && bytes.length > position.proposalBytesMax)
      return this.#refuse(from, 'oversized', `proposal of ${bytes.length} bytes is too large`)
    if (!this.#mayVary(head, content) || this.#early.has(content)) return undefined
    const message = this.#verify(received, head, isCurrent ? position.validators : position.nextValidators)
    if (message === undefined) return undefined
    const verified: Verified = { kind: 'current', from, receivedMs: received.receivedMs, head, message }
    if (isCurrent && position.takes(message.kind)) return verified
    this.#early.add(verified)
    return undefined
  }

  /** Two different messages in one slot prove equivocation. More would cost time and prove nothing. */
  #mayVary(head: MessageHead, content: string): boolean {
    if (head.kind !== 'vote' && head.kind !== 'proposal') return true
    const known = this.#variants.get(slotOf(head)) ?? []
    return known.includes(content) || known.length < ENGINE_LIMITS.variantsCountMax
  }

  #noteVariant(head: MessageHead): void {
    const slot = slotOf(head)
    const content = contentOf(head)
    const known = this.#variants.get(slot) ?? []
    if (known.includes(content)) return
    this.#variants.set(slot, [...known, content])
    if (this.#variants.size <= ENGINE_LIMITS.verifiedVotesCountMax) return
    const { value: oldest } = this.#variants.keys().next()
    if (oldest !== undefined) this.#variants.delete(oldest)
  }

  #verify({ from, bytes }: Received, head: MessageHead, validators: ValidatorSet): SignedMessage | undefined {
    const signed = this.#verifier.verifyHead(validators, head)
    if (!signed.ok)
      return this.#refuse(from, signed.error.code === 'not-proposer' ? 'out-of-turn' : 'invalid', signed.error.message)
    const decoded = decodeMessage(bytes)
    if (!decoded.ok) return this.#refuse(from, 'malformed', decoded.error.message)
    const message = decoded.value
    if (message.kind === 'status' || message.kind === 'evidence') return undefined
    // A re-proposal without its polka is useless. A peer that has the polka sends it again.
    if (message.kind === 'proposal' && message.proposal.polRound !== undefined && message.polka === undefined) return undefined
    const whole = this.#verifier.verifyBody(validators, message)
    if (!whole.ok) return this.#refuse(from, 'invalid', whole.error.message)
    this.#noteVariant(head)
    if (message.kind === 'vote') this.#powers.onVote(message.vote)
    return message
  }

  #refuse(from: PeerId, offence: Offence, why: string): undefined {
    this.#powers.penalise(from, offence, why)
    return undefined
  }
}

/** Whether a message of this height or the next can matter: its round is close enough to this node's. */
function isWanted(
  head: Exclude<MessageHead, { kind: 'evidence' }>,
  { height: own, round: current, takes }: InboxPosition,
): boolean {
  const { height, round } = messagePosition(head)
  if (head.kind === 'status') return false
  const isOneSigners = head.kind === 'vote' || head.kind === 'proposal'
  if (height === own && takes(head.kind)) {
    if (!isOneSigners) return true
    const aheadMax = head.kind === 'vote' ? CONSENSUS_LIMITS.roundsAheadMax : ENGINE_LIMITS.proposalRoundsAheadMax
    return round >= current - CONSENSUS_LIMITS.pastRoundsMax && round <= current + aheadMax
  }
  return round < ENGINE_LIMITS.earlyRoundsMax && (height === own || (height === own + 1 && isOneSigners))
}
