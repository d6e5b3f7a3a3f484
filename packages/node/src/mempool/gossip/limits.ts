const KiB = 1024
const MiB = 1024 * KiB

/** Limits of transaction gossip. Each name ends with its unit. */
export const GOSSIP_LIMITS = {
  /** The first transaction after a pause leaves at once; later ones wait this long so that they can be batched. */
  coalesceMs: 40,
  /** Size at which a payload is sent at once. With one more transaction it still fits the network's payload limit. */
  payloadBytesMin: 128 * KiB,
  payloadTransactionsMax: 2_048,
  /** Slice of one peer's payload before the next peer has its turn. At least one transaction. */
  sliceTransactionsMax: 32,
  sliceBytesMax: 32 * KiB,
  /** Limit for all peers together in one turn of the event loop: some milliseconds at most. */
  turnTransactionsMax: 256,
  turnBytesMax: 256 * KiB,
  /** Transactions of one peer in verification; its next ones wait. */
  verifyingPerPeerMax: 1_024,
  /** Bytes charged for a repeated transaction in addition to its size. */
  repeatOverheadBytes: 256,
  /**
   * A transaction that this node published is not published again for publishedMs; one that a peer sent counts as sent for sentMs. Both last
   * at least that long and less than twice that long. So an honest node that publishes again is not seen as repeating.
   */
  publishedMs: 60_000,
  sentMs: 15_000,
  /** 2¹⁹ slots, 4 MiB: almost no published hash is lost before other nodes forget that it was sent. */
  publishedSlotBits: 19,
  /**
   * Allowance for repeats, and the excess that costs the peer one offence. Honest nodes do not repeat, except for the few hashes that lost
   * their slots.
   */
  repeatBytesPerSecond: 256 * KiB,
  repeatBurstBytes: 2 * MiB,
  repeatStepBytes: 128 * KiB,
  /**
   * Bytes charged for a transaction that is verified and then refused, in addition to its size: recovering a sender takes about 60 µs of a
   * thread.
   */
  wasteOverheadBytes: KiB,
  /** Bytes charged for a known transaction that this peer had not sent: it is decoded, hashed and looked up. */
  knownBytes: 64,
  /**
   * Allowance for transactions that are verified and then refused. Beyond it payloads are delayed, not refused, because pools of honest
   * nodes differ.
   */
  wasteBytesPerSecond: MiB,
  wasteBurstBytes: 4 * MiB,
} as const
