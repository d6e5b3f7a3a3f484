import { LIMITS } from '@quoin/protocol'

/** Every bound of the consensus engine. Units stand last. */
export const ENGINE_LIMITS = {
  /** Events that wait for the engine's loop, from all peers together. Beyond it messages are dropped; they are rebroadcast. */
  eventsCountMax: 16_384,
  /** Of one peer. */
  eventsPerPeerCountMax: 4_096,
  /** Events taken before the log is synced: one fsync answers for all of them. */
  batchCountMax: 512,
  /** Messages of later heights that are kept, and of one peer. */
  futureMessagesCountMax: 2_048,
  futureMessagesPerPeerCountMax: 512,
  futureMessagesBytesMax: 16 * 1024 * 1024,
  /** A message further ahead than this says only that we are behind. */
  futureHeightsMax: 8,
  /** Votes whose signature is known to be good: both kinds of the largest set over 64 rounds. */
  verifiedVotesCountMax: 2 * 64 * LIMITS.validatorsMax,
  /** Certificates and re-proposals of a height that were already looked at. */
  seenMessagesCountMax: 4_096,
  /** Proposed blocks of a height whose transactions are known by hash. */
  proposedBlocksCountMax: 64,
  /** Bodies that are being fetched at one time; the oldest gives way. */
  fetchesCountMax: 8,
  /** How long one peer may take to deliver a body, or a part of it. */
  fetchMsMax: 1_000,
  /** Pause when no peer could deliver, before all are asked again: a body is wanted until its height is decided. */
  fetchPauseMs: 250,
  /** Transactions asked for in one question. */
  transactionsPerRequestCountMax: LIMITS.blockTransactionsMax,
  /** A round that has not moved for this long is helped along: proposal, votes and certificates go out again. */
  rebroadcastMs: 1_000,
  /** One answer to a peer of an earlier height in this time. */
  lateReplyMs: 500,
  /** How long a later height seen at a peer may be explained by messages that are still under way. */
  catchUpGraceMs: 300,
  /** Rounds over which a fresh proposal halves its fill. */
  fillHalvingsMax: 3,
  /** Upper bound of every timeout: 4,096-second timers stopped real chains (Besu #7642). */
  timeoutMsMax: 30_000,
  /** Proofs of equivocation that are kept. */
  evidenceCountMax: 256,
  /** Evidence older than so many heights is dropped. */
  evidenceHeightsMax: 100_000,
  /** The sign state is rewritten when it has grown to this. */
  signStateBytesMax: 1024 * 1024,
} as const
