import type { Change, Store } from '../store/store.ts'
import { isFinished, parseRecord, type QueuedRecord, recordText, type SendRecord } from './record.ts'

/**
 * The sends of one key in a store. All keys begin with `sends/<chain>/<address>/`:
 *
 *     state                  {"next": first nonce that was never signed, "order": next position}; of the owner
 *     handed                 next position of a send that is handed to the owner
 *     id/<id>                the record of a send
 *     queued/<order>/<id>    a send that waits for the owner
 *     open/<order>/<id>      a signed send whose nonce is not used yet
 *     done/<order>/<id>      a finished send, kept so that its id stays taken
 *
 * Every change names the values that it replaces. So a process that wrongly believes that it owns the key changes nothing: in particular, no
 * nonce is given away twice.
 */
export class Book {
  readonly prefix: string
  readonly #store: Store
  #finished = 0

  constructor(store: Store, prefix: string) {
    this.#store = store
    this.prefix = prefix
  }

  async state(): Promise<KeyState> {
    const text = await this.#store.get(`${this.prefix}state`)
    if (text === undefined) return { next: undefined, order: 0, text }
    return { ...(JSON.parse(text) as { next?: number; order: number }), text }
  }

  async record(id: string): Promise<Stored | undefined> {
    const text = await this.#store.get(this.#idKey(id))
    return text === undefined ? undefined : { record: parseRecord(text), text }
  }

  /** Unfinished sends in order: at most `limit`. */
  async unfinished(kind: 'queued' | 'open', limit?: number): Promise<readonly Stored[]> {
    const entries = await this.#store.list(`${this.prefix}${kind}/`, { limit: limit ?? Number.MAX_SAFE_INTEGER })
    const records = await Promise.all(entries.map(([, id]) => this.record(id)))
    return records.filter((found) => found !== undefined)
  }

  /** Replaces records and the state at once; false, without a change, if anybody changed one of them before. */
  async replace(
    updates: readonly Update[],
    state?: { readonly before: KeyState; readonly next: number | undefined; readonly order: number },
  ) {
    const changes = updates.flatMap(({ before, record }) => this.#changes(before, record))
    const conditions = updates.map(({ before, record }) => ({ key: this.#idKey(record.id), value: before?.text }))
    if (state !== undefined) {
      const key = `${this.prefix}state`
      const { before, next, order } = state
      conditions.push({ key, value: before.text })
      changes.push({ key, value: JSON.stringify({ next, order }) })
    }
    if (!(await this.#store.commit(changes, { if: conditions }))) return false
    this.#finished += updates.filter(({ record }) => isFinished(record)).length
    if (this.#finished >= PRUNE_EVERY) await this.#prune()
    return true
  }

  /** Puts new sends into the store, in this order, for the owner; false, without a change, if anybody did the same or has one of the ids. */
  async handOver(records: readonly QueuedRecord[]): Promise<boolean> {
    const key = `${this.prefix}handed`
    const text = await this.#store.get(key)
    const first = Number(text ?? 0)
    const changes = records.flatMap((record, i) => this.#changes(undefined, { ...record, order: first + i }))
    const conditions: Change[] = records.map(({ id }) => ({ key: this.#idKey(id), value: undefined }))
    return this.#store.commit([...changes, { key, value: String(first + records.length) }], {
      if: [...conditions, { key, value: text }],
    })
  }

  /** Takes back a send that nobody has signed; false if it is too late. */
  async cancel({ record, text }: Stored & { record: QueuedRecord }): Promise<boolean> {
    const key = this.#idKey(record.id)
    const changes = [key, this.#indexKey(record)].map((changed) => ({ key: changed, value: undefined }))
    return this.#store.commit(changes, { if: [{ key, value: text }] })
  }

  watch(listener: () => void): () => void {
    return this.#store.watch(this.prefix, listener)
  }

  #changes(before: Stored | undefined, record: SendRecord): Change[] {
    const index = this.#indexKey(record)
    const old = before === undefined ? undefined : this.#indexKey(before.record)
    return [
      { key: this.#idKey(record.id), value: recordText(record) },
      ...(old === undefined || old === index ? [] : [{ key: old, value: undefined }]),
      ...(old === index ? [] : [{ key: index, value: record.id }]),
    ]
  }

  #idKey(id: string): string {
    return `${this.prefix}id/${id}`
  }

  #indexKey(record: SendRecord): string {
    const kind = record.status === 'queued' ? 'queued' : record.status === 'signed' ? 'open' : 'done'
    return `${this.prefix}${kind}/${String(record.order).padStart(16, '0')}/${record.id}`
  }

  /** Forgets the oldest finished sends. */
  async #prune(): Promise<void> {
    this.#finished = 0
    const done = await this.#store.list(`${this.prefix}done/`, { limit: FINISHED_MAX + 10 * PRUNE_EVERY })
    const old = done.slice(0, Math.max(0, done.length - FINISHED_MAX))
    if (old.length === 0) return
    await this.#store.commit(old.flatMap(([key, id]) => [key, this.#idKey(id)]).map((key) => ({ key, value: undefined })))
  }
}

/** Finished sends whose ids are remembered, for each key. */
export const FINISHED_MAX = 1_024
const PRUNE_EVERY = 64

export interface KeyState {
  /** Undefined if the key never signed here. */
  readonly next?: number | undefined
  readonly order: number
  readonly text: string | undefined
}

/** A record with its text in the store, which conditions name. */
export interface Stored<R extends SendRecord = SendRecord> {
  readonly record: R
  readonly text: string
}

export interface Update {
  /** What it replaces; undefined for a new id. */
  readonly before: Stored | undefined
  readonly record: SendRecord
}
