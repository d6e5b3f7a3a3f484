import { LIMITS } from '@quoin/protocol'

/** Bounds of the pool. Each is a number of transactions unless its name says a unit. */
export const POOL_LIMITS = {
  transactionsMax: 50_000,
  bytesMax: 64 * 1024 * 1024,
  /** Of one sender; also how far a nonce may lie ahead of the account's. */
  senderTransactionsMax: 4_096,
  /** Of one sender with a gap before them: they occupy the pool and cannot run. */
  senderQueuedMax: 256,
  /** A replacement pays at least this much more, in percent, where fees are charged. */
  replacementBumpPercent: 10,
  /** Replacements of one sender between two blocks. */
  senderReplacementsMax: 16,
  /** Their bytes, but for the first of them. */
  senderReplacedBytesMax: 512 * 1024,
  /** Replaced ones that are known as such: some 2 MB. */
  replacedMax: 16_384,
  /** A transaction that waited this long is dropped. */
  lifetimeMs: 3 * 3_600_000,
  /** Transactions whose senders are being recovered at one time. */
  verificationsMax: 16_384,
  /** Of bodies that are being verified, those that are in recovery at one time. */
  verifyTurnMax: 1_024,
  /** Verified transactions that are remembered after they left the pool. */
  rememberedMax: 32_768,
  rememberedBytesMax: 32 * 1024 * 1024,
  /** On which the contract interpreter failed. */
  quarantinedMax: 4_096,
  /** That stay out of blocks for some heights: of more proposals than these heights can have without an agreement. */
  suspendedMax: 2 * LIMITS.blockTransactionsMax,
  /** Final blocks whose gas counts as their senders' use. */
  useHeights: 100,
  /** Use below this is as good as none: about what a transfer in each of those blocks takes, and a short one of each of a contract in every other. */
  useFloorGas: 3_000_000,
  /** Senders of those blocks, counted in each of them: some 30 MB. A hundred full blocks of 2,600 senders each. */
  useEntriesMax: 2 ** 18,
} as const

/**
 * What a builder is offered, in parts of what a block may hold, by the least gas that each transaction uses: more than the block can take, since some may turn out
 * not to fit. The rest of the pool is not looked at.
 */
export const OFFER_LIMITS = {
  gasFactor: 1.25,
  bytesFactor: 2,
  /** What part of a block's gas goes first to those who have sent most in their lives, of the senders that used little lately. */
  regularsPart: 1 / 8,
  countMax: 1.25 * LIMITS.blockTransactionsMax,
  /** Transactions of newcomers that may not be offered, or of regular senders that have no room among those that go first, after which no more are looked at. */
  missesMax: 1_024,
} as const
