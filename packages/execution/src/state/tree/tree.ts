import { bytesToHex, type Crypto, codec, err, type Hash, Height, NODE_BYTES, ok, type Result } from '@quoin/protocol'
import { type HeadRecord, headCodec, headKey } from '../head.ts'
import type { KvOp, KvReader } from '../kv.ts'
import { orderChanges, type TreeChange } from './changes.ts'
import { DenseTree, type Overlay } from './dense-tree.ts'
import { HashPlan } from './hash-plan.ts'
import { TREE_LIMITS } from './limits.ts'
import { isEmptyNode, NodeBuffer } from './node-buffer.ts'
import { keyBits } from './page.ts'
import { type Page, PageUpdate } from './page-update.ts'
import { PairHasher } from './pair-hasher.ts'
import {
  pageKeys,
  prefixOfRootKey,
  rootKeys,
  rootsRange,
  TREE_FORMAT,
  TreeCorruption,
  undoPagesKey,
  undoRootsKey,
} from './records.ts'
import { encodeUndoPages, undoRootsCodec } from './undo.ts'

/** The database as the tree needs it; the node's `Kv` implements it. It is scanned only while the tree is opened. */
export interface TreeKv extends KvReader {
  /** Entries of a range in key order; `to` is exclusive. */
  scan(range: {
    readonly from: Uint8Array
    readonly to: Uint8Array
  }): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>
}

export interface TreeOptions {
  readonly kv: TreeKv
  readonly crypto: Crypto
  /**
   * D: bits of a key that select a bucket. It is fixed when the tree is created and is not part of consensus. Best at 1 to 10
   * leaves per bucket: 18 to 20 in production, 10 to 13 for devnets and tests. The upper tree takes 2^(D+1) * 32 bytes of memory.
   */
  readonly depth: number
  /** Number of heights before the head for which proofs stay available. */
  readonly historyHeights: number
}

export type TreeRefusal =
  | { readonly code: 'unknown-format'; readonly format: number; readonly message: string }
  | { readonly code: 'other-depth'; readonly depth: number; readonly message: string }

/** The tree's current height and root. */
export interface TreeHead {
  readonly height: Height
  readonly root: Hash
}

/** Number of hashes computed for a batch. */
export interface HashCounts {
  /** SHA-256 over values. */
  readonly values: number
  /** Leaves, including unchanged ones that share a page with a changed one. */
  readonly leaves: number
  readonly inner: number
}

/** The next state, computed on the head but not committed yet. */
export interface PreparedTree extends TreeHead {
  /** Writes for the database: pages, bucket roots, undo records, head. */
  readonly ops: readonly KvOp[]
  readonly hashes: HashCounts
}

/** Root of an empty tree. */
const EMPTY_ROOT = bytesToHex(new Uint8Array(NODE_BYTES)) as Hash

/**
 * Opens the tree in a database, or a new tree in an empty database. Reads all bucket roots and checks them against the root in
 * the head record. The caller checks `head` against the header of its block.
 *
 * @throws TreeCorruption when the records contradict each other
 * @throws RangeError for a depth or history that is out of range
 */
export async function openTree(options: TreeOptions): Promise<Result<StateTree, TreeRefusal>> {
  const { kv, crypto, depth, historyHeights } = options
  const { depthMin, depthMax } = TREE_LIMITS
  if (!Number.isInteger(depth) || depth < depthMin || depth > depthMax) {
    throw new RangeError(`depth must be an integer from ${depthMin} to ${depthMax}, not ${depth}`)
  }
  if (!Number.isSafeInteger(historyHeights) || historyHeights < 0)
    throw new RangeError(`historyHeights must be a whole number that is not negative, not ${historyHeights}`)
  const record = kv.get(headKey)
  const head = record === undefined ? undefined : readHead(record, depth)
  if (head?.ok === false) return head
  const hasher = new PairHasher(crypto)
  const upper = await loadUpper(kv, hasher, depth)
  const root = bytesToHex(upper.node(1))
  const expected = head?.value.root ?? EMPTY_ROOT
  if (root !== expected) throw new TreeCorruption(`the buckets have the root ${root}, but the head record has ${expected}`)
  return ok(new StateTree(options, upper, hasher, head?.value))
}

/** Reads all bucket roots from one snapshot of the database, and computes the upper tree. */
export async function loadUpper(kv: TreeKv, hasher: PairHasher, depth: number): Promise<DenseTree> {
  const upper = new DenseTree(depth)
  for await (const [key, root] of kv.scan(rootsRange)) {
    const prefix = prefixOfRootKey(key)
    if (prefix === undefined || prefix >= 2 ** depth || root.length !== NODE_BYTES)
      throw new TreeCorruption('a bucket root is malformed')
    upper.setBottom(prefix, root)
  }
  upper.rebuild(hasher)
  return upper
}

function readHead(record: Uint8Array, depth: number): Result<HeadRecord, TreeRefusal> {
  const format = record[0] ?? 0
  if (format !== TREE_FORMAT) {
    const message = `the state tree has format ${format}, this version reads ${TREE_FORMAT}: use the version that wrote it, or sync again from the network`
    return err({ code: 'unknown-format', format, message })
  }
  const head = decodeHead(record)
  if (head.depth === depth) return ok(head)
  const message = `the state tree was made with depth ${head.depth}, not ${depth}: set that depth, or sync again from the network`
  return err({ code: 'other-depth', depth: head.depth, message })
}

export function decodeHead(record: Uint8Array): HeadRecord {
  const decoded = codec.decode(headCodec, record)
  if (!decoded.ok) throw new TreeCorruption(`head record: ${decoded.error.message}`)
  return decoded.value
}

/**
 * The authenticated state tree. It stores only the latest state, overwritten in place, with an undo log for proofs at recent
 * heights. The upper D levels are in memory; the leaves are in the database, in pages by key prefix. Roots depend only on the
 * contents.
 *
 * A height is prepared (any number of times, on the same head), the caller stores its writes, and then it is committed. Until
 * then the tree is as before. A prepared height that is not needed is simply dropped, so a failed write needs no rollback. Proofs are
 * made beside it, from the database (`tree-reader.ts`).
 */
export class StateTree {
  readonly depth: number
  readonly #historyHeights: number
  readonly #upper: DenseTree
  readonly #hasher: PairHasher
  readonly #plan: HashPlan
  readonly #pages: PageUpdate
  readonly #overlays = new WeakMap<
    PreparedTree,
    { readonly on: HeadRecord | undefined; readonly overlay: Overlay; readonly head: HeadRecord }
  >()
  #head: HeadRecord | undefined

  /** Use `openTree`. */
  constructor(
    { kv, crypto, depth, historyHeights }: TreeOptions,
    upper: DenseTree,
    hasher: PairHasher,
    head: HeadRecord | undefined,
  ) {
    this.depth = depth
    this.#historyHeights = historyHeights
    this.#upper = upper
    this.#hasher = hasher
    this.#plan = new HashPlan(crypto, hasher)
    this.#pages = new PageUpdate(kv, crypto, hasher, this.#plan)
    this.#head = head
  }

  get head(): TreeHead | undefined {
    return this.#head
  }

  /**
   * Computes the next height from changes to the head. If a key changes several times, the last change counts.
   *
   * @throws Error when `height` does not follow the head (the first height may be any), and RangeError for a malformed key: bugs
   *   of the caller
   */
  prepare(height: Height, changes: readonly TreeChange[]): PreparedTree {
    if (this.#head !== undefined && height !== this.#head.height + 1) {
      throw new Error(`height ${height} does not follow the state tree's ${this.#head.height}`)
    }
    const innerBefore = this.#hasher.hashed
    const ops: KvOp[] = []
    const { prefixes, roots } = this.#updatePages(changes, ops)
    const overlay = this.#upper.overlay(this.#hasher, prefixes, roots.words)
    const root = bytesToHex(overlay.node(1)) as Hash
    rootKeys(prefixes).forEach((key, i) => {
      const node = roots.bytes.subarray(NODE_BYTES * i, NODE_BYTES * (i + 1))
      ops.push({ key, value: isEmptyNode(roots.words, i) ? undefined : node })
    })
    const oldestUndo = this.#history(height, prefixes, ops)
    const head: HeadRecord = { format: TREE_FORMAT, depth: this.depth, height, oldestUndo, root }
    ops.push({ key: headKey, value: codec.encode(headCodec, head) })
    const hashes = {
      values: this.#pages.valuesHashed,
      leaves: this.#pages.leavesHashed,
      inner: this.#hasher.hashed - innerBefore,
    }
    this.#pages.release()
    this.#plan.release()
    const prepared = { height, root, ops, hashes }
    this.#overlays.set(prepared, { on: this.#head, overlay, head })
    return prepared
  }

  /**
   * Makes a prepared height the head. Its writes must be in the database.
   *
   * @throws Error unless it was prepared on this head
   */
  commit(prepared: PreparedTree): void {
    const update = this.#overlays.get(prepared)
    if (update === undefined || update.on !== this.#head)
      throw new Error(`height ${prepared.height} was not prepared on this head`)
    this.#upper.apply(update.overlay)
    this.#head = update.head
    this.#overlays.delete(prepared)
  }

  /** Updates the pages. Returns the prefixes of changed buckets, ascending, and their new roots. */
  #updatePages(changes: readonly TreeChange[], ops: KvOp[]): { prefixes: Uint32Array; roots: NodeBuffer } {
    const order = orderChanges(changes)
    this.#pages.begin(changes, order)
    const touched: number[] = []
    const starts: number[] = []
    for (let i = 0; i < order.length; i++) {
      const prefix = keyBits(changes[order[i]!]!.key, 0, 0, this.depth)
      if (prefix === touched.at(-1)) continue
      touched.push(prefix)
      starts.push(i)
    }
    const prefixes: number[] = []
    const pages: Page[] = []
    pageKeys(touched).forEach((key, i) => {
      const empty = this.#upper.isEmpty(2 ** this.depth + touched[i]!)
      const page = this.#pages.update(key, this.depth, starts[i]!, starts[i + 1] ?? order.length, empty)
      if (page === undefined) return
      prefixes.push(touched[i]!)
      pages.push(page)
    })
    const roots = new NodeBuffer()
    roots.reserve(pages.length)
    this.#pages.hash(pages)
    pages.forEach((page, i) => {
      this.#pages.emit(page, ops, roots.words, i)
    })
    this.#pages.emitJoined(ops)
    return { prefixes: Uint32Array.from(prefixes), roots }
  }

  /**
   * Writes the undo record of a height and deletes records that are too old. Returns the oldest height that has a record
   * afterwards.
   */
  #history(height: Height, prefixes: Uint32Array, ops: KvOp[]): Height {
    if (this.#head === undefined) return Height(height + 1)
    const wanted = Math.max(0, height - this.#historyHeights + 1)
    const { oldestUndo, root } = this.#head
    const kept = Math.max(oldestUndo, Math.min(wanted, oldestUndo + TREE_LIMITS.prunedHeightsMax))
    for (let pruned = oldestUndo; pruned < Math.min(kept, height); pruned++) {
      ops.push({ key: undoRootsKey(pruned), value: undefined }, { key: undoPagesKey(pruned), value: undefined })
    }
    if (kept > height) return Height(height + 1)
    const nodes = new Uint32Array(prefixes.length * (NODE_BYTES / 4))
    prefixes.forEach((prefix, i) => {
      this.#upper.copyTo(2 ** this.depth + prefix, nodes, i)
    })
    ops.push({ key: undoRootsKey(height), value: codec.encode(undoRootsCodec, { root, prefixes, nodes }) })
    ops.push({ key: undoPagesKey(height), value: encodeUndoPages(this.#pages.former) })
    return Height(kept)
  }
}
