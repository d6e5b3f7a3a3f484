import type { Hash } from '@quoin/protocol'
import type { StoredSender } from '../store/types.ts'

/** Those who wait for transactions to become final. A block costs a look at its transactions, however many wait. */
export class ReceiptWaits {
  readonly #waiting = new Map<Hash, Set<() => void>>()

  /** Resolves when a block with the transaction is final, or the signal is aborted. Whoever waits looks first whether it is. */
  wait(transaction: Hash, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(transaction) ?? new Set()
      this.#waiting.set(transaction, waiting)
      const done = (): void => {
        signal.removeEventListener('abort', done)
        waiting.delete(done)
        if (waiting.size === 0 && this.#waiting.get(transaction) === waiting) this.#waiting.delete(transaction)
        resolve()
      }
      waiting.add(done)
      signal.addEventListener('abort', done, { once: true })
    })
  }

  onBlock(transactions: readonly Pick<StoredSender, 'hash'>[]): void {
    if (this.#waiting.size === 0) return
    for (const { hash } of transactions) for (const done of [...(this.#waiting.get(hash) ?? [])]) done()
  }

  close(): void {
    for (const waiting of [...this.#waiting.values()]) for (const done of [...waiting]) done()
  }
}
