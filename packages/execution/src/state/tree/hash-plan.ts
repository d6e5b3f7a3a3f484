import { type Crypto, markLeaf, NODE_BYTES } from '@quoin/protocol'
import { copyNode, NodeBuffer } from './node-buffer.ts'
import { PairHasher } from './pair-hasher.ts'
import { LEAF_BYTES } from './records.ts'

/** A planned node, identified by its slot. Slot 0 is the empty node, then come the leaves, then the inner nodes. */
export type PlannedNode = number
const EMPTY: PlannedNode = 0
const KEY_BITS = 256

/**
 * Hashes the subtrees over many ranges of sorted leaves at once: all leaves in one call, then all inner nodes of the same depth
 * together, deepest first. Reused from batch to batch.
 */
export class HashPlan {
  readonly #crypto: Crypto
  readonly #hasher: PairHasher
  readonly #slots = new NodeBuffer()
  /** For each depth: left, right and own slot of its inner nodes. */
  readonly #levels: number[][] = Array.from({ length: KEY_BITS }, () => [])
  #leaves: Uint8Array = new Uint8Array(0)
  #used = 1

  constructor(crypto: Crypto, hasher: PairHasher) {
    this.#crypto = crypto
    this.#hasher = hasher
  }

  /** Starts a new plan with `count` leaves (key ‖ vh) and hashes them. */
  begin(leaves: Uint8Array, count: number): void {
    this.#leaves = leaves
    this.#used = 1 + count
    this.#slots.reserve(this.#used)
    const { bytes } = this.#slots
    bytes.fill(0, 0, NODE_BYTES)
    if (count === 0) return
    this.#crypto.hashPairs(leaves.subarray(0, LEAF_BYTES * count), bytes.subarray(NODE_BYTES, NODE_BYTES * (1 + count)), count)
    for (let leaf = 1; leaf <= count; leaf++) markLeaf(bytes, NODE_BYTES * leaf)
  }

  /** Plans the node at `depth` over the leaves from `start` to `end`, which share their first `depth` bits. */
  node(start: number, end: number, depth: number): PlannedNode {
    if (start === end) return EMPTY
    if (end - start === 1) return 1 + start
    const fork = this.#sharedBits(start, end - 1)
    const middle = splitAt(this.#leaves, start, end, fork)
    let node = this.#inner(fork, this.node(start, middle, fork + 1), this.node(middle, end, fork + 1))
    for (let above = fork - 1; above >= depth; above--) {
      node = this.#bit(start, above) === 0 ? this.#inner(above, node, EMPTY) : this.#inner(above, EMPTY, node)
    }
    return node
  }

  /** Computes all planned nodes. */
  run(): void {
    this.#slots.reserve(this.#used)
    const { words } = this.#slots
    for (let depth = KEY_BITS - 1; depth >= 0; depth--) {
      const level = this.#levels[depth]!
      if (level.length === 0) continue
      for (let i = 0; i < level.length; i += 3) this.#hasher.add(words, level[i]!, words, level[i + 1]!, words, level[i + 2]!)
      this.#hasher.flush(words)
      level.length = 0
    }
  }

  /** Copies a computed node to node `target` of `out`. */
  copy(node: PlannedNode, out: Uint32Array, target: number): void {
    copyNode(this.#slots.words, node, out, target)
  }

  /** A computed node; valid until the next `begin`. */
  bytes(node: PlannedNode): Uint8Array {
    return this.#slots.bytes.subarray(NODE_BYTES * node, NODE_BYTES * (node + 1))
  }

  isEmpty(node: PlannedNode): boolean {
    return node === EMPTY
  }

  release(): void {
    this.#leaves = new Uint8Array(0)
    this.#slots.release()
  }

  #inner(depth: number, left: PlannedNode, right: PlannedNode): PlannedNode {
    this.#levels[depth]!.push(left, right, this.#used)
    return this.#used++
  }

  #bit(leaf: number, depth: number): number {
    return (this.#leaves[LEAF_BYTES * leaf + (depth >> 3)]! >> (7 - (depth & 7))) & 1
  }

  /** Length of the common prefix of two leaves' keys, in bits. */
  #sharedBits(a: number, b: number): number {
    const leaves = this.#leaves
    for (let byte = 0; byte < NODE_BYTES; byte++) {
      const difference = leaves[LEAF_BYTES * a + byte]! ^ leaves[LEAF_BYTES * b + byte]!
      if (difference !== 0) return 8 * byte + Math.clz32(difference) - 24
    }
    throw new Error('two leaves have the same key')
  }
}

/**
 * Index of the first leaf, among the sorted leaves from `start` to `end`, whose key has a 1 at bit `depth`. The leaves share all
 * bits before it.
 */
export function splitAt(leaves: Uint8Array, start: number, end: number, depth: number): number {
  let low = start
  let high = end
  const byte = depth >> 3
  const mask = 0x80 >> (depth & 7)
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((leaves[LEAF_BYTES * middle + byte]! & mask) === 0) low = middle + 1
    else high = middle
  }
  return low
}
