import { bytesToHex, type Crypto, err, type Hash, Height, NODE_BYTES, ok, type Result, type StateProof } from '@quoin/protocol'
import { type HeadRecord, headKey } from '../head.ts'
import type { KvReader } from '../kv.ts'
import type { DenseTree, Nodes } from './dense-tree.ts'
import { HashPlan } from './hash-plan.ts'
import { TREE_LIMITS } from './limits.ts'
import { keyBits } from './page.ts'
import { PairHasher } from './pair-hasher.ts'
import { type PathRefusal, Prover } from './prover.ts'
import { prefixOfPageKey, rootKeys, TreeCorruption, undoPagesKey } from './records.ts'
import { decodeHead, loadUpper, type TreeHead, type TreeKv } from './tree.ts'
import { type BucketChanges, findUndoPage, readUndoRoots, undoTo } from './undo.ts'

/** The first height that can be proved: the head, or one in the history. Undefined before the first height. */
export function oldestProvable(kv: KvReader): Height | undefined {
  const record = kv.get(headKey)
  return record === undefined ? undefined : Height(decodeHead(record).oldestUndo - 1)
}

export type ProofRefusal =
  | PathRefusal
  /** Proofs exist only for the heights from `oldest` to `newest`. */
  | { readonly code: 'not-provable'; readonly oldest: Height; readonly newest: Height; readonly message: string }
  /** The database has no such height yet. */
  | { readonly code: 'not-yet'; readonly newest: Height; readonly message: string }

/** The state after one height: its upper nodes, and the heights up to the base that changed pages since. */
interface View {
  readonly nodes: Nodes
  readonly changes: readonly BucketChanges[]
}

/** The upper tree in memory and the height that it has. */
interface Base extends TreeHead {
  readonly upper: DenseTree
}

/**
 * Proves keys of the head and of recent heights, beside the `StateTree` that writes them. It only reads the database, so it may be in
 * another thread, and it takes no time of the writer. It has its own copy of the upper tree in memory (2^(D+1) * 32 bytes), which it
 * moves along the undo records before each proof.
 *
 * The database may move to the next height at any time between two reads. Every proof is computed up to a root that the database has
 * recorded for the height. A read that belongs to another height gives another root; then the reader moves and tries again.
 */
export class TreeReader {
  readonly #kv: TreeKv
  readonly #hasher: PairHasher
  readonly #prover: Prover
  readonly #undoPages: UndoPages
  /** By height, least recently used first; all on the current base. */
  readonly #views = new Map<number, View>()
  #base: Base | undefined
  #loading: Promise<void> | undefined

  constructor(kv: TreeKv, crypto: Crypto) {
    this.#kv = kv
    this.#hasher = new PairHasher(crypto)
    this.#prover = new Prover(crypto, this.#hasher, new HashPlan(crypto, this.#hasher))
    this.#undoPages = new UndoPages(kv)
  }

  /**
   * Proves values, or their absence, in the state after a height.
   *
   * The first call reads all bucket roots (seconds at D = 20), as does the first after a pause longer than the history. The first
   * call for a past height takes time for everything that has changed since (0.1 s for 60 heights of 5,000 changes).
   *
   * @param keys tree keys of 32 bytes
   * @returns one proof for each key, in the same order. `updating` only if the head moved during each of `proofAttemptsMax` attempts.
   * @throws TreeCorruption when the records contradict each other, or there are none
   */
  async prove(height: Height, keys: readonly Uint8Array[]): Promise<Result<readonly StateProof[], ProofRefusal>> {
    let last: PathRefusal = UPDATING
    for (let attempt = 0; attempt < TREE_LIMITS.proofAttemptsMax; attempt++) {
      if (!this.#follow()) {
        await this.#load()
        continue
      }
      const proofs = this.#proveNow(height, keys)
      if (proofs.ok || proofs.error.code !== 'updating') return proofs
      if (this.#readHead().height === this.#base!.height)
        throw new TreeCorruption(`the pages at height ${this.#base!.height} do not lead to its root`)
      last = proofs.error
    }
    return err(last)
  }

  /** Loads the upper tree, or moves it to the head, so that the next proof need not. */
  async catchUp(): Promise<void> {
    if (!this.#follow()) await this.#load()
  }

  /** Synchronous, so that the base and its views cannot change in between. */
  #proveNow(height: Height, keys: readonly Uint8Array[]): Result<readonly StateProof[], ProofRefusal> {
    const base = this.#base!
    const { height: newest, oldestUndo } = this.#readHead()
    if (height > newest) return notYet(height, newest)
    if (height < oldestUndo - 1) return notProvable(height, oldestUndo, newest)
    // Blocks were committed during all attempts to follow.
    if (height > base.height) return err(UPDATING)
    const view = this.#viewOf(height, base)
    if (view === undefined) return err(UPDATING)
    const state = { nodes: view.nodes, page: (key: Uint8Array) => this.#page(view, key) }
    const proofs = new Array<StateProof>(keys.length)
    for (const i of this.#byUndoRecord(view, keys, base.upper.depth)) {
      const proof = this.#prover.prove(state, keys[i]!)
      if (!proof.ok) return proof
      proofs[i] = proof.value
    }
    return ok(proofs)
  }

  /** Positions of the keys, those together whose pages are in the same undo record: then each record is read once. */
  #byUndoRecord({ changes }: View, keys: readonly Uint8Array[], depth: number): readonly number[] {
    const positions = keys.map((_, i) => i)
    if (changes.length === 0) return positions
    const record = keys.map((key) => {
      const prefix = keyBits(key, 0, 0, depth)
      return changes.findIndex(({ prefixes }) => includes(prefixes, prefix))
    })
    return positions.sort((a, b) => record[a]! - record[b]! || a - b)
  }

  #viewOf(height: Height, base: Base): View | undefined {
    if (height === base.height) return { nodes: base.upper, changes: [] }
    const view = this.#views.get(height) ?? this.#makeView(height, base)
    if (view === undefined) return undefined
    this.#views.delete(height)
    this.#views.set(height, view)
    for (const oldest of this.#views.keys()) {
      if (this.#views.size <= TREE_LIMITS.viewsMax) break
      this.#views.delete(oldest)
    }
    return view
  }

  #makeView(height: Height, base: Base): View | undefined {
    const former = undoTo(this.#kv, base.height, height)
    if (former === undefined) return undefined
    const nodes = base.upper.overlay(this.#hasher, former.prefixes, former.nodes)
    const root = bytesToHex(nodes.node(1))
    if (root !== former.root) throw new TreeCorruption(`undo to height ${height} gives the root ${root}, not ${former.root}`)
    return { nodes, changes: former.changes }
  }

  /** The page at a view's height. The lowest height that changed a page since holds the page before all of them. */
  #page({ changes }: View, key: Uint8Array): Uint8Array | undefined {
    const prefix = prefixOfPageKey(key)
    for (const { height, prefixes } of changes) {
      if (!includes(prefixes, prefix)) continue
      const pages = this.#undoPages.get(height)
      // Pruned in the meantime: without its page, the proof is tried again.
      if (pages === undefined) return undefined
      const former = findUndoPage(pages, key)
      if (former !== undefined) return former.record
    }
    return this.#kv.get(key)
  }

  /** Moves the base to the head of the database. Returns false if it must be loaded. */
  #follow(): boolean {
    for (let attempt = 0; attempt < TREE_LIMITS.proofAttemptsMax; attempt++) {
      const base = this.#base
      const head = this.#readHead()
      if (base === undefined || head.height < base.height || head.depth !== base.upper.depth) return false
      if (head.height === base.height) return true
      const changed = this.#changedSince(base.height, head.height)
      if (changed === undefined) return false
      const overlay = base.upper.overlay(this.#hasher, changed, this.#bucketRoots(changed))
      if (bytesToHex(overlay.node(1)) === head.root) {
        base.upper.apply(overlay)
        this.#base = { height: head.height, root: head.root, upper: base.upper }
        this.#views.clear()
        return true
      }
      if (this.#readHead().height === head.height)
        throw new TreeCorruption(`the buckets at height ${head.height} do not have the root ${head.root}`)
    }
    // Blocks were committed during all attempts. The proof then says so.
    return true
  }

  /** Buckets that the heights after `from` up to `to` changed, ascending. Undefined if an undo record is gone. */
  #changedSince(from: number, to: number): Uint32Array | undefined {
    const changed = new Set<number>()
    for (let height = from + 1; height <= to; height++) {
      const roots = readUndoRoots(this.#kv, height)
      if (roots === undefined) return undefined
      for (const prefix of roots.prefixes) changed.add(prefix)
    }
    return Uint32Array.from(changed).sort()
  }

  #bucketRoots(prefixes: Uint32Array): Uint32Array {
    const nodes = new Uint8Array(NODE_BYTES * prefixes.length)
    rootKeys(prefixes).forEach((key, i) => {
      const root = this.#kv.get(key)
      if (root !== undefined) nodes.set(root, NODE_BYTES * i)
    })
    return new Uint32Array(nodes.buffer)
  }

  #load(): Promise<void> {
    this.#loading ??= this.#loadOnce().finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }

  /** Loads the upper tree. Blocks may be committed meanwhile: the root says which height the scan has seen. */
  async #loadOnce(): Promise<void> {
    this.#base = undefined
    this.#views.clear()
    const before = this.#readHead()
    const upper = await loadUpper(this.#kv, this.#hasher, before.depth)
    const root = bytesToHex(upper.node(1)) as Hash
    const after = this.#readHead()
    for (let height: number = before.height; height <= after.height; height++) {
      if (this.#rootOf(height, before, after) !== root) continue
      this.#base = { height: Height(height), root, upper }
      return
    }
    if (before.height === after.height)
      throw new TreeCorruption(`the buckets have the root ${root}, but the head record has ${after.root}`)
  }

  #rootOf(height: number, before: HeadRecord, after: HeadRecord): Hash | undefined {
    if (height === before.height) return before.root
    return height === after.height ? after.root : readUndoRoots(this.#kv, height + 1)?.root
  }

  #readHead(): HeadRecord {
    const record = this.#kv.get(headKey)
    if (record === undefined) throw new TreeCorruption('there is no head record')
    return decodeHead(record)
  }
}

const UPDATING: PathRefusal = { code: 'updating', message: 'the state tree is being updated: ask again' }

function notProvable(height: Height, oldestUndo: number, newest: Height): Result<never, ProofRefusal> {
  const oldest = Height(oldestUndo - 1)
  const message = `proofs are available for the blocks from ${oldest} to ${newest}, not for block ${height}`
  return err({ code: 'not-provable', oldest, newest, message })
}

const notYet = (height: Height, newest: Height): Result<never, ProofRefusal> =>
  err({ code: 'not-yet', newest, message: `block ${height} is not there yet, the last one is ${newest}: ask again` })

/** Whether sorted prefixes include one. */
function includes(prefixes: Uint32Array, prefix: number): boolean {
  let low = 0
  for (let high = prefixes.length; low < high; ) {
    const middle = (low + high) >>> 1
    if (prefixes[middle]! < prefix) low = middle + 1
    else high = middle
  }
  return prefixes[low] === prefix
}

/** Recently used undo records with former pages. The record of a height never changes. */
class UndoPages {
  readonly #kv: TreeKv
  /** By height, least recently used first. */
  readonly #records = new Map<number, Uint8Array>()
  #bytes = 0

  constructor(kv: TreeKv) {
    this.#kv = kv
  }

  get(height: number): Uint8Array | undefined {
    const record = this.#records.get(height) ?? this.#kv.get(undoPagesKey(height))
    if (record === undefined) return undefined
    if (!this.#records.delete(height)) this.#bytes += record.length
    this.#records.set(height, record)
    for (const [oldest, { length }] of this.#records) {
      if (this.#bytes <= TREE_LIMITS.undoPagesBytesMax || this.#records.size === 1) break
      this.#records.delete(oldest)
      this.#bytes -= length
    }
    return record
  }
}
