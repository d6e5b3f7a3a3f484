import { CONSENSUS_LIMITS } from '@quoin/consensus'
import { type Crypto, Height, type Round, type SigningDomain, type ValidatorSet, type Vote } from '@quoin/protocol'
import type { Logger } from '../logger.ts'
import type { Offence, PeerId } from '../powers.ts'
import type { BlockSync } from '../sync/types.ts'
import { BoundedSet } from './bounded-set.ts'
import { contentOf, EarlyMessages, slotOf } from './early-messages.ts'
import { ENGINE_LIMITS } from './limits.ts'
import { MessageVerifier } from './message-verifier.ts'
import { decodeMessage, decodeMessageHead, type EngineMessage, type MessageHead, messagePosition } from './messages.ts'

export type SignedMessage = Exclude<EngineMessage, { kind: 'status' }>

/** A message as it came off the network. */
export interface Received {
  readonly from: PeerId
  readonly bytes: Uint8Array
  /** When it arrived, wall-clock milliseconds. */
  readonly receivedMs: number
}

/** A message of this height whose signatures are good. */
export interface Verified {
  readonly kind: 'current'
  readonly from: PeerId
  readonly receivedMs: number
  readonly head: MessageHead
  readonly message: SignedMessage
}

/** What a message is to the height that the engine is in. */
export type Sorted =
  | Verified
  /** Its sender still works on a height that is final here. */
  | { readonly kind: 'late'; readonly from: PeerId; readonly head: MessageHead }

export interface InboxPowers {
  readonly crypto: Crypto
  readonly domain: SigningDomain
  readonly sync: Pick<BlockSync, 'hint'>
  readonly logger: Logger
  readonly penalise: (peer: PeerId, offence: Offence, why: string) => void
  /** Told of each vote whose signature is good, also of one that is kept or not wanted. */
  readonly onVote: (vote: Vote) => void
}

/** Where the engine is, as far as sorting needs it. */
export interface InboxPosition {
  readonly height: Height
  /** 0 before the height begins. */
  readonly round: Round
  /** Who votes on this height, and on the one after. */
  readonly validators: ValidatorSet
  readonly nextValidators: ValidatorSet
  /** The most that a proposal takes whose block can be valid. */
  readonly proposalBytesMax: number
  /** Whether a message of this kind may be dealt with now, or waits until the height begins. */
  readonly takes: (kind: SignedMessage['kind']) => boolean
}

/**
 * Sorts messages by what their first bytes say, before anything is paid for the rest: a height or round that is not wanted, what is known
 * already, and what the wrong one signed are dropped by the head. What remains is verified; what comes too early is kept. Whatever a
 * peer sends, it costs a bounded time and ends in a value, never in an exception.
 */
export class Inbox {
  readonly #powers: InboxPowers
  readonly #verifier: MessageVerifier
  readonly #early = new EarlyMessages<Verified>()
  /** What the driver was told in this height. */
  readonly #taken = new BoundedSet(ENGINE_LIMITS.takenMessagesCountMax)
  /** The different messages that were verified of what a validator says once. */
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

  /** Messages kept for a height, oldest first. */
  kept(height: Height): readonly Verified[] {
    return this.#early.take(height)
  }

  /** Keeps a verified message for later. */
  keep(early: Verified): void {
    this.#early.add(early)
  }

  /** A vote that this node signed. */
  signed(vote: Vote): void {
    this.#verifier.remember(vote)
  }

  /** The engine is done with a message for good: another one that says the same is not looked at again. */
  taken(head: MessageHead): void {
    this.#taken.add(contentOf(head))
  }

  /** Undefined when there is nothing to do with it now. */
  sort(received: Received, position: InboxPosition): Sorted | undefined {
    try {
      return this.#sort(received, position)
    } catch (error) {
      // A bug of ours, which whoever finds it must not be able to stop a validator with.
      this.#powers.logger.error({ peer: received.from, error }, 'a message made its reader fail: it is refused')
      this.#powers.penalise(received.from, 'invalid', 'its reader failed')
      return undefined
    }
  }

  #sort(received: Received, position: InboxPosition): Sorted | undefined {
    const { from, bytes } = received
    const decoded = decodeMessageHead(bytes)
    if (!decoded.ok) return this.#refuse(from, 'malformed', decoded.error.message)
    const head = decoded.value
    const { height } = messagePosition(head)
    if (height < position.height) return { kind: 'late', from, head }
    if (height > position.height) this.#powers.sync.hint(from, Height(height - 1))
    if (head.kind === 'status' || !isWanted(head, position)) return undefined
    const content = contentOf(head)
    const isCurrent = height === position.height
    if (isCurrent && this.#taken.has(content)) return undefined
    if (head.kind === 'proposal' && bytes.length > position.proposalBytesMax)
      return this.#refuse(from, 'oversized', `a proposal of ${bytes.length} bytes`)
    if (!this.#mayVary(head, content) || this.#early.has(content)) return undefined
    const message = this.#verify(received, head, isCurrent ? position.validators : position.nextValidators)
    if (message === undefined) return undefined
    const verified: Verified = { kind: 'current', from, receivedMs: received.receivedMs, head, message }
    if (isCurrent && position.takes(message.kind)) return verified
    this.#early.add(verified)
    return undefined
  }

  /** Of what a validator says once, two different messages prove that it contradicts itself; more would cost time and prove nothing. */
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
    if (message.kind === 'status') return undefined
    // Without its polka a re-proposal says nothing: whoever has that sends it again.
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

/** Whether a message of this height or the next may matter: not too far from where this node is. */
function isWanted(head: MessageHead, { height: own, round: current, takes }: InboxPosition): boolean {
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
