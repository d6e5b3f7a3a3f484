import { codec, concatBytes } from '@quoin/protocol'
import type { HistoryKv } from './history.ts'
import type { EntryKind } from './system-entries.ts'
import { systemFlatKey } from './system-records.ts'

/** Some entries of one kind, in the order of their keys. */
export interface EntryPage<T> {
  /** Keys are without the kind's first byte. */
  readonly entries: readonly { readonly key: Uint8Array; readonly value: T }[]
  /** No entry follows. */
  readonly isLast: boolean
}

/** Bytes of a database key in front of an entry's own key: everything up to the kind's byte, which is included. */
const HEAD_BYTES = systemFlatKey(new Uint8Array(1)).length

/**
 * Reads a page of the chain contract's entries of one kind, from one snapshot of the committed state. Entries that do not decode are
 * left out, as in every reader of theirs.
 *
 * @param after key of the last entry that is known already, without the kind's first byte; undefined begins with the first entry
 * @param limit entries that are visited at most
 */
export async function readEntryPage<K extends readonly unknown[], T>(
  kv: Pick<HistoryKv, 'scan'>,
  kind: EntryKind<K, T>,
  after: Uint8Array | undefined,
  limit: number,
): Promise<EntryPage<T>> {
  const { first } = kind
  // The key that follows another one in byte order is that key and a zero.
  const from = after === undefined ? Uint8Array.of(first) : concatBytes(Uint8Array.of(first), after, new Uint8Array(1))
  const range = { from: systemFlatKey(from), to: systemFlatKey(Uint8Array.of(first + 1)), limit: limit + 1 }
  const entries: { readonly key: Uint8Array; readonly value: T }[] = []
  let visited = 0
  for await (const [key, bytes] of kv.scan(range)) {
    visited++
    if (visited > limit) break
    const read = codec.decode(kind.codec, bytes)
    if (read.ok) entries.push({ key: key.slice(HEAD_BYTES), value: read.value })
  }
  return { entries, isLast: visited <= limit }
}
