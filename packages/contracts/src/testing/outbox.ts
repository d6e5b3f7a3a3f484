import { ChainError } from './error.ts'
import type { ContractRevert } from './revert.ts'

interface Waiting<Item, Sent> {
  readonly item: Item
  readonly resolve: (sent: Sent) => void
  readonly reject: (error: unknown) => void
}

/** Makes the next block of some items, and says what became of each. Throws where there is no such block. */
export type Mine<Item, Sent> = (items: readonly Item[]) => Promise<readonly (Sent | ContractRevert)[]>

/**
 * What changes a chain, one after the other in the order in which it was asked for. What is sent while a batch is collected waits for the
 * batch's block.
 */
export class Outbox<Item, Sent> {
  readonly #mine: Mine<Item, Sent>
  #last: Promise<unknown> = Promise.resolve()
  #batch: Waiting<Item, Sent>[] | undefined

  constructor(mine: Mine<Item, Sent>) {
    this.#mine = mine
  }

  /** Runs an action when all before it have come to an end. */
  exclusive<T>(action: () => Promise<T>): Promise<T> {
    if (this.#batch !== undefined) throw new ChainError('a batch holds nothing but transactions')
    const done = this.#last.then(action)
    const settled = () => undefined
    this.#last = done.then(settled, settled)
    return done
  }

  /** What became of an item, in a block of its own or in that of the batch. */
  send(item: Item): Promise<Sent> {
    const batch = this.#batch
    if (batch !== undefined) return new Promise((resolve, reject) => void batch.push({ item, resolve, reject }))
    return new Promise((resolve, reject) => void this.#deliver([{ item, resolve, reject }]))
  }

  /** Puts what `collect` sends into one block; answers with what its promises come to. */
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
    if (this.#batch !== undefined) throw new ChainError('a batch cannot be within another')
    const batch: Waiting<Item, Sent>[] = []
    this.#batch = batch
    try {
      const results = collect()
      if (Array.isArray(results)) return { batch, results }
      // What an async function comes to is of no interest: it learns from its sends what is told here.
      void Promise.allSettled([results as unknown])
      throw new ChainError('the function of a batch sends without waiting, and answers with the list of promises')
    } catch (error) {
      // Nothing of it is sent, and whoever holds a promise learns of it here.
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
