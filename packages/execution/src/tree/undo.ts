import { bytesToHex, codec, type Hash, type Hex, NODE_BYTES, type Result } from '@quoin/protocol'
import type { KvReader } from '../kv.ts'
import type { FormerPage } from './page-update.ts'
import { TreeCorruption, undoPagesKey, undoRootsKey } from './records.ts'

/** What one height did to the bucket roots: how to go back from it. */
export interface UndoRoots {
  /** Root of the tree before. */
  readonly root: Hash
  /** Changed buckets, ascending. */
  readonly prefixes: Uint32Array
  /** Former roots of these, 32 bytes each. */
  readonly nodes: Uint8Array
}

const ROOT_BYTES = 4 + NODE_BYTES

/** Root, then prefix (4 bytes) and former root for each bucket. */
export const undoRootsCodec: codec.Codec<UndoRoots> = {
  bytesMax: Number.MAX_SAFE_INTEGER,
  write(writer, { root, prefixes, nodes }) {
    codec.hash.write(writer, root)
    prefixes.forEach((prefix, i) => {
      writer.u32(prefix)
      writer.bytes(nodes.subarray(NODE_BYTES * i, NODE_BYTES * (i + 1)))
    })
  },
  read(reader) {
    const root = codec.hash.read(reader)
    if (reader.left % ROOT_BYTES !== 0) reader.fail(`${reader.left} bytes of bucket roots`)
    const prefixes = new Uint32Array(reader.left / ROOT_BYTES)
    const nodes = new Uint8Array(prefixes.length * NODE_BYTES)
    for (let i = 0; i < prefixes.length; i++) {
      prefixes[i] = reader.u32()
      nodes.set(reader.bytes(NODE_BYTES), NODE_BYTES * i)
    }
    return { root, prefixes, nodes }
  },
}

/** For each page its key (length, 1 byte) and its record (length, 4 bytes; 0 = there was none). */
export const undoPagesCodec: codec.Codec<readonly FormerPage[]> = {
  bytesMax: Number.MAX_SAFE_INTEGER,
  write(writer, pages) {
    for (const { key, record } of pages) {
      writer.u8(key.length)
      writer.bytes(key)
      writer.u32(record?.length ?? 0)
      if (record !== undefined) writer.bytes(record)
    }
  },
  read(reader) {
    const pages: FormerPage[] = []
    while (reader.left > 0) {
      const key = reader.bytes(reader.u8())
      const length = reader.u32()
      pages.push({ key, record: length === 0 ? undefined : reader.bytes(length) })
    }
    return pages
  },
}

/** The tree's records as they were at an earlier height, as far as they differ from now. */
export interface FormerState {
  /** Root of the tree then. */
  readonly root: Hash
  /** Bucket roots that differed, ascending by prefix; 32 bytes each. */
  readonly prefixes: Uint32Array
  readonly nodes: Uint32Array
  /** Pages that differed, by the hex of their keys. */
  readonly pages: ReadonlyMap<Hex, Uint8Array | undefined>
}

/** Undoes the heights from `head` down to `height` + 1; undefined when one of their records has been pruned. */
export function undoTo(kv: KvReader, head: number, height: number): FormerState | undefined {
  const roots = new Map<number, Uint8Array>()
  const pages = new Map<Hex, Uint8Array | undefined>()
  let root: Hash | undefined
  for (let undone = head; undone > height; undone--) {
    const rootsRecord = kv.get(undoRootsKey(undone))
    const pagesRecord = kv.get(undoPagesKey(undone))
    if (rootsRecord === undefined || pagesRecord === undefined) return undefined
    const undo = intact(codec.decode(undoRootsCodec, rootsRecord), undone)
    root = undo.root
    undo.prefixes.forEach((prefix, i) => {
      roots.set(prefix, undo.nodes.subarray(NODE_BYTES * i, NODE_BYTES * (i + 1)))
    })
    for (const { key, record } of intact(codec.decode(undoPagesCodec, pagesRecord), undone)) pages.set(bytesToHex(key), record)
  }
  if (root === undefined) throw new RangeError(`height ${height} is not before ${head}`)
  const prefixes = Uint32Array.from(roots.keys()).sort()
  const nodes = new Uint8Array(prefixes.length * NODE_BYTES)
  prefixes.forEach((prefix, i) => {
    nodes.set(roots.get(prefix)!, NODE_BYTES * i)
  })
  return { root, prefixes, nodes: new Uint32Array(nodes.buffer), pages }
}

function intact<T>(decoded: Result<T, codec.DecodeError>, height: number): T {
  if (!decoded.ok) throw new TreeCorruption(`undo record of height ${height}: ${decoded.error.message}`)
  return decoded.value
}
