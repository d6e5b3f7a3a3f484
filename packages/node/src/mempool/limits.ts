import { LIMITS } from '@quoin/protocol'

/** Limits of the pool. Each is a number of transactions unless its name gives a unit. */
export const POOL_LIMITS = {
  transactionsMax: 50_000,
  bytesMax: 64 * 1024 * 1024,
  /** Per sender; also how far a nonce may be ahead of the account's nonce. */
  senderTransactionsMax: 4_096,
  /** Per sender, transactions behind a nonce gap: they take room in the pool and cannot run. */
  senderQueuedMax: 256,
  /** A replacement must pay at least this much more, in percent, if fees are charged. */
  replacementBumpPercent: 10,
  /** Replacements per sender between two blocks. */
  senderReplacementsMax: 16,
  /** Bytes of these replacements, not counting the first one. */
  senderReplacedBytesMax: 512 * 1024,
  /** Hashes of replaced transactions that are remembered: about 2 MB. */
  replacedMax: 16_384,
  /** A transaction that has waited this long is dropped. */
  lifetimeMs: 3 * 3_600_000,
  /** Transactions whose senders are being recovered at the same time. */
  verificationsMax: 16_384,
  /** Transactions of block bodies that are in sender recovery at the same time. */
  verifyTurnMax: 1_024,
  /** Verified transactions that are remembered after they left the pool. */
  rememberedMax: 32_768,
  rememberedBytesMax: 32 * 1024 * 1024,
  /** Transactions on which the contract interpreter failed. */
  quarantinedMax: 4_096,
  /** Transactions that stay out of blocks for some heights: more than the proposals of these heights can contain before an agreement. */
  suspendedMax: 2 * LIMITS.blockTransactionsMax,
  /** Final blocks whose gas counts as use by their senders. */
  useHeights: 100,
  /** Use below this counts as zero. It is about one transfer in each of those blocks, or one short contract call in every second block. */
  useFloorGas: 3_000_000,
  /** Senders, summed over those blocks: about 30 MB. Enough for a hundred full blocks of 2,600 senders each. */
  useEntriesMax: 2 ** 18,
} as const

/**
 * How much a builder is offered, as a multiple of what a block can hold, if each transaction uses its least gas. It is more than a block
 * takes, because some transactions may turn out not to fit. The rest of the pool is not examined.
 */
export const OFFER_LIMITS = {
  gasFactor: 1.25,
  bytesFactor: 2,
  /**
   * Part of a block's gas that goes first to the senders with the most transactions in their lives, among senders with little recent use.
   */
  regularsPart: 1 / 8,
  countMax: 1.25 * LIMITS.blockTransactionsMax,
  /**
   * Limit of failed attempts: newcomers' transactions that may not be offered, or regular senders that do not fit into `regularsPart`. Then
   * the search stops.
   */
  missesMax: 1_024,
} as const
