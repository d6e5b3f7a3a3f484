/** Listeners by the prefix of the keys they care for. */
export class Watchers {
  readonly #watchers = new Set<{ readonly prefix: string; readonly listener: () => void }>()

  get count(): number {
    return this.#watchers.size
  }

  add(prefix: string, listener: () => void): () => void {
    const watcher = { prefix, listener }
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  /** Calls, in a microtask of its own, each listener whose prefix fits one of the keys. */
  tell(keys: readonly string[]): void {
    for (const watcher of this.#watchers) {
      if (!keys.some((key) => key.startsWith(watcher.prefix))) continue
      queueMicrotask(() => {
        if (this.#watchers.has(watcher)) watcher.listener()
      })
    }
  }

  /** Calls all: something may have changed. */
  tellAll(): void {
    for (const watcher of this.#watchers) {
      queueMicrotask(() => {
        if (this.#watchers.has(watcher)) watcher.listener()
      })
    }
  }

  clear(): void {
    this.#watchers.clear()
  }
}
