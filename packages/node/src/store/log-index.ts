import type { KvOp } from '@quoin/execution'
import { type Address, type Hash, type Height, hexToBytes, visitEncodedLogs } from '@quoin/protocol'
import type { Kv } from '../powers.ts'
import { indexedHeight, LOG_INDEX_KEY_BYTES, logIndexKey } from './schema.ts'

/*
 * The index of logs. A *term* is the address of a log, or a topic at its position. Its hash has 12 bits that name a group and 32 bits of
 * fingerprint. For each block and each group that occurs in it there is one record: the fingerprints, ascending.
 *
 * Groups bound both sides. A block adds at most GROUPS records, however many logs it has, and a query for a term reads at most one
 * record per block. A group contains what the term is looked for among, and a fingerprint may be that of another term: the index names
 * blocks that probably have the term, and no other block has it.
 */

/** The address of a log, or a topic at a position from 0 to 3. */
export type LogTerm = { readonly address: Address } | { readonly topic: Hash; readonly position: number }

/** The hash of a term: 2^32 · group + fingerprint. */
type TermHash = number

export const GROUPS = 4_096
const FINGERPRINTS = 2 ** 32
const FINGERPRINT_BYTES = 4
const ADDRESS_BYTES = 20
const TOPIC_BYTES = 32
/** Position of an address; topics have the positions 1 to 4. */
const ADDRESS_POSITION = 0

/** Exported for a test, because databases contain it. */
export const hashOfTerm = (term: LogTerm): TermHash =>
  'address' in term
    ? hashOf(hexToBytes(term.address), 0, ADDRESS_BYTES, ADDRESS_POSITION)
    : hashOf(hexToBytes(term.topic), 0, TOPIC_BYTES, 1 + term.position)

/**
 * Two lanes of MurmurHash3's rounds over words of 4 bytes. It needs no strength: whoever makes two terms collide makes queries read a
 * block for nothing, which a log with the same topic does as well.
 */
function hashOf(bytes: Uint8Array, at: number, length: number, position: number): TermHash {
  let group = 0x9747b28c ^ position
  let print = 0x3c6ef372 ^ position
  for (let i = at; i < at + length; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    const first = Math.imul(word, 0xcc9e2d51)
    group ^= Math.imul((first << 15) | (first >>> 17), 0x1b873593)
    group = (Math.imul((group << 13) | (group >>> 19), 5) + 0xe6546b64) | 0
    const second = Math.imul(word, 0x239b961b)
    print ^= Math.imul((second << 16) | (second >>> 16), 0xab0e9789)
    print = (Math.imul((print << 17) | (print >>> 15), 5) + 0x38b34ae5) | 0
  }
  return (finished(group) % GROUPS) * FINGERPRINTS + finished(print)
}

function finished(hash: number): number {
  let mixed = hash
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

const groupOf = (term: TermHash): number => Math.floor(term / FINGERPRINTS)

/** The hashes of the terms of a block's logs, ascending. Most logs share address and first topic with the log before. */
function termsOf(receipts: Uint8Array): Float64Array {
  const terms: number[] = []
  const last: number[] = []
  const add = (at: number, length: number, position: number): void => {
    const term = hashOf(receipts, at, length, position)
    if (last[position] === term) return
    last[position] = term
    terms.push(term)
  }
  visitEncodedLogs(receipts, (addressAt, topicsAt, count) => {
    add(addressAt, ADDRESS_BYTES, ADDRESS_POSITION)
    for (let i = 0; i < count; i++) add(topicsAt + TOPIC_BYTES * i, TOPIC_BYTES, 1 + i)
  })
  return Float64Array.from(terms).sort()
}

/**
 * The records of a block.
 *
 * @param receipts - `receiptsCodec` encoding.
 */
export function logIndexOps(height: Height, receipts: Uint8Array): readonly KvOp[] {
  const terms = termsOf(receipts)
  const prints = new Uint8Array(FINGERPRINT_BYTES * terms.length)
  const view = new DataView(prints.buffer)
  // One buffer for all keys: thousands of small ones are slow (`Journal` of the execution package says why).
  const keys = new Uint8Array(LOG_INDEX_KEY_BYTES * Math.min(GROUPS, terms.length))
  const ops: KvOp[] = []
  let [start, end] = [0, 0]
  for (let i = 0; i < terms.length; i++) {
    const term = terms[i]!
    if (term !== terms[i - 1]) {
      view.setUint32(end, term % FINGERPRINTS)
      end += FINGERPRINT_BYTES
    }
    const group = groupOf(term)
    if (i + 1 < terms.length && groupOf(terms[i + 1]!) === group) continue
    const key = keys.subarray(LOG_INDEX_KEY_BYTES * ops.length, LOG_INDEX_KEY_BYTES * (ops.length + 1))
    ops.push({ key: logIndexKey(group, height, key), value: prints.subarray(start, end) })
    start = end
  }
  return ops
}

/** Whether a record has a fingerprint. */
function contains(record: Uint8Array, print: number): boolean {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
  let low = 0
  let high = Math.floor(record.length / FINGERPRINT_BYTES) - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const found = view.getUint32(FINGERPRINT_BYTES * middle)
    if (found === print) return true
    if (found < print) low = middle + 1
    else high = middle - 1
  }
  return false
}

/** A record of the index that was read: whether its block probably has the term. */
export interface LogIndexEntry {
  readonly height: Height
  readonly matches: boolean
  /** Size of the record, which has the terms of all logs of its block that are in the group: mostly one, possibly thousands. */
  readonly bytes: number
}

/**
 * Reads the records of a term's group, ascending. Blocks of the range that it does not name have no log with the term. What a reader
 * pays for is records, matching or not, so all are yielded.
 */
export async function* logIndexEntries(
  kv: Pick<Kv, 'scan'>,
  term: LogTerm,
  from: Height,
  to: Height,
): AsyncIterable<LogIndexEntry> {
  const hash = hashOfTerm(term)
  const group = groupOf(hash)
  const print = hash % FINGERPRINTS
  const range = { from: logIndexKey(group, from), to: logIndexKey(group, (to + 1) as Height) }
  for await (const [key, record] of kv.scan(range))
    yield { height: indexedHeight(key), matches: contains(record, print), bytes: record.length }
}
