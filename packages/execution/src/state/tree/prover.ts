import {
  type Crypto,
  climbStateProof,
  equalBytes,
  err,
  isLeafNode,
  keyBit,
  leafNode,
  NODE_BYTES,
  ok,
  type ProofTerminal,
  type Result,
  type StateProof,
  stateProofDepthMax,
} from '@quoin/protocol'
import { DenseTree, type Nodes } from './dense-tree.ts'
import { type HashPlan, splitAt } from './hash-plan.ts'
import { decodeSplit, isSplit, keyBits, leafCount, SPLIT_BITS } from './page.ts'
import type { PairHasher } from './pair-hasher.ts'
import { childKey, LEAF_BYTES, pageKey } from './records.ts'

/** Why one state cannot prove a key now. */
export type PathRefusal =
  /** The database already holds a later height than the nodes. Ask again with its nodes. */
  | { readonly code: 'updating'; readonly message: string }
  /** Someone created keys that share more bits with this key than a proof can span. */
  | { readonly code: 'too-deep'; readonly message: string }

/** A state for which proofs can be made: the upper tree and the pages below. */
export interface ProvableState {
  readonly nodes: Nodes
  page(key: Uint8Array): Uint8Array | undefined
}

/** Makes proofs by walking down from the root: upper tree, split pages, leaves. */
export class Prover {
  readonly #crypto: Crypto
  readonly #hasher: PairHasher
  readonly #plan: HashPlan

  constructor(crypto: Crypto, hasher: PairHasher, plan: HashPlan) {
    this.#crypto = crypto
    this.#hasher = hasher
    this.#plan = plan
  }

  prove(state: ProvableState, key: Uint8Array): Result<StateProof, PathRefusal> {
    if (key.length !== 32) throw new RangeError(`a tree key has 32 bytes, not ${key.length}`)
    const walk = new Walk(key)
    let nodes = state.nodes
    let below = pageKey
    for (;;) {
      const top = walk.siblings.length
      const end = walk.down(nodes)
      if (end === undefined) return finish(walk.siblings, { kind: 'empty' })
      const page = below(end.prefix)
      const record = state.page(page)
      if (record === undefined) return UPDATING
      if (!isSplit(record)) return this.#proveLeaves(walk, record, end.node)
      if (walk.siblings.length !== top + nodes.depth) return UPDATING
      nodes = this.#splitNodes(record)
      if (!equalBytes(nodes.node(1), end.node)) return UPDATING
      below = (nibble) => childKey(page, nibble)
    }
  }

  #splitNodes(record: Uint8Array): Nodes {
    const nodes = new DenseTree(SPLIT_BITS)
    decodeSplit(record).forEach(({ root }, nibble) => {
      nodes.setBottom(nibble, root)
    })
    nodes.rebuild(this.#hasher)
    return nodes
  }

  /** The rest of the path, through the leaves of one page, which must have the root `root`. */
  #proveLeaves({ key, siblings }: Walk, record: Uint8Array, root: Uint8Array): Result<StateProof, PathRefusal> {
    const top = siblings.length
    const plan = this.#plan
    let start = 0
    let end = leafCount(record)
    const planned: number[] = []
    plan.begin(record, end)
    for (let depth = top; end - start > 1; depth++) {
      const middle = splitAt(record, start, end, depth)
      if (keyBit(key, depth) === 0) {
        planned.push(plan.node(middle, end, depth + 1))
        end = middle
      } else {
        planned.push(plan.node(start, middle, depth + 1))
        start = middle
      }
    }
    plan.run()
    for (const node of planned) siblings.push(plan.isEmpty(node) ? undefined : plan.bytes(node).slice())
    const leaf = start === end ? undefined : record.slice(LEAF_BYTES * start, LEAF_BYTES * end)
    const leafKey = leaf?.subarray(0, 32)
    const valueHash = leaf?.subarray(32)
    const node = leaf === undefined ? new Uint8Array(NODE_BYTES) : leafNode(this.#crypto, leafKey!, valueHash!)
    if (!equalBytes(climbStateProof(this.#crypto, key, node, siblings, top), root)) return UPDATING
    if (leaf === undefined) return finish(siblings, { kind: 'empty' })
    return finish(siblings, equalBytes(leafKey!, key) ? { kind: 'key' } : { kind: 'other', key: leafKey!, valueHash: valueHash! })
  }
}

const UPDATING = err<PathRefusal>({ code: 'updating', message: 'the state tree is being updated' })

function finish(siblings: StateProof['siblings'], terminal: ProofTerminal): Result<StateProof, PathRefusal> {
  if (siblings.length <= stateProofDepthMax) return ok({ siblings, terminal })
  return err({
    code: 'too-deep',
    message: `the path has ${siblings.length} levels, but a proof has at most ${stateProofDepthMax}`,
  })
}

/** Follows the path of a key and collects the siblings along it. */
class Walk {
  readonly key: Uint8Array
  readonly siblings: (Uint8Array | undefined)[] = []

  constructor(key: Uint8Array) {
    this.key = key
  }

  /**
   * Walks down a complete tree. Returns the node at the end of the path and the prefix of its page. A leaf may be reached above
   * the lowest level; then it is in the only page below. Returns undefined when the path ends in an empty subtree.
   */
  down(nodes: Nodes): { readonly node: Uint8Array; readonly prefix: number } | undefined {
    const top = this.siblings.length
    let index = 1
    for (let level = 0; ; level++) {
      const node = nodes.node(index)
      if (isEmpty(node)) return undefined
      if (level === nodes.depth) return { node, prefix: keyBits(this.key, 0, top, level) }
      if (isLeafNode(node, 0)) return { node, prefix: lowestBelow(nodes, index) }
      index = 2 * index + keyBit(this.key, top + level)
      const sibling = nodes.node(index ^ 1)
      this.siblings.push(isEmpty(sibling) ? undefined : sibling.slice())
    }
  }
}

/** Prefix of the only non-empty page below a leaf at `index`. */
function lowestBelow(nodes: Nodes, index: number): number {
  let below = index
  while (below < 2 ** nodes.depth) below = isEmpty(nodes.node(2 * below)) ? 2 * below + 1 : 2 * below
  return below - 2 ** nodes.depth
}

const isEmpty = (node: Uint8Array): boolean => node.every((byte) => byte === 0)
