import type { CommitCertificate, Height } from '@quoin/protocol'
import type { CandidateBlock } from '../chain/types.ts'
import type { PeerId } from '../powers.ts'

/**
 * The block after the head, fetched from a peer. Certificate, hash, parent, number, transactions root and every transaction's signature are
 * verified, but the block is not executed: the caller validates and commits it. More than two thirds of the voting power signed these
 * bytes, so if the block then fails to validate, this node or the chain is broken.
 */
export interface SyncedBlock {
  readonly block: CandidateBlock
  readonly certificate: CommitCertificate
  readonly from: PeerId
}

/**
 * Fetches final blocks for a node that is behind. It only reads the chain's head: the engine, which alone changes the chain, pulls block
 * after block and commits them.
 *
 * There is no sync *mode* in which a peer could hold a node. Consensus runs at head + 1, after the short wait of a start
 * (`engine/rejoin.ts`). When a peer claims a later block, `onBehind` fires, and the engine pulls until `next` returns undefined. If a peer
 * does not deliver what it claims, the claim is dropped and the peer is benched for a while, so a lie about the height costs the node one
 * request.
 */
export interface BlockSync {
  /** Whether a peer that is not benched claims a block after the head. */
  readonly behind: boolean
  /**
   * The highest height that at least this many such peers claim; the head's height if that is higher. For display only: a claim is not a
   * proof.
   */
  claimedBy(peerCount: number): Height
  /** Number of connected peers that have reported their height. */
  readonly heard: number
  /** Calls `listener` each time a peer's claim shows that the head is behind, until the returned function is called. */
  onBehind(listener: () => void): () => void
  /** Notes that a peer has committed `height`: it votes at height + 1, or said so. Cheap; call it for every such message. */
  hint(peer: PeerId, height: Height): void
  /** A peer connected or disconnected. */
  onPeer(peer: PeerId, state: 'up' | 'down'): void
  /**
   * Returns the block after the head; undefined if no peer that claims it could deliver it. Then `behind` is false until a peer makes a new
   * claim. Rejects only with the signal's reason. One call at a time; commit the block before the next call.
   */
  next(signal: AbortSignal): Promise<SyncedBlock | undefined>
  /** Answers a peer's request whose first byte is `SYNC_REQUEST`; undefined refuses it. */
  onRequest(from: PeerId, message: Uint8Array): Promise<Uint8Array | undefined>
  /** Aborts running requests and waits for them. */
  close(): Promise<void>
}
