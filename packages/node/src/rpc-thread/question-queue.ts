import type { Hash, Result, SignedTransaction } from '@quoin/protocol'
import type { Probes } from '../health/probes.ts'
import type { Mempool, PoolRefusal } from '../mempool/types.ts'
import type { Clock } from '../powers.ts'
import type { Admitted, Answered, Asked } from './messages.ts'
import { PoolPages } from './pool-pages.ts'

/** Copies the bytes, because cloning a view would clone its whole underlying buffer. */
export const admittedOf = ({ raw, sender }: SignedTransaction): Admitted => ({ raw: raw.slice(), sender })

/** How long the node answers questions before it returns to its own work. */
const SLICE_MS = 2

export interface QuestionOptions {
  readonly pool: Pick<Mempool, 'waiting' | 'pendingNonce' | 'stats' | 'walk'>
  readonly submit: (raw: Uint8Array) => Promise<Result<Hash, PoolRefusal>>
  readonly probes: Probes
  readonly clock: Pick<Clock, 'monotonic'>
  /** Sends finished answers to the thread. */
  readonly send: (answers: readonly Answered[]) => void
}

/** The node's end of the connection to its RPC thread. Answers questions in slices between the node's own work, and batches the answers. */
export class QuestionQueue {
  readonly #options: QuestionOptions
  #questions: Asked[] = []
  #at = 0
  #answers: Answered[] = []
  #isScheduled = false
  #isFlushing = false
  readonly #pages: PoolPages
  /** Number of the current thread. A new thread numbers its questions from the start, so answers for an old one must be dropped. */
  #life = 0

  constructor(options: QuestionOptions) {
    this.#options = options
    this.#pages = new PoolPages(options.pool)
  }

  push(questions: readonly Asked[]): void {
    for (const question of questions) this.#questions.push(question)
    this.#schedule()
  }

  /** The thread has ended: drops all its questions. */
  clear(): void {
    this.#questions = []
    this.#at = 0
    this.#answers = []
    this.#pages.clear()
    this.#life++
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#work)
  }

  readonly #work = (): void => {
    this.#isScheduled = false
    const { clock } = this.#options
    const endMs = clock.monotonic() + SLICE_MS
    while (this.#at < this.#questions.length && clock.monotonic() < endMs) void this.#answer(this.#questions[this.#at++]!)
    if (this.#at < this.#questions.length) return this.#schedule()
    this.#questions = []
    this.#at = 0
  }

  async #answer(question: Asked): Promise<void> {
    const { id } = question
    const life = this.#life
    try {
      const value = await this.#valueOf(question)
      if (life === this.#life) this.#done({ id, value })
    } catch (failure) {
      if (life === this.#life) this.#done({ id, failure })
    }
  }

  #valueOf(question: Asked): unknown {
    const { pool, submit, probes } = this.#options
    switch (question.kind) {
      case 'submit':
        return submit(question.raw)
      case 'transaction': {
        const found = pool.waiting(question.hash)
        return found === undefined ? undefined : question.isKnown ? 'known' : admittedOf(found)
      }
      case 'pending-nonce':
        return pool.pendingNonce(question.sender)
      case 'pool-stats':
        return pool.stats
      case 'pool-page':
        return this.#pages.page(question.walk)
      case 'live':
        return probes.live()
      case 'ready':
        return probes.ready()
      case 'metrics':
        return probes.metrics()
    }
  }

  #done(answer: Answered): void {
    this.#answers.push(answer)
    if (this.#isFlushing) return
    this.#isFlushing = true
    setImmediate(this.#flush)
  }

  readonly #flush = (): void => {
    this.#isFlushing = false
    const answers = this.#answers
    this.#answers = []
    if (answers.length > 0) this.#options.send(answers)
  }
}
