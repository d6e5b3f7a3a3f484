import { type Crypto, markInner, markLeaf, NODE_BYTES } from '@quoin/protocol'
import { copyNode, isEmptyNode, NodeBuffer } from './node-buffer.ts'

/** Maximum number of pairs hashed in one call: 1 MB of input. */
const PAIRS_MAX = 16_384

/**
 * Hashes pairs of nodes in batches. A pair is copied when it is added. Its parent is written to `out` at the next `flush`, or
 * earlier when a batch is full. So all pairs of a batch must have the same `out`, and a parent must not be a child within its own
 * batch.
 */
export class PairHasher {
  readonly #crypto: Crypto
  readonly #pairs = new NodeBuffer()
  readonly #targets = new Uint32Array(PAIRS_MAX)
  #pending = 0
  /** Inner nodes hashed so far. */
  hashed = 0

  constructor(crypto: Crypto) {
    this.#crypto = crypto
  }

  /**
   * Makes node `target` of `out` the parent of two nodes, in canonical form: the parent of two empty nodes is empty, the parent
   * of a leaf and an empty node is the leaf. Such parents are written immediately.
   */
  combine(left: Uint32Array, leftAt: number, right: Uint32Array, rightAt: number, out: Uint32Array, target: number): void {
    if (isEmptyNode(right, rightAt)) {
      if (isLeaf(left, leftAt) || isEmptyNode(left, leftAt)) return copyNode(left, leftAt, out, target)
    } else if (isLeaf(right, rightAt) && isEmptyNode(left, leftAt)) {
      return copyNode(right, rightAt, out, target)
    }
    this.add(left, leftAt, right, rightAt, out, target)
  }

  /** Makes node `target` of `out` the inner node over two nodes. */
  add(left: Uint32Array, leftAt: number, right: Uint32Array, rightAt: number, out: Uint32Array, target: number): void {
    if (this.#pending === PAIRS_MAX) this.flush(out)
    this.#pairs.reserve(2 * (this.#pending + 1))
    copyNode(left, leftAt, this.#pairs.words, 2 * this.#pending)
    copyNode(right, rightAt, this.#pairs.words, 2 * this.#pending + 1)
    this.#targets[this.#pending++] = target
  }

  /** Hashes all pending pairs. */
  flush(out: Uint32Array): void {
    const count = this.#pending
    if (count === 0) return
    const { bytes, words } = this.#pairs
    this.#crypto.hashPairs(bytes.subarray(0, 2 * NODE_BYTES * count), bytes.subarray(0, NODE_BYTES * count), count)
    for (let i = 0; i < count; i++) {
      markInner(bytes, NODE_BYTES * i)
      copyNode(words, i, out, this.#targets[i]!)
    }
    this.hashed += count
    this.#pending = 0
  }
}

/** The role bit in a node's first 32-bit word, in this machine's byte order. */
const LEAF_MASK = (() => {
  const bytes = new Uint8Array(4)
  markLeaf(bytes, 0)
  return new Uint32Array(bytes.buffer)[0]!
})()

const isLeaf = (words: Uint32Array, node: number): boolean => (words[node * (NODE_BYTES / 4)]! & LEAF_MASK) !== 0
