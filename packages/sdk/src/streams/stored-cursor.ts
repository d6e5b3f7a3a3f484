import type { Store } from '../store/store.ts'
import type { CursorStore } from './cursor-store.ts'

/**
 * A named position in a store. It is as durable as the store: see `Store.durability`.
 *
 * @example
 * const cursor = storedCursor(await fileStore('./state'), 'payments')
 * for await (const event of streamContractEvents(client, { abi, address, cursor })) …
 */
export function storedCursor(store: Store, name: string): CursorStore {
  const key = `cursor/${name}`
  return {
    read: () => store.get(key),
    async write(cursor) {
      await store.commit([{ key, value: cursor }])
    },
  }
}
