import { cursorBehind } from './cursor.ts'
import type { CursorStore } from './cursor-store.ts'
import type { Entry, Segment } from './segment.ts'

/**
 * Writes the acknowledged position to its store, one write at a time: while one is under way, only the newest position waits. So a fast consumer does not wait
 * for the disk, and after a crash it sees the items again that were acknowledged since the last write.
 */
export class Acknowledged {
  readonly #store: CursorStore | undefined
  #newest: string | undefined
  #writing: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(store: CursorStore | undefined) {
    this.#store = store
  }

  /** The consumer is behind an item. */
  entry<T>(segment: Segment<T>, entry: Entry<T>): void {
    if (this.#store !== undefined) this.position(cursorBehind(segment, entry))
  }

  /**
   * The consumer is behind a cursor.
   *
   * @throws if an earlier position could not be written: going on would lose the position without a word.
   */
  position(cursor: string): void {
    if (this.#store === undefined) return
    if (this.#failure !== undefined) throw this.#failure.error
    this.#newest = cursor
    this.#writing ??= this.#write(this.#store).finally(() => {
      this.#writing = undefined
    })
  }

  /** Resolves when the newest position is stored. */
  async flush(): Promise<void> {
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure.error
  }

  async #write(store: CursorStore): Promise<void> {
    try {
      for (let cursor = this.#newest; cursor !== undefined; cursor = this.#newest) {
        this.#newest = undefined
        await store.write(cursor)
      }
    } catch (error) {
      this.#failure = { error }
    }
  }
}
