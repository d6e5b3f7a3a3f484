import type { Height } from '@quoin/protocol'
import { ENGINE_LIMITS } from './limits.ts'
import { type MessageHead, messagePosition } from './messages.ts'

/** A verified message for a height that has not begun here. */
export interface Early {
  readonly head: MessageHead
}

/**
 * Messages for a height that has not begun here. All are verified, so the number of validators bounds them: a few rounds, and per round two
 * messages for each thing that an honest validator says once. The second one exists only if the validator equivocates.
 */
export class EarlyMessages<T extends Early> {
  #messages: T[] = []
  readonly #counts = new Map<string, number>()
  readonly #contents = new Set<string>()

  get count(): number {
    return this.#messages.length
  }

  /** Stores a message, unless its slot is full. */
  add(message: T): void {
    const slot = slotOf(message.head)
    const count = this.#counts.get(slot) ?? 0
    if (count >= ENGINE_LIMITS.variantsCountMax) return
    this.#counts.set(slot, count + 1)
    this.#contents.add(contentOf(message.head))
    this.#messages.push(message)
  }

  /** Whether a message with this content is stored. */
  has(content: string): boolean {
    return this.#contents.has(content)
  }

  /** Takes the messages of a height, in order of arrival, and drops those of lower heights. */
  take(height: Height): readonly T[] {
    const taken = this.#messages.filter(({ head }) => messagePosition(head).height === height)
    this.#messages = this.#messages.filter(({ head }) => messagePosition(head).height > height)
    this.#counts.clear()
    this.#contents.clear()
    for (const { head } of this.#messages) {
      this.#counts.set(slotOf(head), (this.#counts.get(slotOf(head)) ?? 0) + 1)
      this.#contents.add(contentOf(head))
    }
    return taken
  }
}

/** Key of a slot: a statement that an honest validator makes at most once. */
export function slotOf(head: MessageHead): string {
  const { height, round } = messagePosition(head)
  const of = head.kind === 'vote' ? `${head.vote.kind}/${head.vote.validator}` : head.kind
  return `${height}/${round}/${of}`
}

/** Key of what a message says, without its signatures and independent of the peer that relayed it. */
export function contentOf(head: MessageHead): string {
  const slot = slotOf(head)
  switch (head.kind) {
    case 'vote':
      return `${slot}/${head.vote.valueId}`
    case 'proposal':
      return `${slot}/${head.proposal.valueId}/${head.proposal.polRound}`
    case 'roundCertificate':
      return `${slot}/${head.reason}`
    case 'status':
    case 'evidence':
      return slot
    default:
      return `${slot}/${head.valueId}`
  }
}
