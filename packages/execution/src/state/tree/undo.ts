import { codec, equalBytes, type Hash, NODE_BYTES } from '@quoin/protocol'
import type { KvReader } from '../kv.ts'
import { copyNode } from './node-buffer.ts'
import type { FormerPage } from './page-update.ts'
import { prefixOfPageKey, TreeCorruption, undoRootsKey } from './records.ts'

/** Bucket roots before a height, for undoing it. */
export interface UndoRoots {
  /** Root of the tree before the height. */
  readonly root: Hash
  /** Changed buckets, ascending. */
  readonly prefixes: Uint32Array
  /** Former roots of these buckets. */
  readonly nodes: Uint32Array
}

const ROOT_BYTES = 4 + NODE_BYTES

/** Format: root, 4 bytes for each prefix, 32 bytes for each former root. */
export const undoRootsCodec: codec.Codec<UndoRoots> = {
  bytesMax: Number.MAX_SAFE_INTEGER,
  write(writer, { root, prefixes, nodes }) {
    codec.hash.write(writer, root)
    for (let i = 0; i < prefixes.length; i++) writer.u32(prefixes[i]!)
    writer.bytes(new Uint8Array(nodes.buffer, nodes.byteOffset, nodes.byteLength))
  },
  read(reader) {
    const root = codec.hash.read(reader)
    if (reader.left % ROOT_BYTES !== 0) reader.fail(`${reader.left} bytes of bucket roots`)
    const prefixes = new Uint32Array(reader.left / ROOT_BYTES)
    for (let i = 0; i < prefixes.length; i++) prefixes[i] = reader.u32()
    return { root, prefixes, nodes: new Uint32Array(reader.bytes(NODE_BYTES * prefixes.length).buffer) }
  },
}

/**
 * Encodes the former pages of one height. They stay encoded, because a past view needs only a few of thousands. Format: number of
 * buckets (4 bytes); for each bucket, ascending, its prefix (4) and the offset of its pages (4); then for each page the length of
 * its key (1), the key, the length of its record (4; 0 = there was none), and the record.
 */
export function encodeUndoPages(pages: readonly FormerPage[]): Uint8Array {
  const buckets: { readonly prefix: number; readonly at: number }[] = []
  const body = new codec.Writer()
  let at = 0
  for (const { key, record } of pages) {
    const prefix = prefixOfPageKey(key)
    if (buckets.at(-1)?.prefix !== prefix) buckets.push({ prefix, at })
    body.u8(key.length)
    body.bytes(key)
    body.u32(record?.length ?? 0)
    if (record !== undefined) body.bytes(record)
    at += 5 + key.length + (record?.length ?? 0)
  }
  const head = 4 + 8 * buckets.length
  const out = new codec.Writer()
  out.u32(buckets.length)
  for (const { prefix, at } of buckets) {
    out.u32(prefix)
    out.u32(head + at)
  }
  out.bytes(body.finish())
  return out.finish()
}

/** The page before a height that changed it; undefined when that height did not change it. */
export function findUndoPage(encoded: Uint8Array, key: Uint8Array): FormerPage | undefined {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  const prefix = prefixOfPageKey(key)
  const count = view.getUint32(0)
  let low = 0
  for (let high = count; low < high; ) {
    const middle = (low + high) >>> 1
    if (view.getUint32(4 + 8 * middle) < prefix) low = middle + 1
    else high = middle
  }
  if (low === count || view.getUint32(4 + 8 * low) !== prefix) return undefined
  const end = low + 1 === count ? encoded.length : view.getUint32(16 + 8 * low)
  for (let at = view.getUint32(8 + 8 * low); at < end; ) {
    const recordAt = at + 5 + encoded[at]!
    const length = view.getUint32(recordAt - 4)
    if (equalBytes(encoded.subarray(at + 1, recordAt - 4), key))
      return { key, record: length === 0 ? undefined : encoded.subarray(recordAt, recordAt + length) }
    at = recordAt + length
  }
  return undefined
}

/** Buckets that one height changed, ascending. */
export interface BucketChanges {
  readonly height: number
  readonly prefixes: Uint32Array
}

/** The bucket roots at an earlier height, as far as they differ from the current ones. */
export interface FormerBuckets {
  /** Root of the tree at that height. */
  readonly root: Hash
  /** Buckets that have changed since, ascending. */
  readonly prefixes: Uint32Array
  /** Their roots at that height. */
  readonly nodes: Uint32Array
  /** The same buckets by the height that changed them, ascending by height. */
  readonly changes: readonly BucketChanges[]
}

/** The undo record of the bucket roots that a height changed; undefined when it has been pruned or was never written. */
export function readUndoRoots(kv: KvReader, height: number): UndoRoots | undefined {
  const record = kv.get(undoRootsKey(height))
  if (record === undefined) return undefined
  const decoded = codec.decode(undoRootsCodec, record)
  if (!decoded.ok) throw new TreeCorruption(`undo record of height ${height}: ${decoded.error.message}`)
  return decoded.value
}

/** Undoes the heights from `head` down to `height` + 1. Undefined when one of their records has been pruned. */
export function undoTo(kv: KvReader, head: number, height: number): FormerBuckets | undefined {
  const undone: UndoRoots[] = []
  for (let next = height + 1; next <= head; next++) {
    const roots = readUndoRoots(kv, next)
    if (roots === undefined) return undefined
    undone.push(roots)
  }
  const [first] = undone
  if (first === undefined) throw new RangeError(`height ${height} is not before ${head}`)
  const changes = undone.map(({ prefixes }, i) => ({ height: height + 1 + i, prefixes }))
  return { root: first.root, ...firstOfEach(undone), changes }
}

/** For each bucket, its root in the first record that has it. */
function firstOfEach(undone: readonly UndoRoots[]): { readonly prefixes: Uint32Array; readonly nodes: Uint32Array } {
  const [only, second] = undone
  if (only !== undefined && second === undefined) return only
  const owner = new Map<number, number>()
  undone.forEach(({ prefixes }, record) => {
    for (const prefix of prefixes) if (!owner.has(prefix)) owner.set(prefix, record)
  })
  const prefixes = Uint32Array.from(owner.keys()).sort()
  const nodes = new Uint32Array(prefixes.length * (NODE_BYTES / 4))
  const next = new Uint32Array(undone.length)
  prefixes.forEach((prefix, i) => {
    const record = owner.get(prefix)!
    const { prefixes: candidates, nodes: source } = undone[record]!
    while (candidates[next[record]!]! < prefix) next[record]!++
    copyNode(source, next[record]!, nodes, i)
  })
  return { prefixes, nodes }
}
