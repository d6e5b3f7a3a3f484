import type { Clock, PeerId } from './powers.ts'
import { type Allowance, TokenBucket } from './token-bucket.ts'

export const ANSWER_LIMITS = {
  /** What a peer may have of answers, in the long run. */
  answerBytesPerSecondMax: 16 * 1024 * 1024,
  /** What it may have at once when it asked for nothing for a while. */
  answerBurstBytesMax: 64 * 1024 * 1024,
  /** What a question counts besides its answer: reading it takes time. */
  questionBytes: 4 * 1024,
  /** How many bytes of an answer a byte of a question counts as: a hash of a question is decoded and looked up, whatever the answer. */
  questionByteWeight: 8,
  /** The longest that an answer is held back. */
  answerWaitMsMax: 2_000,
} as const

const ALLOWANCE: Allowance = {
  perSecond: ANSWER_LIMITS.answerBytesPerSecondMax,
  burst: ANSWER_LIMITS.answerBurstBytesMax,
}

/**
 * How much a peer has been given of late: answers cost reading and encoding, so that nobody can ask without end. Answers beyond the budget are late, not
 * refused: a refusal says that this node has not what it claims. A peer has few questions under way at once, so that it waits too.
 */
export class AnswerBudget {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #allowances = new Map<PeerId, TokenBucket>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** How long the next answer to a peer is to be held back, in milliseconds. */
  waitMs(peer: PeerId): number {
    return Math.min(ANSWER_LIMITS.answerWaitMsMax, this.#allowanceOf(peer).waitMs)
  }

  /** Notes a question with its answer, or its refusal. They may be larger than what is left; the next waits for it. */
  given(peer: PeerId, questionBytes: number, answerBytes: number): void {
    const question = ANSWER_LIMITS.questionBytes + ANSWER_LIMITS.questionByteWeight * questionBytes
    this.#allowanceOf(peer).take(question + answerBytes)
  }

  /** A peer that is gone is forgotten when its allowance is full again. */
  #allowanceOf(peer: PeerId): TokenBucket {
    for (const [other, allowance] of this.#allowances) if (allowance.isFull) this.#allowances.delete(other)
    const allowance = this.#allowances.get(peer) ?? new TokenBucket(this.#clock, ALLOWANCE)
    this.#allowances.set(peer, allowance)
    return allowance
  }
}
