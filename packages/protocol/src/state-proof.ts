import { bytesToHex, equalBytes, type Hash } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'

/**
 * Size of a node of the state tree, a compact sparse binary Merkle tree over SHA-256. The header has its root. This module defines the tree's
 * hashes, the encoding of a proof and its verification; the tree itself is part of `@quoin/execution`.
 *
 *   key   = SHA-256(01 ‖ flat key)              the 256-bit path, from the top bit of byte 0 down
 *   vh    = SHA-256(02 ‖ value)
 *   leaf  = SHA-256(key ‖ vh)                   top bit of byte 0 set
 *   inner = SHA-256(left ‖ right)               top bit of byte 0 cleared
 *   empty = 32 zero bytes
 *
 * A subtree without leaves is empty. A subtree with one leaf is that leaf, at any depth. Every other subtree is an inner node, also if one of its
 * sides is empty. So the root depends on the content alone. The preimages of leaf and inner node both have 64 bytes. The top bit (as in NOMT)
 * prevents a leaf from being taken for an inner node; a verifier sets it by the node's role and never reads it from a proof.
 */
export const NODE_BYTES = 32
const ROLE_BIT = 0x80

/** Tags of one byte, so that the preimages of most keys and small values fit into one SHA-256 block. */
const KEY_TAG = 0x01
const VALUE_TAG = 0x02

/** Maximum number of levels in a proof. To find a key that shares this many bits with a given key takes 2^60 hashes. */
export const stateProofDepthMax = 60

/** The path of a flat key in the state tree: 32 bytes, read from the top bit of byte 0. */
export const treeKey = (crypto: Crypto, flatKey: Uint8Array): Uint8Array => taggedHash(crypto, KEY_TAG, flatKey)

/** The hash by which a leaf commits to its value, 32 bytes. */
export const stateValueHash = (crypto: Crypto, value: Uint8Array): Uint8Array => taggedHash(crypto, VALUE_TAG, value)

function taggedHash(crypto: Crypto, tag: number, bytes: Uint8Array): Uint8Array {
  const preimage = new Uint8Array(1 + bytes.length)
  preimage[0] = tag
  preimage.set(bytes, 1)
  return crypto.sha256(preimage)
}

/** Makes the digest at `offset` a leaf by setting its top bit. */
export function markLeaf(bytes: Uint8Array, offset: number): void {
  bytes[offset]! |= ROLE_BIT
}

/** Makes the digest at `offset` an inner node by clearing its top bit. */
export function markInner(bytes: Uint8Array, offset: number): void {
  bytes[offset]! &= ~ROLE_BIT
}

/** Whether the node at `offset` is a leaf. For nodes of the local tree only: in a proof this bit cannot be trusted. */
export const isLeafNode = (bytes: Uint8Array, offset: number): boolean => (bytes[offset]! & ROLE_BIT) !== 0

/** The bit of a key that selects the left (0) or right (1) child of the node at this depth. The root has depth 0. */
export const keyBit = (key: Uint8Array, depth: number): 0 | 1 => ((key[depth >> 3]! >> (7 - (depth & 7))) & 1) as 0 | 1

/** Where the path of a key ends. */
export type ProofTerminal =
  /** In the leaf of this key: it has a value. */
  | { readonly kind: 'key' }
  /** In an empty subtree: the key has no value. */
  | { readonly kind: 'empty' }
  /** In the leaf of another key, the only one with the shared prefix: the key has no value. */
  | { readonly kind: 'other'; readonly key: Uint8Array; readonly valueHash: Uint8Array }

/** Proof of the value of a key under a state root, or of its absence. */
export interface StateProof {
  /** From the root down, one for each level of the path; undefined for an empty subtree. */
  readonly siblings: readonly (Uint8Array | undefined)[]
  readonly terminal: ProofTerminal
}

/** Count (1 byte), a bitmap of the siblings that are not empty (the first sibling is the top bit of byte 0), then those siblings. */
const siblingsCodec: codec.Codec<StateProof['siblings']> = {
  bytesMax: 1 + Math.ceil(stateProofDepthMax / 8) + stateProofDepthMax * NODE_BYTES,
  write(writer, siblings) {
    if (siblings.length > stateProofDepthMax)
      throw new RangeError(`${siblings.length} siblings, at most ${stateProofDepthMax} are allowed`)
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
    if (depth > stateProofDepthMax) reader.fail(`${depth} siblings, at most ${stateProofDepthMax} are allowed`)
    const bitmap = reader.bytes(Math.ceil(depth / 8))
    for (let bit = depth; bit < 8 * bitmap.length; bit++)
      if (keyBit(bitmap, bit)) reader.fail('the bitmap has a bit set beyond the last sibling')
    return Array.from({ length: depth }, (_, bit) => (keyBit(bitmap, bit) ? siblingCodec.read(reader) : undefined))
  },
}

const siblingCodec = codec.checked(codec.fixedBytes(NODE_BYTES), (node) =>
  node.every((byte) => byte === 0) ? 'an empty sibling must be left out and have bit 0 in the bitmap' : undefined,
)

const terminalCodec: codec.Codec<ProofTerminal> = codec.union({
  key: codec.struct({}),
  empty: codec.struct({}),
  other: codec.struct({ key: codec.fixedBytes(32), valueHash: codec.fixedBytes(NODE_BYTES) }),
})

export const stateProofCodec: codec.Codec<StateProof> = codec.struct({ siblings: siblingsCodec, terminal: terminalCodec })

/**
 * Verifies the value of a key, or its absence, against a state root. Computes at most `stateProofDepthMax` + 2 hashes.
 *
 * @param root `stateRoot` of a header.
 * @param key the result of `treeKey`.
 * @param value the claimed value, or undefined for the claim that the key has no value.
 * @returns false if the proof does not show the claim or is malformed. Never throws.
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

/** The node at the end of the path, or undefined if this terminal cannot prove the claim. */
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

/** Computes a leaf from a tree key and the hash of its value. */
export function leafNode(crypto: Crypto, key: Uint8Array, valueHash: Uint8Array): Uint8Array {
  const pair = new Uint8Array(2 * NODE_BYTES)
  pair.set(key)
  pair.set(valueHash, NODE_BYTES)
  const leaf = crypto.sha256(pair)
  markLeaf(leaf, 0)
  return leaf
}

/**
 * Hashes from the end of a path up to depth `to`; 0 gives the root.
 *
 * @param node the node at the end of the path, below all siblings.
 * @param siblings from the root down. Those above depth `to` are not used.
 */
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
