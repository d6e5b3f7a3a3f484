import { ChainError } from './error.ts'
import type { ContractRevert } from './revert.ts'

interface Waiting<Item, Sent> {
  readonly item: Item
  readonly resolve: (sent: Sent) => void
  readonly reject: (error: unknown) => void
}

/** Makes the next block from items, and returns the outcome of each. Throws when there can be no such block. */
export type Mine<Item, Sent> = (items: readonly Item[]) => Promise<readonly (Sent | ContractRevert)[]>

/**
 * Runs changes of a chain one after the other, in the order of the requests. Transactions that are sent while a batch is collected go into the
 * batch's block.
 */
export class Outbox<Item, Sent> {
  readonly #mine: Mine<Item, Sent>
  #last: Promise<unknown> = Promise.resolve()
  #batch: Waiting<Item, Sent>[] | undefined

  constructor(mine: Mine<Item, Sent>) {
    this.#mine = mine
  }

  /** Runs an action after all earlier ones have ended. */
  exclusive<T>(action: () => Promise<T>): Promise<T> {
    if (this.#batch !== undefined) throw new ChainError('a batch can contain only transactions')
    const done = this.#last.then(action)
    const settled = () => undefined
    this.#last = done.then(settled, settled)
    return done
  }

  /** Sends an item in a separate block, or in the block of the current batch. Resolves to its outcome. */
  send(item: Item): Promise<Sent> {
    const batch = this.#batch
    if (batch !== undefined) return new Promise((resolve, reject) => void batch.push({ item, resolve, reject }))
    return new Promise((resolve, reject) => void this.#deliver([{ item, resolve, reject }]))
  }

  /** Puts all items that `collect` sends into one block. Resolves to the results of its promises. */
  async batch(collect: () => readonly unknown[]): Promise<readonly unknown[]> {
    const { batch, results } = this.#collect(collect)
    const settled = Promise.allSettled<unknown>(results)
    if (batch.length > 0) await this.#deliver(batch)
    return (await settled).map((result) => {
      if (result.status === 'rejected') throw result.reason
      return result.value
    })
  }

  #collect(collect: () => readonly unknown[]): {
    readonly batch: readonly Waiting<Item, Sent>[]
    readonly results: readonly unknown[]
  } {
    if (this.#batch !== undefined) throw new ChainError('a batch cannot contain another batch')
    const batch: Waiting<Item, Sent>[] = []
    this.#batch = batch
    try {
      const results = collect()
      if (Array.isArray(results)) return { batch, results }
      // Ignore the result of an async function: its sends reject with the same error.
      void Promise.allSettled([results as unknown])
      throw new ChainError('the function of a batch must return the list of promises without waiting for them')
    } catch (error) {
      // Nothing is sent. Holders of a promise get the error too.
      for (const { reject } of batch) reject(error)
      throw error
    } finally {
      this.#batch = undefined
    }
  }

  #deliver(waiting: readonly Waiting<Item, Sent>[]): Promise<void> {
    return this.exclusive(async () => {
      try {
        const outcomes = await this.#mine(waiting.map(({ item }) => item))
        for (const [i, { resolve, reject }] of waiting.entries()) {
          const outcome = outcomes[i]!
          if (outcome instanceof Error) reject(outcome)
          else resolve(outcome)
        }
      } catch (error) {
        for (const { reject } of waiting) reject(error)
      }
    })
  }
}
