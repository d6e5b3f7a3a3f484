import { type Crypto, compareBytes, concatBytes, equalBytes, err, ok, type Result, verifyMerkleProof } from '@quoin/protocol'
import type { LibraryError } from './error.ts'

const NODE_BYTES = 32
/** A list of 2^53 items has proofs of that length. */
export const PROOF_NODES_MAX = 64

/** The nodes of a proof that stand one behind the other. */
function nodesOf(proof: Uint8Array): readonly Uint8Array[] | undefined {
  if (proof.length % NODE_BYTES !== 0 || proof.length > NODE_BYTES * PROOF_NODES_MAX) return undefined
  return Array.from({ length: proof.length / NODE_BYTES }, (_, i) => proof.subarray(NODE_BYTES * i, NODE_BYTES * (i + 1)))
}

const badProof = (): Result<never, LibraryError> =>
  err({ message: `the proof must be at most ${PROOF_NODES_MAX} nodes of 32 bytes` })

/**
 * OpenZeppelin's MerkleProof.verify: nodes are keccak256 of the two below, the lesser first, so that a proof has no positions. A leaf is 32
 * bytes and must be the hash of something longer or shorter than two nodes (OpenZeppelin hashes twice), or a node passes for a leaf.
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

/** A proof in one of this chain's own ordered trees (`merkle.ts` of the protocol): that `item` is the one at `index` among `count`. */
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
