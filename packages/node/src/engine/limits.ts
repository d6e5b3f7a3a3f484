import { LIMITS } from '@quoin/protocol'

/** Every bound of the consensus engine. Units stand last. */
export const ENGINE_LIMITS = {
  /** Messages that wait for the engine's loop, from all peers together. Beyond it messages are dropped; they are rebroadcast. */
  eventsCountMax: 32_768,
  eventsBytesMax: 64 * 1024 * 1024,
  /** Of one peer. */
  eventsPerPeerCountMax: 4_096,
  eventsPerPeerBytesMax: 4 * 1024 * 1024,
  /** Of one peer, messages up to this size go before larger ones: votes and certificates before proposals. */
  smallMessageBytesMax: 32 * 1024,
  /** Events taken before the log is synced: one fsync answers for all of them. */
  batchCountMax: 512,
  /** After so long the rest of a batch waits, and other work of the process gets its turn. */
  batchMsMax: 10,
  /** Rounds of a height that has not begun here, and of the next one, of which messages are kept. */
  earlyRoundsMax: 4,
  /** Different messages that are verified of what an honest validator says once: two of them prove that it contradicts itself. */
  variantsCountMax: 2,
  /** Proposals are large: of rounds further ahead than this they wait for their rebroadcast. */
  proposalRoundsAheadMax: 4,
  /** Votes whose signature is known to be good: both kinds of the largest set over all rounds of which votes are kept, and some more. */
  verifiedVotesCountMax: 2 * 160 * LIMITS.validatorsMax,
  /** Messages of a height that the driver was told, by what they say. */
  takenMessagesCountMax: 2 * 160 * LIMITS.validatorsMax,
  /** Proposed blocks of a height whose transactions are known by hash. */
  proposedBlocksCountMax: 32,
  /** Rounds of which the arrival of proposals is remembered. */
  receivedRoundsMax: 128,
  /** Transactions, and bytes of them, that are hashed before other work has its turn: some milliseconds. A power of two. */
  hashesPerTurnMax: 1_024,
  hashedBytesPerTurnMax: 512 * 1024,
  /** Bodies that are being fetched at one time; others wait for their turn. */
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
  /** Rounds before the present one of which a peer that comes up is told the votes. */
  greetingRoundsMax: 8,
  /** How often it is looked whether a validator that was started may sign. */
  rejoinCheckMs: 50,
  /** Time in which peers show it its own votes of this height, if they have any. */
  rejoinMsMin: 300,
  /** How long it waits for the word of peers that are there, for a block that they claim and do not deliver, and for peers. */
  rejoinMsMax: 5_000,
  rejoinStallMsMax: 20_000,
  rejoinLonelyMsMax: 60_000,
  /** Heights above the head in which a validator that lost its sign state may have signed: it abstains there. */
  lostHeightsMax: 2,
  /** What is remembered of votes of its own that peers show, where the operator answers for a lost sign state. */
  shownStepsCountMax: 4_096,
  /** The newest blocks on the own disk in which it looks for signatures of its own that its sign state does not know. */
  ownBlocksLookedAt: 16,
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
