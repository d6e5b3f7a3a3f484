import { type Crypto, equalBytes, NODE_BYTES, stateValueHash } from '@quoin/protocol'
import type { KvOp, KvReader } from '../kv.ts'
import type { TreeChange } from './changes.ts'
import { DenseTree } from './dense-tree.ts'
import type { HashPlan, PlannedNode } from './hash-plan.ts'
import { TREE_LIMITS } from './limits.ts'
import { NodeBuffer } from './node-buffer.ts'
import { CHILDREN, type Child, decodeSplit, encodeSplit, isSplit, keyBits, leafCount, SPLIT_BITS } from './page.ts'
import type { PairHasher } from './pair-hasher.ts'
import { childKey, LEAF_BYTES, TreeCorruption } from './records.ts'

/** A changed page with leaves from `start` to `end` in the leaf buffer. */
interface LeafPage {
  readonly kind: 'leaves'
  readonly key: Uint8Array
  readonly depth: number
  readonly start: number
  readonly end: number
  node: PlannedNode
}

/** A changed split page. Its children are changed pages, or unchanged. */
interface SplitPage {
  readonly kind: 'split'
  readonly key: Uint8Array
  readonly depth: number
  readonly children: readonly (Page | Child)[]
}

export type Page = LeafPage | SplitPage

/** A page before the batch; the record is undefined when the page did not exist. */
export interface FormerPage {
  readonly key: Uint8Array
  readonly record: Uint8Array | undefined
}

const NO_CHILD: Child = { count: 0, root: new Uint8Array(NODE_BYTES) }

/**
 * Applies one batch to the database's pages, in three steps: `update` each bucket that changes, `hash` all of them together, then
 * `emit` each root and the writes. Reused from batch to batch.
 */
export class PageUpdate {
  readonly #kv: KvReader
  readonly #crypto: Crypto
  readonly #hasher: PairHasher
  readonly #plan: HashPlan
  readonly #leaves = new NodeBuffer()
  #count = 0
  #changes: readonly TreeChange[] = []
  #order: Uint32Array = new Uint32Array(0)
  /** Pages that were emptied by joins. */
  #joined: Uint8Array[] = []
  /** The new pages' leaves: a copy that the writes share. */
  #stored: Uint8Array = new Uint8Array(0)
  /** Each changed page before the batch. Children that a split adds are left out, because no earlier page refers to them. */
  former: FormerPage[] = []
  /** Number of values hashed in this batch. */
  valuesHashed = 0

  constructor(kv: KvReader, crypto: Crypto, hasher: PairHasher, plan: HashPlan) {
    this.#kv = kv
    this.#crypto = crypto
    this.#hasher = hasher
    this.#plan = plan
  }

  /** Number of leaves in the buffer, all of which `hash` hashes. */
  get leavesHashed(): number {
    return this.#count
  }

  begin(changes: readonly TreeChange[], order: Uint32Array): void {
    this.#changes = changes
    this.#order = order
    this.#count = 0
    this.#joined = []
    this.#stored = new Uint8Array(0)
    this.former = []
    this.valuesHashed = 0
  }

  /** Drops all references to the batch. */
  release(): void {
    this.begin([], new Uint32Array(0))
    this.#leaves.release()
  }

  /**
   * Applies the ordered changes from `low` to `high`, which all lie below the page at `depth`. Returns undefined when they do not
   * change the page.
   *
   * @param empty whether the page is known to be empty; then it is not read
   */
  update(key: Uint8Array, depth: number, low: number, high: number, empty = false): Page | undefined {
    const record = empty ? undefined : this.#kv.get(key)
    if (record !== undefined && isSplit(record)) return this.#updateSplit(key, depth, low, high, record)
    const start = this.#count
    if (!this.#merge(record, low, high)) {
      this.#count = start
      return undefined
    }
    this.former.push({ key, record })
    return this.#pageOver(key, depth, start, this.#count)
  }

  /** Hashes all leaves, then plans and computes the pages' inner nodes. */
  hash(pages: readonly Page[]): void {
    this.#stored = this.#leaves.bytes.slice(0, LEAF_BYTES * this.#count)
    this.#plan.begin(this.#stored, this.#count)
    for (const page of pages) this.#planPage(page)
    this.#plan.run()
  }

  /** Copies a page's root to node `target` of `out` and appends the page's writes to `ops`. */
  emit(page: Page, ops: KvOp[], out: Uint32Array, target: number): void {
    if (page.kind === 'leaves') {
      const { key, start, end, node } = page
      const value = start === end ? undefined : this.#stored.subarray(LEAF_BYTES * start, LEAF_BYTES * end)
      ops.push({ key, value })
      this.#plan.copy(node, out, target)
      return
    }
    const roots = new NodeBuffer()
    const tree = new DenseTree(SPLIT_BITS)
    const children = page.children.map((child, nibble): Child => {
      if (!('kind' in child)) {
        tree.setBottom(nibble, child.root)
        return child
      }
      this.emit(child, ops, roots.words, nibble)
      const root = roots.bytes.slice(NODE_BYTES * nibble, NODE_BYTES * (nibble + 1))
      tree.setBottom(nibble, root)
      return { count: leavesBelow(child), root }
    })
    tree.rebuild(this.#hasher)
    ops.push({ key: page.key, value: encodeSplit(children) })
    tree.copyTo(1, out, target)
  }

  /** Appends deletions of the pages that were emptied by joins. */
  emitJoined(ops: KvOp[]): void {
    for (const key of this.#joined) ops.push({ key, value: undefined })
  }

  #planPage(page: Page): void {
    if (page.kind === 'leaves') page.node = this.#plan.node(page.start, page.end, page.depth)
    else for (const child of page.children) if ('kind' in child) this.#planPage(child)
  }

  /** Makes a page over leaves of the buffer, split as often as needed. */
  #pageOver(key: Uint8Array, depth: number, start: number, end: number): Page {
    if (end - start <= TREE_LIMITS.pageLeavesMax) return { kind: 'leaves', key, depth, start, end, node: 0 }
    const children: (Page | Child)[] = []
    let from = start
    for (let nibble = 0; nibble < CHILDREN; nibble++) {
      let to = from
      while (to < end && keyBits(this.#leaves.bytes, LEAF_BYTES * to, depth, SPLIT_BITS) === nibble) to++
      const child = childKey(key, nibble)
      if (to === from) children.push(NO_CHILD)
      else children.push(this.#pageOver(child, depth + SPLIT_BITS, from, to))
      from = to
    }
    return { kind: 'split', key, depth, children }
  }

  #updateSplit(key: Uint8Array, depth: number, low: number, high: number, record: Uint8Array): Page | undefined {
    const children: (Page | Child)[] = [...decodeSplit(record)]
    let changed = false
    for (let from = low; from < high; ) {
      const nibble = keyBits(this.#change(from).key, 0, depth, SPLIT_BITS)
      let to = from + 1
      while (to < high && keyBits(this.#change(to).key, 0, depth, SPLIT_BITS) === nibble) to++
      const page = this.update(childKey(key, nibble), depth + SPLIT_BITS, from, to)
      if (page !== undefined) {
        children[nibble] = page
        changed = true
      }
      from = to
    }
    if (!changed) return undefined
    this.former.push({ key, record })
    const split: SplitPage = { kind: 'split', key, depth, children }
    return leavesBelow(split) > TREE_LIMITS.joinLeavesMax ? split : this.#join(split)
  }

  /** Replaces a split page by a single page. Its children have few leaves, so none of them is split. */
  #join({ key, depth, children }: SplitPage): Page {
    const start = this.#count
    children.forEach((child, nibble) => {
      if ('kind' in child) {
        if (child.kind === 'split') throw new TreeCorruption('a split page counts fewer leaves than its child')
        this.#joined.push(child.key)
        this.#append(this.#leaves.bytes, child.start, child.end)
      } else if (child.count > 0) {
        const page = childKey(key, nibble)
        const record = this.#kv.get(page)
        if (record === undefined || leafCount(record) !== child.count) throw new TreeCorruption('a split page miscounts a child')
        this.former.push({ key: page, record })
        this.#joined.push(page)
        this.#append(record, 0, child.count)
      }
    })
    return { kind: 'leaves', key, depth, start, end: this.#count, node: 0 }
  }

  /** Appends a page's leaves with the changes applied. Returns whether anything changed. */
  #merge(record: Uint8Array | undefined, low: number, high: number): boolean {
    const former = record === undefined ? 0 : leafCount(record)
    let changed = false
    let next = 0
    for (let i = low; i < high; i++) {
      const { key, value } = this.#change(i)
      const from = next
      let order = 1
      while (next < former && (order = compareLeaf(record!, next, key)) < 0) next++
      if (next > from) this.#append(record!, from, next)
      const existed = next < former && order === 0
      if (value === undefined) changed ||= existed
      else {
        const valueHash = stateValueHash(this.#crypto, value)
        this.valuesHashed++
        changed ||= !existed || !equalBytes(valueHash, record!.subarray(LEAF_BYTES * next + NODE_BYTES, LEAF_BYTES * (next + 1)))
        this.#appendLeaf(key, valueHash)
      }
      if (existed) next++
    }
    if (next < former) this.#append(record!, next, former)
    return changed
  }

  #change(at: number): TreeChange {
    return this.#changes[this.#order[at]!]!
  }

  #append(leaves: Uint8Array, start: number, end: number): void {
    this.#leaves.reserve(2 * (this.#count + end - start))
    this.#leaves.bytes.set(leaves.subarray(LEAF_BYTES * start, LEAF_BYTES * end), LEAF_BYTES * this.#count)
    this.#count += end - start
  }

  #appendLeaf(key: Uint8Array, valueHash: Uint8Array): void {
    const at = LEAF_BYTES * this.#count++
    this.#leaves.reserve(2 * this.#count)
    this.#leaves.bytes.set(key, at)
    this.#leaves.bytes.set(valueHash, at + NODE_BYTES)
  }
}

function leavesBelow(page: Page | Child): number {
  if (!('kind' in page)) return page.count
  if (page.kind === 'leaves') return page.end - page.start
  return page.children.reduce((sum, child) => sum + leavesBelow(child), 0)
}

/** Compares a leaf's key with a key. */
function compareLeaf(leaves: Uint8Array, leaf: number, key: Uint8Array): number {
  const at = LEAF_BYTES * leaf
  for (let i = 0; i < NODE_BYTES; i++) {
    const difference = leaves[at + i]! - key[i]!
    if (difference !== 0) return difference
  }
  return 0
}
