import { LIMITS } from '@quoin/protocol'

/** Limits of the consensus engine. Each name ends with its unit. */
export const ENGINE_LIMITS = {
  /** Messages queued for the engine's loop, from all peers together. Messages above the limit are dropped; peers rebroadcast them. */
  eventsCountMax: 32_768,
  eventsBytesMax: 64 * 1024 * 1024,
  /** Per peer. */
  eventsPerPeerCountMax: 4_096,
  eventsPerPeerBytesMax: 4 * 1024 * 1024,
  /** Messages of one peer up to this size are handled before larger ones: votes and certificates before proposals. */
  smallMessageBytesMax: 32 * 1024,
  /** Events handled before the log is synced: one fsync covers all of them. */
  batchCountMax: 512,
  /** Time limit of a batch. The rest waits, so that other work of the process can run. */
  batchMsMax: 10,
  /** Rounds of a height that has not begun here (the current or the next) for which messages are kept. */
  earlyRoundsMax: 4,
  /** Different messages verified per slot (a statement that an honest validator makes once): two of them prove equivocation. */
  variantsCountMax: 2,
  /** Proposals are large: those of rounds further ahead than this are ignored until they are rebroadcast. */
  proposalRoundsAheadMax: 4,
  /**
   * Votes remembered as correctly signed: both kinds, for the largest validator set, over all rounds for which votes are kept, plus a
   * margin.
   */
  verifiedVotesCountMax: 2 * 160 * LIMITS.validatorsMax,
  /** Contents that the driver received in one height. */
  takenMessagesCountMax: 2 * 160 * LIMITS.validatorsMax,
  /** Proposed blocks of one height that are kept in compact form (transaction hashes). */
  proposedBlocksCountMax: 32,
  /** Rounds for which the arrival of proposals is remembered. */
  receivedRoundsMax: 128,
  /** Transactions, and their bytes, hashed before other work gets a turn: some milliseconds. A power of two. */
  hashesPerTurnMax: 1_024,
  hashedBytesPerTurnMax: 512 * 1024,
  /** Block bodies fetched at the same time; others wait for their turn. */
  fetchesCountMax: 8,
  /** Time that one peer has to deliver a body or a part of it. */
  fetchMsMax: 1_000,
  /** Pause after no peer could deliver, before all are asked again: a body is wanted until its height is decided. */
  fetchPauseMs: 250,
  /** Transactions per request. */
  transactionsPerRequestCountMax: LIMITS.blockTransactionsMax,
  /** A round that has not moved for this long rebroadcasts its proposal, votes and certificates. */
  rebroadcastMs: 1_000,
  /** Least time between two answers to a peer that is at an earlier height. */
  lateReplyMs: 500,
  /** Number of earlier rounds whose votes are sent to a newly connected peer. */
  greetingRoundsMax: 8,
  /** Interval at which a restarted validator checks whether it may sign. */
  rejoinCheckMs: 50,
  /** Time for peers to show the validator its own votes of this height, if they have any. */
  rejoinMsMin: 300,
  /**
   * Longest waits after a start: for connected peers to report their height, for a block that they claim and do not deliver, and for peers
   * to connect.
   */
  rejoinMsMax: 5_000,
  rejoinStallMsMax: 20_000,
  rejoinLonelyMsMax: 60_000,
  /** Heights above the head in which a validator that lost its sign state may have signed: it abstains there. */
  lostHeightsMax: 2,
  /** Own votes, shown by peers, that are remembered if the operator vouches for a lost sign state. */
  shownStepsCountMax: 4_096,
  /** Newest blocks on the local disk that are searched for own signatures missing from the sign state. */
  ownBlocksLookedAt: 16,
  /** How long a later height reported by a peer can be explained by messages that are still in transit. */
  catchUpGraceMs: 300,
  /** Rounds in which a fresh proposal halves its gas target. */
  fillHalvingsMax: 3,
  /** Least fraction of a block that a proposer fills, however long blocks take: 107 transfers of 72 million gas in round 0. */
  fillPartMin: 1 / 32,
  /** Fraction that a proposer fills as long as it has not seen a larger block that was executed in time. */
  fillPartStart: 1 / 2,
  /** Shortest block interval for which blocks are kept small: on a chain with a shorter one, they may take this long. */
  pacedIntervalMsMin: 1_000,
  /** Upper bound of every timeout: 4,096-second timers stopped real chains (Besu #7642). */
  timeoutMsMax: 30_000,
  /** File size at which the sign state is rewritten. */
  signStateBytesMax: 1024 * 1024,
} as const
