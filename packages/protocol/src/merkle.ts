import { concatBytes, equalBytes, Hash, hexToBytes, numberToBytes } from './bytes.ts'
import type { Crypto } from './crypto.ts'

/**
 * Proof that an item is at one position of a list, in a binary Merkle tree over SHA-256. Such trees commit to a block's transactions and receipts.
 *
 *   leaf  = SHA-256(item)                       top bit of byte 0 set
 *   inner = SHA-256(left ‖ right)               top bit of byte 0 cleared
 *   root  = SHA-256(count as 32 bytes ‖ top)    `EMPTY_LIST_ROOT` for an empty list
 *
 * The last node of a level with an odd number of nodes moves up unchanged. The top bit prevents an inner node from being taken for a leaf. The
 * count in the root fixes the shape of the tree.
 */
export interface MerkleProof {
  /** Position of the item, from 0. */
  readonly index: number
  /** Number of items in the list. */
  readonly count: number
  /** From the leaf upwards. A level on which the node moves up unchanged has no sibling. */
  readonly siblings: readonly Uint8Array[]
}

const NODE_BYTES = 32

/**
 * Root of an empty list: keccak256(rlp('')), the root of Ethereum's empty trie (yellow paper, appendix D). go-ethereum's `ethclient` refuses a
 * block without transactions whose `transactionsRoot` is another.
 */
export const EMPTY_LIST_ROOT = Hash('0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421')

/** Computes the root (32 bytes) of a list of items of any size. */
export function merkleRoot(crypto: Crypto, items: readonly Uint8Array[]): Uint8Array {
  return rootOf(crypto, items.length, topOf(crypto, leaves(crypto, items), items.length))
}

/**
 * Computes `merkleRoot` in steps, so that the caller can do other work between them. Each step hashes one slice of the items. Because the size of a
 * slice is a power of two, its top is a node of the whole tree. The last step also computes the levels above the slices.
 *
 * @param itemAt returns the item at a position, from 0.
 * @param slice items per step, a power of two.
 * @returns a generator that yields between steps and returns the root.
 * @throws RangeError if `slice` is not a power of two.
 */
export function* merkleRootSteps(
  crypto: Crypto,
  count: number,
  itemAt: (index: number) => Uint8Array,
  slice: number,
): Generator<undefined, Uint8Array> {
  if (!Number.isSafeInteger(Math.log2(slice)) || slice < 1) throw new RangeError(`slice must be a power of two, not ${slice}`)
  const width = Math.ceil(count / slice)
  const tops = new Uint8Array(NODE_BYTES * width)
  for (let at = 0; at < width; at++) {
    if (at > 0) yield undefined
    const part = Array.from({ length: Math.min(slice, count - slice * at) }, (_, i) => itemAt(slice * at + i))
    tops.set(topOf(crypto, leaves(crypto, part), part.length), NODE_BYTES * at)
  }
  return rootOf(crypto, count, topOf(crypto, tops, width))
}

/** Top of the tree over the first `count` nodes of a level; no bytes if there are none. */
function topOf(crypto: Crypto, nodes: Uint8Array, count: number): Uint8Array {
  let level = nodes
  for (let width = count; width > 1; width = Math.ceil(width / 2)) level = parents(crypto, level, width)
  return level.subarray(0, NODE_BYTES)
}

/**
 * Proves the item at a position of a list.
 *
 * @throws RangeError if `index` is not a position of the list.
 */
export function merkleProof(crypto: Crypto, items: readonly Uint8Array[], index: number): MerkleProof {
  if (!isIndex(index, items.length)) throw new RangeError(`index ${index} is out of range: the list has ${items.length} items`)
  const siblings: Uint8Array[] = []
  let level = leaves(crypto, items)
  for (let width = items.length, at = index; width > 1; width = Math.ceil(width / 2), at >>= 1) {
    const sibling = at ^ 1
    if (sibling < width) siblings.push(level.slice(NODE_BYTES * sibling, NODE_BYTES * (sibling + 1)))
    level = parents(crypto, level, width)
  }
  return { index, count: items.length, siblings }
}

/** Whether `proof` shows that `item` is at position `proof.index` of the list with this root. Returns false for a malformed proof. */
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
  count === 0 ? hexToBytes(EMPTY_LIST_ROOT) : crypto.sha256(concatBytes(numberToBytes(count, 32), top))
