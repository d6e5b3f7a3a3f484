import type { Result } from '@quoin/protocol'
import type { Clock } from '../powers.ts'
import type { CallUnavailable } from './call-runner.ts'

export type JobAnswer = Result<unknown, CallUnavailable>

export interface JobReplyOptions {
  readonly resolve: (answer: JobAnswer) => void
  readonly reject: (error: unknown) => void
  readonly clock: Pick<Clock, 'after'>
  readonly signal: AbortSignal
  /** Called after the client has left without an answer. */
  readonly onAbort: () => void
}

/**
 * The one answer to a job. Whatever comes first gives it: the thread, a timeout, the client that leaves, or the end of the node. From then on
 * the reply holds neither a timer nor a listener.
 */
export class JobReply {
  readonly #options: JobReplyOptions
  readonly #onAbort: () => void
  #cancelLimit: () => void = () => {}
  #isGiven = false

  constructor(options: JobReplyOptions) {
    const { signal, onAbort } = options
    this.#options = options
    this.#onAbort = () => {
      this.reject(signal.reason)
      onAbort()
    }
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get isGiven(): boolean {
    return this.#isGiven
  }

  /** Calls back in `ms` if there is no answer by then. Replaces the limit before. */
  limit(ms: number, onLate: () => void): void {
    this.#cancelLimit()
    if (!this.#isGiven) this.#cancelLimit = this.#options.clock.after(ms, onLate)
  }

  resolve(answer: JobAnswer): void {
    if (this.#end()) this.#options.resolve(answer)
  }

  reject(error: unknown): void {
    if (this.#end()) this.#options.reject(error)
  }

  #end(): boolean {
    if (this.#isGiven) return false
    this.#isGiven = true
    this.#cancelLimit()
    this.#options.signal.removeEventListener('abort', this.#onAbort)
    return true
  }
}
