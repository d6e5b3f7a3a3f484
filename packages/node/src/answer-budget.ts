import type { Clock, PeerId } from './powers.ts'
import { type Allowance, TokenBucket } from './token-bucket.ts'

export const ANSWER_LIMITS = {
  /** Sustained rate of answers to one peer. */
  answerBytesPerSecondMax: 16 * 1024 * 1024,
  /** Burst of answers to a peer that asked for nothing for a while. */
  answerBurstBytesMax: 64 * 1024 * 1024,
  /** Fixed cost of a request, on top of its answer, because reading it takes time. */
  questionBytes: 4 * 1024,
  /** Cost of each byte of a request, in bytes of an answer: each requested hash is decoded and looked up, whatever the answer. */
  questionByteWeight: 8,
  /** Maximum delay of an answer. */
  answerWaitMsMax: 2_000,
} as const

const ALLOWANCE: Allowance = {
  perSecond: ANSWER_LIMITS.answerBytesPerSecondMax,
  burst: ANSWER_LIMITS.answerBurstBytesMax,
}

/**
 * Limits the rate of answers to each peer, because each answer costs reading and encoding. Answers beyond the budget are delayed, not refused:
 * a refusal would say that this node does not have what it claims to have. A peer may have few requests in flight, so a delayed
 * answer also slows the peer down (back-pressure).
 */
export class AnswerBudget {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #allowances = new Map<PeerId, TokenBucket>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** @returns Delay for the next answer to a peer, in ms. */
  waitMs(peer: PeerId): number {
    return Math.min(ANSWER_LIMITS.answerWaitMsMax, this.#allowanceOf(peer).waitMs)
  }

  /** Charges a request and its answer (0 bytes if refused). They may overdraw the budget; then the next answer waits. */
  given(peer: PeerId, questionBytes: number, answerBytes: number): void {
    const question = ANSWER_LIMITS.questionBytes + ANSWER_LIMITS.questionByteWeight * questionBytes
    this.#allowanceOf(peer).take(question + answerBytes)
  }

  /** Also drops the budgets that are full again, so that disconnected peers are forgotten. */
  #allowanceOf(peer: PeerId): TokenBucket {
    for (const [other, allowance] of this.#allowances) if (allowance.isFull) this.#allowances.delete(other)
    const allowance = this.#allowances.get(peer) ?? new TokenBucket(this.#clock, ALLOWANCE)
    this.#allowances.set(peer, allowance)
    return allowance
  }
}
