import type { CommitCertificate, Height } from '@quoin/protocol'
import type { CandidateBlock } from '../chain/types.ts'
import type { PeerId } from '../powers.ts'

/**
 * The block after the head, fetched from a peer. Certificate, hash, parent, number, transactions root and every transaction's signature
 * are verified, but it is not executed: the caller validates and commits it. More than two thirds of the power signed these very bytes,
 * so a block that then fails to validate means that this node, or the chain, is broken.
 */
export interface SyncedBlock {
  readonly block: CandidateBlock
  readonly certificate: CommitCertificate
  readonly from: PeerId
}

/**
 * Fetches final blocks for a node that was away. It never touches the chain but to read its head: the engine, the chain's only owner, pulls
 * block after block and commits them.
 *
 * There is no sync *mode* that a peer could hold a node in. Consensus runs at head + 1, after the short wait of a start
 * (`engine/rejoin.ts`); when a peer claims a later block, `onBehind` calls, and the engine pulls until `next` has none. A claim that its peer does not make good is
 * struck out and the peer benched for a while, so that a lie about the height costs the node one request.
 */
export interface BlockSync {
  /** Whether some peer that is not benched claims a block after the head. */
  readonly behind: boolean
  /** Highest height that so many such peers claim, or more; the head's when that is not above it. For display: a claim is not a proof. */
  claimedBy(peerCount: number): Height
  /** Peers that are up and have said how far they are. */
  readonly heard: number
  /** Calls back each time a peer's claim shows that the head is behind, until the returned function is called. */
  onBehind(listener: () => void): () => void
  /** A peer was seen to have committed `height`: it votes at height + 1, or said so. Cheap; call it for every such message. */
  hint(peer: PeerId, height: Height): void
  /** A peer came up or went down. */
  onPeer(peer: PeerId, state: 'up' | 'down'): void
  /**
   * The block after the head; undefined when no peer that claims it could deliver it, and then `behind` is false until somebody claims it
   * anew. Rejects only with the signal's reason. One call at a time; commit the block before the next call.
   */
  next(signal: AbortSignal): Promise<SyncedBlock | undefined>
  /** Answers a peer's question whose first byte is `SYNC_REQUEST`; undefined refuses it. */
  onRequest(from: PeerId, message: Uint8Array): Promise<Uint8Array | undefined>
  /** Ends requests that are under way and waits for them. */
  close(): Promise<void>
}
