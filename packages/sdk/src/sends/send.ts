import type { Hash, TransactionReceipt } from 'viem'
import type { Entry, SendStatus, SendUpdate } from './entry.ts'

/**
 * A send under way. It is not a promise, so `await` and `async` functions pass it on as it is. Nothing needs to be awaited: a failure that nobody
 * asks for is no unhandled rejection.
 */
export interface Send {
  readonly id: string
  readonly status: SendStatus
  /** Resolves when the transaction leaves, like viem's `writeContract`. */
  hash(): Promise<Hash>
  /** Resolves when it is in a block, which is final. Rejects with a SendError, or the reason of the caller's signal. */
  readonly receipt: Promise<TransactionReceipt>
  /** Every status from the first: `queued`, `signed`, `sent`, then `included` or `failed`. Each iteration begins at the first one. */
  readonly updates: AsyncIterable<SendUpdate>
  /** Takes the send back. False if it is signed: then it goes on. */
  cancel(): Promise<boolean>
}

/** One caller's view of a send. */
export class SendHandle implements Send {
  readonly #entry: Entry
  readonly #cancel: () => Promise<boolean>
  readonly #signal: AbortSignal | undefined

  constructor(entry: Entry, cancel: () => Promise<boolean>, signal: AbortSignal | undefined) {
    this.#entry = entry
    this.#cancel = cancel
    this.#signal = signal
    if (signal === undefined) return
    // Before the signature an abort cancels. Later only the waits of this handle end, by themselves.
    const abort = (): void => void cancel().catch(ended)
    if (signal.aborted) abort()
    else {
      signal.addEventListener('abort', abort, { once: true })
      const unlisten = entry.listen(() => {
        if (entry.latest.status === 'queued') return
        signal.removeEventListener('abort', abort)
        unlisten()
      })
    }
  }

  get id(): string {
    return this.#entry.id
  }

  get status(): SendStatus {
    return this.#entry.latest.status
  }

  hash(): Promise<Hash> {
    return quiet(this.#until(({ status, hash }) => (status === 'sent' || status === 'included' ? hash : undefined)))
  }

  get receipt(): Promise<TransactionReceipt> {
    return quiet(this.#until(() => this.#entry.receipt))
  }

  get updates(): AsyncIterable<SendUpdate> {
    const next = (seen: number) => this.#next(seen)
    const entry = this.#entry
    return {
      async *[Symbol.asyncIterator]() {
        for (let seen = 0; ; seen++) {
          if (seen === entry.history.length) await next(seen)
          const update = entry.history[seen]!
          yield update
          if (update.status === 'included' || update.status === 'failed') return
        }
      },
    }
  }

  cancel(): Promise<boolean> {
    return this.#cancel()
  }

  async #until<T>(find: (update: SendUpdate) => T | undefined): Promise<T> {
    for (;;) {
      const { latest, history } = this.#entry
      const found = find(latest)
      if (found !== undefined) return found
      if (latest.status === 'failed') throw latest.error
      await this.#next(history.length)
    }
  }

  /** Until there are more than `seen` updates. */
  #next(seen: number): Promise<void> {
    const signal = this.#signal
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        unlisten()
        signal?.removeEventListener('abort', abort)
      }
      const look = (): void => {
        if (this.#entry.history.length <= seen) return
        stop()
        resolve()
      }
      // A cancelled send says so by itself, in a moment. Whether an earlier process sent it may take long to find out.
      const abort = (): void => {
        if (this.status === 'queued' && this.#entry.isAdmitted) return
        stop()
        reject(signal!.reason)
      }
      const unlisten = this.#entry.listen(look)
      signal?.addEventListener('abort', abort)
      if (signal?.aborted === true) abort()
      look()
    })
  }
}

/** A promise whose rejection is nobody's accident. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ended)
  return promise
}

const ended = (): undefined => undefined
