import { type Crypto, compareBytes, concatBytes, equalBytes, err, ok, type Result, verifyMerkleProof } from '@quoin/protocol'
import type { LibraryError } from './error.ts'

const NODE_BYTES = 32
/** Longest accepted proof; a list of 2^53 items has shorter ones. */
export const PROOF_NODES_MAX = 64

/** Splits a proof into its concatenated nodes. */
function nodesOf(proof: Uint8Array): readonly Uint8Array[] | undefined {
  if (proof.length % NODE_BYTES !== 0 || proof.length > NODE_BYTES * PROOF_NODES_MAX) return undefined
  return Array.from({ length: proof.length / NODE_BYTES }, (_, i) => proof.subarray(NODE_BYTES * i, NODE_BYTES * (i + 1)))
}

const badProof = (): Result<never, LibraryError> =>
  err({ message: `the proof must be at most ${PROOF_NODES_MAX} nodes of 32 bytes` })

/**
 * OpenZeppelin's MerkleProof.verify: a node is the keccak256 of its two children, the smaller first, so a proof has no positions.
 * A leaf is 32 bytes. It must be the hash of data that is not 64 bytes long, the length of two nodes (OpenZeppelin hashes twice);
 * otherwise an inner node could pass for a leaf.
 */
export function verifySortedProof(
  crypto: Crypto,
  root: Uint8Array,
  leaf: Uint8Array,
  proof: Uint8Array,
): Result<boolean, LibraryError> {
  const nodes = nodesOf(proof)
  if (nodes === undefined) return badProof()
  if (leaf.length !== NODE_BYTES) return err({ message: 'the leaf must be 32 bytes' })
  let node = leaf
  for (const sibling of nodes)
    node = crypto.keccak256(compareBytes(node, sibling) < 0 ? concatBytes(node, sibling) : concatBytes(sibling, node))
  return ok(equalBytes(node, root))
}

/**
 * Verifies a proof in one of this chain's ordered trees (`merkle.ts` of the protocol): `item` is the one at `index` among
 * `count`.
 */
export function verifyOrderedProof(
  crypto: Crypto,
  root: Uint8Array,
  item: Uint8Array,
  index: bigint,
  count: bigint,
  proof: Uint8Array,
): Result<boolean, LibraryError> {
  const siblings = nodesOf(proof)
  if (siblings === undefined) return badProof()
  return ok(verifyMerkleProof(crypto, root, item, { index: Number(index), count: Number(count), siblings }))
}
