import type { Change, Store } from '@quoin/sdk'
import type { Hex } from 'viem'
import { type OpenOrder, type OrderEvent, orderAfter } from './order.ts'

/** How many orders have ended, since the first block that was read. */
export interface Totals {
  readonly settled: number
  readonly compensated: number
}

interface Position extends Totals {
  /** Of the stream of events, behind the last one that is in the book. */
  readonly cursor: string
}

const START = { cursor: undefined, settled: 0, compensated: 0 } as const
const PAGE = 500

/**
 * What the driver knows, in a store: open orders, totals, and up to where the events are counted in. A batch of events changes all of it in one
 * commit, so that each event counts exactly once, whenever the process is killed.
 *
 *     <prefix>position          { cursor, settled, compensated }
 *     <prefix>order/<id>        an open order
 */
export class Book {
  readonly #store: Store
  readonly #prefix: string
  readonly #open: Map<Hex, OpenOrder>
  #position: Position | typeof START
  /** The text in the store, the condition of the next commit. */
  #stored: string | undefined

  private constructor(store: Store, prefix: string, open: Map<Hex, OpenOrder>, stored: string | undefined) {
    this.#store = store
    this.#prefix = prefix
    this.#open = open
    this.#stored = stored
    this.#position = stored === undefined ? START : (JSON.parse(stored) as Position)
  }

  static async load(store: Store, prefix: string): Promise<Book> {
    const open = new Map<Hex, OpenOrder>()
    for (let after = ''; ; ) {
      const entries = await store.list(`${prefix}order/`, after === '' ? { limit: PAGE } : { after, limit: PAGE })
      for (const [, text] of entries) {
        const order = JSON.parse(text) as OpenOrder
        open.set(order.id, order)
      }
      if (entries.length < PAGE) break
      after = entries.at(-1)![0]
    }
    return new Book(store, prefix, open, await store.get(`${prefix}position`))
  }

  get cursor(): string | undefined {
    return this.#position.cursor
  }

  get totals(): Totals {
    const { settled, compensated } = this.#position
    return { settled, compensated }
  }

  get open(): Iterable<OpenOrder> {
    return this.#open.values()
  }

  has(id: Hex): boolean {
    return this.#open.has(id)
  }

  /** Whether the order is still as it was. */
  isCurrent(order: OpenOrder): boolean {
    return this.#open.get(order.id)?.state === order.state
  }

  /**
   * Counts events in, and stores the position behind them.
   *
   * @throws Error if another process has changed the book meanwhile
   */
  async add(events: readonly OrderEvent[], cursor: string): Promise<void> {
    if (cursor === this.#position.cursor) return
    const after = new Map<Hex, OpenOrder | undefined>()
    let { settled, compensated } = this.#position
    for (const event of events) {
      const { id } = event.args
      after.set(id, orderAfter(after.has(id) ? after.get(id) : this.#open.get(id), event))
      if (event.eventName === 'Settled') settled++
      if (event.eventName === 'Compensated') compensated++
    }
    const position: Position = { cursor, settled, compensated }
    const key = `${this.#prefix}position`
    const text = JSON.stringify(position)
    const changes: Change[] = [...after].map(([id, order]) => ({
      ...{ key: `${this.#prefix}order/${id}`, value: order === undefined ? undefined : JSON.stringify(order) },
    }))
    const isDone = await this.#store.commit([...changes, { key, value: text }], { if: [{ key, value: this.#stored }] })
    if (!isDone) throw new Error(`Another process writes "${key}" of the same store. Give each driver a name of its own.`)
    this.#position = position
    this.#stored = text
    for (const [id, order] of after) {
      if (order === undefined) this.#open.delete(id)
      else this.#open.set(id, order)
    }
  }
}
