import { NODE_BYTES } from '@quoin/protocol'
import { copyNode, isEmptyNode } from './node-buffer.ts'
import type { PairHasher } from './pair-hasher.ts'

/**
 * Nodes of a complete binary tree by heap index: the root is 1, the children of i are 2i and 2i + 1. The node of a prefix at
 * depth d is 2^d + prefix.
 */
export interface Nodes {
  readonly depth: number
  /** The node's 32 bytes, valid until the tree changes. */
  node(index: number): Uint8Array
}

/**
 * The first D levels of the state tree, or the four levels of a split page, in one dense array. Siblings are adjacent: 64 bytes.
 */
export class DenseTree implements Nodes {
  readonly depth: number
  readonly #bytes: Uint8Array
  readonly #words: Uint32Array

  constructor(depth: number) {
    this.depth = depth
    this.#bytes = new Uint8Array(2 ** (depth + 1) * NODE_BYTES)
    this.#words = new Uint32Array(this.#bytes.buffer)
  }

  node(index: number): Uint8Array {
    return this.#bytes.subarray(NODE_BYTES * index, NODE_BYTES * (index + 1))
  }

  isEmpty(index: number): boolean {
    return isEmptyNode(this.#words, index)
  }

  /** Copies a node to node `target` of `out`. */
  copyTo(index: number, out: Uint32Array, target: number): void {
    copyNode(this.#words, index, out, target)
  }

  /** Sets a node of the lowest level. Call `rebuild` afterwards. */
  setBottom(prefix: number, node: Uint8Array): void {
    this.#bytes.set(node, NODE_BYTES * (2 ** this.depth + prefix))
  }

  /** Computes all levels from the lowest one. */
  rebuild(hasher: PairHasher): void {
    const words = this.#words
    for (let parent = 2 ** this.depth - 1, first = 2 ** (this.depth - 1); parent >= 1; parent--) {
      hasher.combine(words, 2 * parent, words, 2 * parent + 1, words, parent)
      if (parent !== first) continue
      hasher.flush(words)
      first /= 2
    }
  }

  /**
   * Computes what would change if the given nodes of the lowest level were replaced. This tree does not change.
   *
   * @param prefixes ascending, without repeats
   * @param bottom the new nodes of these prefixes
   */
  overlay(hasher: PairHasher, prefixes: Uint32Array, bottom: Uint32Array): Overlay {
    const overlay = new Overlay(this, prefixes, bottom)
    const { indices, words } = overlay
    let start = 0
    let end = prefixes.length
    for (let depth = this.depth; depth > 0; depth--) {
      let parents = end
      for (let child = start; child < end; child++, parents++) {
        const index = indices[child]!
        const left = index & ~1
        const both = left === index && child + 1 < end && indices[child + 1] === index + 1
        indices[parents] = index >>> 1
        if (both) hasher.combine(words, child, words, ++child, words, parents)
        else if (left === index) hasher.combine(words, child, this.#words, index + 1, words, parents)
        else hasher.combine(this.#words, left, words, child, words, parents)
      }
      hasher.flush(words)
      overlay.levelStart[depth - 1] = end
      start = end
      end = parents
    }
    overlay.count = end
    return overlay
  }

  /** Applies an overlay. It must have been made from this tree in its current state. */
  apply(overlay: Overlay): void {
    for (let i = 0; i < overlay.count; i++) copyNode(overlay.words, i, this.#words, overlay.indices[i]!)
  }
}

/**
 * A dense tree with some paths replaced. Its nodes are stored level by level from the lowest, ascending by index, the root last.
 */
export class Overlay implements Nodes {
  readonly depth: number
  readonly #base: DenseTree
  readonly #bytes: Uint8Array
  readonly words: Uint32Array
  readonly indices: Uint32Array
  /** Position of the first node of each depth. */
  readonly levelStart: Uint32Array
  count = 0

  constructor(base: DenseTree, prefixes: Uint32Array, bottom: Uint32Array) {
    let nodes = 0
    for (let depth = base.depth; depth >= 0; depth--) nodes += Math.min(prefixes.length, 2 ** depth)
    this.depth = base.depth
    this.#base = base
    this.indices = new Uint32Array(nodes)
    this.#bytes = new Uint8Array(nodes * NODE_BYTES)
    this.words = new Uint32Array(this.#bytes.buffer)
    this.levelStart = new Uint32Array(base.depth + 1)
    for (let i = 0; i < prefixes.length; i++) this.indices[i] = 2 ** base.depth + prefixes[i]!
    this.words.set(bottom.subarray(0, prefixes.length * (NODE_BYTES / 4)))
  }

  node(index: number): Uint8Array {
    const depth = 31 - Math.clz32(index)
    let low = this.levelStart[depth]!
    const end = depth === 0 ? this.count : this.levelStart[depth - 1]!
    let high = end
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.indices[middle]! < index) low = middle + 1
      else high = middle
    }
    return low < end && this.indices[low] === index
      ? this.#bytes.subarray(NODE_BYTES * low, NODE_BYTES * (low + 1))
      : this.#base.node(index)
  }
}
