import { bytesToHex, equalBytes, type Hash } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'

/**
 * The authenticated state: a compact sparse binary Merkle tree over SHA-256 whose root stands in the header. This module fixes the
 * tree's hashes, the proof's bytes and its verification; the tree itself lives in execution.
 *
 *   key   = SHA-256(01 ‖ flat key)              the 256-bit path, from the top bit of byte 0 down
 *   vh    = SHA-256(02 ‖ value)
 *   leaf  = SHA-256(key ‖ vh)                   top bit of byte 0 set
 *   inner = SHA-256(left ‖ right)               top bit of byte 0 cleared
 *   empty = 32 zero bytes
 *
 * A subtree without leaves is empty, one with a single leaf is that leaf whatever its depth, and every other is an inner node, also
 * where one side is empty. So the root is a function of the content alone. Both preimages are 64 bytes; the role bit (as in NOMT)
 * keeps a leaf from passing for an inner node, and a verifier sets it by role instead of reading it from a proof.
 */
export const NODE_BYTES = 32
const ROLE_BIT = 0x80

/** One byte each: a tag this short keeps the preimages of most keys and small values within one SHA-256 block. */
const KEY_TAG = 0x01
const VALUE_TAG = 0x02

/** Levels that a proof may span. Making two keys share that many bits takes 2^60 hashes for a given key. */
export const stateProofDepthMax = 60

/** Path of a flat key in the state tree, 32 bytes. */
export const treeKey = (crypto: Crypto, flatKey: Uint8Array): Uint8Array => taggedHash(crypto, KEY_TAG, flatKey)

/** What a leaf commits to in place of the value, 32 bytes. */
export const stateValueHash = (crypto: Crypto, value: Uint8Array): Uint8Array => taggedHash(crypto, VALUE_TAG, value)

function taggedHash(crypto: Crypto, tag: number, bytes: Uint8Array): Uint8Array {
  const preimage = new Uint8Array(1 + bytes.length)
  preimage[0] = tag
  preimage.set(bytes, 1)
  return crypto.sha256(preimage)
}

/** Turns the digest at `offset` into a leaf. */
export function markLeaf(bytes: Uint8Array, offset: number): void {
  bytes[offset]! |= ROLE_BIT
}

/** Turns the digest at `offset` into an inner node. */
export function markInner(bytes: Uint8Array, offset: number): void {
  bytes[offset]! &= ~ROLE_BIT
}

/** Whether the node at `offset` of the tree's own memory is a leaf; never asked of a node that came in a proof. */
export const isLeafNode = (bytes: Uint8Array, offset: number): boolean => (bytes[offset]! & ROLE_BIT) !== 0

/** Bit of a key that decides between left (0) and right (1) at a depth; 0 is the root's. */
export const keyBit = (key: Uint8Array, depth: number): 0 | 1 => ((key[depth >> 3]! >> (7 - (depth & 7))) & 1) as 0 | 1

/** Where the path of a key ends. */
export type ProofTerminal =
  /** In the leaf of the key itself: it has a value. */
  | { readonly kind: 'key' }
  /** In an empty subtree: the key has no value. */
  | { readonly kind: 'empty' }
  /** In the leaf of another key, alone under the shared prefix: the key has no value. */
  | { readonly kind: 'other'; readonly key: Uint8Array; readonly valueHash: Uint8Array }

/** That a key has, or has not, a value under a root. */
export interface StateProof {
  /** From the root down, one for each level passed; undefined is an empty subtree. */
  readonly siblings: readonly (Uint8Array | undefined)[]
  readonly terminal: ProofTerminal
}

/** Count (1 byte), a bit for each sibling that is not empty (first sibling in the top bit), then those siblings. */
const siblingsCodec: codec.Codec<StateProof['siblings']> = {
  bytesMax: 1 + Math.ceil(stateProofDepthMax / 8) + stateProofDepthMax * NODE_BYTES,
  write(writer, siblings) {
    if (siblings.length > stateProofDepthMax) throw new RangeError(`${siblings.length} siblings, at most ${stateProofDepthMax}`)
    const bitmap = new Uint8Array(Math.ceil(siblings.length / 8))
    siblings.forEach((sibling, depth) => {
      if (sibling !== undefined) bitmap[depth >> 3]! |= 0x80 >> (depth & 7)
    })
    writer.u8(siblings.length)
    writer.bytes(bitmap)
    for (const sibling of siblings) if (sibling !== undefined) siblingCodec.write(writer, sibling)
  },
  read(reader) {
    const depth = reader.u8()
    if (depth > stateProofDepthMax) reader.fail(`${depth} siblings, at most ${stateProofDepthMax}`)
    const bitmap = reader.bytes(Math.ceil(depth / 8))
    for (let bit = depth; bit < 8 * bitmap.length; bit++) if (keyBit(bitmap, bit)) reader.fail('bitmap is longer than the path')
    return Array.from({ length: depth }, (_, bit) => (keyBit(bitmap, bit) ? siblingCodec.read(reader) : undefined))
  },
}

const siblingCodec = codec.checked(codec.fixedBytes(NODE_BYTES), (node) =>
  node.every((byte) => byte === 0) ? 'an empty sibling stands in the bitmap only' : undefined,
)

const terminalCodec: codec.Codec<ProofTerminal> = codec.union({
  key: codec.struct({}),
  empty: codec.struct({}),
  other: codec.struct({ key: codec.fixedBytes(32), valueHash: codec.fixedBytes(NODE_BYTES) }),
})

export const stateProofCodec: codec.Codec<StateProof> = codec.struct({ siblings: siblingsCodec, terminal: terminalCodec })

/**
 * Whether `proof` shows that under `root` the tree key has this value or, for undefined, none. Total over every proof object; at most
 * `stateProofDepthMax` + 2 hashes.
 */
export function verifyStateProof(
  crypto: Crypto,
  root: Hash,
  key: Uint8Array,
  value: Uint8Array | undefined,
  proof: StateProof,
): boolean {
  const { siblings, terminal } = proof
  if (key.length !== 32 || siblings.length > stateProofDepthMax) return false
  if (siblings.some((sibling) => sibling !== undefined && sibling.length !== NODE_BYTES)) return false
  const node = terminalNode(crypto, key, value, siblings.length, terminal)
  return node !== undefined && bytesToHex(climbStateProof(crypto, key, node, siblings, 0)) === root
}

/** The node that ends the path, or undefined when this terminal cannot show what is claimed. */
function terminalNode(
  crypto: Crypto,
  key: Uint8Array,
  value: Uint8Array | undefined,
  depth: number,
  terminal: ProofTerminal,
): Uint8Array | undefined {
  if ((terminal.kind === 'key') !== (value !== undefined)) return undefined
  if (value !== undefined) return leafNode(crypto, key, stateValueHash(crypto, value))
  if (terminal.kind !== 'other') return new Uint8Array(NODE_BYTES)
  if (terminal.key.length !== 32 || terminal.valueHash.length !== NODE_BYTES || equalBytes(terminal.key, key)) return undefined
  for (let bit = 0; bit < depth; bit++) if (keyBit(terminal.key, bit) !== keyBit(key, bit)) return undefined
  return leafNode(crypto, terminal.key, terminal.valueHash)
}

/** Leaf of a key and its value's hash. */
export function leafNode(crypto: Crypto, key: Uint8Array, valueHash: Uint8Array): Uint8Array {
  const pair = new Uint8Array(2 * NODE_BYTES)
  pair.set(key)
  pair.set(valueHash, NODE_BYTES)
  const leaf = crypto.sha256(pair)
  markLeaf(leaf, 0)
  return leaf
}

/** Node at depth `to` on the path of `key` that has `node` below all siblings from depth `to` on. */
export function climbStateProof(
  crypto: Crypto,
  key: Uint8Array,
  node: Uint8Array,
  siblings: StateProof['siblings'],
  to: number,
): Uint8Array {
  const pair = new Uint8Array(2 * NODE_BYTES)
  let climbed = node
  for (let depth = siblings.length - 1; depth >= to; depth--) {
    const right = keyBit(key, depth)
    const sibling = siblings[depth]
    pair.fill(0)
    pair.set(climbed, right * NODE_BYTES)
    if (sibling !== undefined) pair.set(sibling, (1 - right) * NODE_BYTES)
    climbed = crypto.sha256(pair)
    markInner(climbed, 0)
  }
  return climbed
}
