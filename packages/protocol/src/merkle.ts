import { concatBytes, equalBytes, numberToBytes } from './bytes.ts'
import type { Crypto } from './crypto.ts'

/**
 * Binary Merkle tree over SHA-256 for an ordered list of byte strings: a block's transactions and receipts.
 *
 * leaf = SHA-256(item) with the top bit of its first byte set; inner = SHA-256(left ‖ right) with it cleared, so that no inner node
 * passes for a leaf; an odd node moves up unpaired. root = SHA-256(count as 32 bytes ‖ top), top being 32 zero bytes for an empty list;
 * the count in the root fixes the tree's shape.
 */
export interface MerkleProof {
  readonly index: number
  readonly count: number
  /** From the leaf upwards; levels where the node moves up unpaired have none. */
  readonly siblings: readonly Uint8Array[]
}

const NODE_BYTES = 32

export function merkleRoot(crypto: Crypto, items: readonly Uint8Array[]): Uint8Array {
  return rootOf(crypto, items.length, topOf(crypto, leaves(crypto, items), items.length))
}

/**
 * `merkleRoot` in steps, so that other work can be done between them: each hashes so many items, a power of two, and the last one what is above
 * them. Such a slice is a subtree of the whole, and its own top a node of it.
 */
export function* merkleRootSteps(
  crypto: Crypto,
  count: number,
  itemAt: (index: number) => Uint8Array,
  slice: number,
): Generator<undefined, Uint8Array> {
  if (!Number.isSafeInteger(Math.log2(slice)) || slice < 1) throw new RangeError(`a slice of ${slice} is no power of two`)
  const width = Math.ceil(count / slice)
  const tops = new Uint8Array(NODE_BYTES * width)
  for (let at = 0; at < width; at++) {
    if (at > 0) yield undefined
    const part = Array.from({ length: Math.min(slice, count - slice * at) }, (_, i) => itemAt(slice * at + i))
    tops.set(topOf(crypto, leaves(crypto, part), part.length), NODE_BYTES * at)
  }
  return rootOf(crypto, count, topOf(crypto, tops, width))
}

/** What is above so many nodes. */
function topOf(crypto: Crypto, nodes: Uint8Array, count: number): Uint8Array {
  if (count === 0) return new Uint8Array(NODE_BYTES)
  let level = nodes
  for (let width = count; width > 1; width = Math.ceil(width / 2)) level = parents(crypto, level, width)
  return level.subarray(0, NODE_BYTES)
}

export function merkleProof(crypto: Crypto, items: readonly Uint8Array[], index: number): MerkleProof {
  if (!isIndex(index, items.length)) throw new RangeError(`no item ${index} among ${items.length}`)
  const siblings: Uint8Array[] = []
  let level = leaves(crypto, items)
  for (let width = items.length, at = index; width > 1; width = Math.ceil(width / 2), at >>= 1) {
    const sibling = at ^ 1
    if (sibling < width) siblings.push(level.slice(NODE_BYTES * sibling, NODE_BYTES * (sibling + 1)))
    level = parents(crypto, level, width)
  }
  return { index, count: items.length, siblings }
}

export function verifyMerkleProof(crypto: Crypto, root: Uint8Array, item: Uint8Array, proof: MerkleProof): boolean {
  const { index, count, siblings } = proof
  if (!Number.isSafeInteger(count) || !isIndex(index, count) || siblings.some(({ length }) => length !== NODE_BYTES)) return false
  let node = leafOf(crypto, item)
  let used = 0
  for (let width = count, at = index; width > 1; width = Math.ceil(width / 2), at = Math.floor(at / 2)) {
    const left = at % 2 === 0
    if (left && at + 1 === width) continue
    const sibling = siblings[used++]
    if (sibling === undefined) return false
    node = crypto.sha256(left ? concatBytes(node, sibling) : concatBytes(sibling, node))
    node[0]! &= 0x7f
  }
  return used === siblings.length && equalBytes(rootOf(crypto, count, node), root)
}

const isIndex = (index: number, count: number): boolean => Number.isSafeInteger(index) && index >= 0 && index < count

function leafOf(crypto: Crypto, item: Uint8Array): Uint8Array {
  const leaf = crypto.sha256(item)
  leaf[0]! |= 0x80
  return leaf
}

function leaves(crypto: Crypto, items: readonly Uint8Array[]): Uint8Array {
  const level = new Uint8Array(NODE_BYTES * items.length)
  items.forEach((item, i) => {
    level.set(leafOf(crypto, item), NODE_BYTES * i)
  })
  return level
}

function parents(crypto: Crypto, level: Uint8Array, width: number): Uint8Array {
  const pairs = width >> 1
  const out = new Uint8Array(NODE_BYTES * Math.ceil(width / 2))
  crypto.hashPairs(level.subarray(0, 2 * NODE_BYTES * pairs), out.subarray(0, NODE_BYTES * pairs), pairs)
  for (let i = 0; i < pairs; i++) out[NODE_BYTES * i]! &= 0x7f
  if (width % 2 === 1) out.set(level.subarray(NODE_BYTES * (width - 1), NODE_BYTES * width), NODE_BYTES * pairs)
  return out
}

const rootOf = (crypto: Crypto, count: number, top: Uint8Array): Uint8Array =>
  crypto.sha256(concatBytes(numberToBytes(count, 32), top.subarray(0, NODE_BYTES)))
