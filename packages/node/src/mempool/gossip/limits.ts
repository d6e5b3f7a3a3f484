const KiB = 1024
const MiB = 1024 * KiB

/** Every bound of the gossip of transactions. Units stand last. */
export const GOSSIP_LIMITS = {
  /** The first transaction after a pause leaves at once; later ones wait this long so that they can be batched. */
  coalesceMs: 40,
  /** A payload is sent as soon as it has grown to this. With one more transaction it still fits the network's payload limit. */
  payloadBytesMin: 128 * KiB,
  payloadTransactionsMax: 2_048,
  /** What one peer's payload gets before the next peer's has its turn. At least one transaction. */
  sliceTransactionsMax: 32,
  sliceBytesMax: 32 * KiB,
  /** What all peers together get in one turn of the event loop: some milliseconds at most. */
  turnTransactionsMax: 256,
  turnBytesMax: 256 * KiB,
  /** Transactions of one peer that the pool is verifying; its next ones wait. */
  verifyingPerPeerMax: 1_024,
  /** What a transaction that the sender has sent before counts besides its bytes. */
  repeatOverheadBytes: 256,
  /**
   * A transaction that this node published is not published again for so long (less than twice as long), and one that a peer sent is known as sent for so
   * long (less than twice as long). So what an honest node publishes again is no repeat to others any more.
   */
  publishedMs: 60_000,
  sentMs: 15_000,
  /** 2¹⁹ slots, 4 MiB: of what is published hardly anything is forgotten before others forget that it was sent. */
  publishedSlotBits: 19,
  /** What a peer may repeat, and at what it is scored each time. No honest node repeats, but for the few hashes that lost their slots. */
  repeatBytesPerSecond: 256 * KiB,
  repeatBurstBytes: 2 * MiB,
  repeatStepBytes: 128 * KiB,
  /** What a transaction that was verified in vain counts besides its bytes: recovering a sender takes some 60 µs of a thread. */
  wasteOverheadBytes: KiB,
  /** What a transaction counts there that was known, though not from this peer: it is decoded, hashed and looked up. */
  knownBytes: 64,
  /** What a peer may have verified in vain. Beyond it its payloads are late, not refused: pools of honest nodes differ. */
  wasteBytesPerSecond: MiB,
  wasteBurstBytes: 4 * MiB,
} as const
