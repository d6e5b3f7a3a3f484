import type { Hash } from '@quoin/protocol'
import type { StoredSender } from '../store/types.ts'

/** Calls that wait for a transaction to become final. The cost per block depends on its transactions, not on the number of waiting calls. */
export class ReceiptWaits {
  readonly #waiting = new Map<Hash, Set<() => void>>()

  /** Resolves when a block with the transaction becomes final, or the signal is aborted. Check first whether it is already final. */
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
