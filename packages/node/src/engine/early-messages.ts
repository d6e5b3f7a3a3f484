import type { Height } from '@quoin/protocol'
import { ENGINE_LIMITS } from './limits.ts'
import { type MessageHead, messagePosition } from './messages.ts'

/** Something verified, for a height that has not begun here. */
export interface Early {
  readonly head: MessageHead
}

/**
 * Messages whose height has not begun here. All of them are verified, so that what lies here is bounded by the number of validators: a
 * few rounds, and of each two messages for everything that a validator says once. The second is what one that contradicts itself says.
 */
export class EarlyMessages<T extends Early> {
  #messages: T[] = []
  readonly #counts = new Map<string, number>()
  readonly #contents = new Set<string>()

  get count(): number {
    return this.#messages.length
  }

  /** Keeps a message, unless there is no room for one of its kind. */
  add(message: T): void {
    const slot = slotOf(message.head)
    const count = this.#counts.get(slot) ?? 0
    if (count >= ENGINE_LIMITS.variantsCountMax) return
    this.#counts.set(slot, count + 1)
    this.#contents.add(contentOf(message.head))
    this.#messages.push(message)
  }

  /** Whether one that says this is kept. */
  has(content: string): boolean {
    return this.#contents.has(content)
  }

  /** Takes the messages of a height, in the order in which they came, and drops those below it. */
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

/** What an honest validator says once at the most. */
export function slotOf(head: MessageHead): string {
  const { height, round } = messagePosition(head)
  const of = head.kind === 'vote' ? `${head.vote.kind}/${head.vote.validator}` : head.kind
  return `${height}/${round}/${of}`
}

/** What a message says, whoever passed it on: its signatures aside. */
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
      return slot
    default:
      return `${slot}/${head.valueId}`
  }
}
