import { bytesToHex, type Crypto, type Height, type SigningDomain, type ValidatorSet, type Vote } from '@quoin/protocol'
import type { Offence, PeerId } from '../powers.ts'
import type { BlockSync } from '../sync/types.ts'
import { type FutureMessage, FutureMessages } from './future-messages.ts'
import { ENGINE_LIMITS } from './limits.ts'
import { MessageVerifier } from './message-verifier.ts'
import { decodeMessage, type EngineMessage, messageHeight } from './messages.ts'

export type SignedMessage = Exclude<EngineMessage, { kind: 'status' }>

/** A message as it came off the network. */
export type Received = Omit<FutureMessage, 'height'>

/** What a message is to the height that the engine is in. */
export type Sorted =
  /** Signed content that is verified. `key` names it for `taken`. */
  | { readonly kind: 'current'; readonly message: SignedMessage; readonly key: string | undefined }
  /** Its sender still works on a height that is final here. */
  | { readonly kind: 'late'; readonly message: EngineMessage }

export interface InboxPowers {
  readonly crypto: Crypto
  readonly domain: SigningDomain
  readonly sync: Pick<BlockSync, 'hint'>
  readonly penalise: (peer: PeerId, offence: Offence, why: string) => void
}

/** Where the engine is, as far as sorting needs it. */
export interface InboxPosition {
  readonly height: Height
  readonly validators: ValidatorSet
  /** Whether a message of this kind may be dealt with now, or waits until the height begins. */
  readonly takes: (kind: SignedMessage['kind']) => boolean
}

/** Decodes messages, sorts them by height, keeps what comes too early, and lets pass what is well signed and new. */
export class Inbox {
  readonly #powers: InboxPowers
  readonly #verifier: MessageVerifier
  readonly #future = new FutureMessages()
  /** Certificates and proposals of this height that were taken, by the hash of their bytes. */
  readonly #seen = new Set<string>()

  constructor(powers: InboxPowers) {
    this.#powers = powers
    this.#verifier = new MessageVerifier(powers.crypto, powers.domain)
  }

  get verifiedVotes(): number {
    return this.#verifier.verifications
  }

  startHeight(): void {
    this.#seen.clear()
  }

  /** Messages kept for a height, oldest first. */
  kept(height: Height): readonly FutureMessage[] {
    return this.#future.take(height)
  }

  /** A vote that this node signed. */
  signed(vote: Vote): void {
    this.#verifier.remember(vote)
  }

  /** The engine is done with a message for good: the same bytes need not be looked at again. */
  taken(key: string | undefined): void {
    if (key === undefined) return
    this.#seen.add(key)
    for (const oldest of this.#seen) {
      if (this.#seen.size <= ENGINE_LIMITS.seenMessagesCountMax) break
      this.#seen.delete(oldest)
    }
  }

  /** Undefined when there is nothing to do with it now. */
  sort(received: Received, position: InboxPosition): Sorted | undefined {
    const { from, bytes } = received
    const { penalise, sync } = this.#powers
    const decoded = decodeMessage(bytes)
    if (!decoded.ok) {
      penalise(from, 'malformed', decoded.error.message)
      return undefined
    }
    const message = decoded.value
    const height = messageHeight(message)
    if (height < position.height) return { kind: 'late', message }
    if (height > position.height) sync.hint(from, (height - 1) as Height)
    if (message.kind === 'status') return undefined
    if (height === position.height && position.takes(message.kind)) return this.#current(received, message, position.validators)
    if (height <= position.height + ENGINE_LIMITS.futureHeightsMax) this.#future.add({ ...received, height })
    return undefined
  }

  #current({ from, bytes }: Received, message: SignedMessage, validators: ValidatorSet): Sorted | undefined {
    const key = message.kind === 'vote' ? undefined : bytesToHex(this.#powers.crypto.sha256(bytes))
    if (key !== undefined && this.#seen.has(key)) return undefined
    const verified = this.#verifier.verify(validators, message)
    if (verified.ok) return { kind: 'current', message, key }
    const offence = verified.error.code === 'not-proposer' ? 'out-of-turn' : 'invalid'
    this.#powers.penalise(from, offence, verified.error.message)
    return undefined
  }
}
