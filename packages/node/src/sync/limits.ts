import { certifiedBlockCodec, LIMITS } from '@quoin/protocol'

const KiB = 1024
const MiB = 1024 * KiB

const answerBytesMax = MiB

/** Every bound of block sync. */
export const SYNC_LIMITS = {
  /** Blocks asked for, and given, at once. */
  answerBlocksMax: 256,
  /** An answer ends with the block that brings it to this size; it has one block at least. */
  answerBytesMax,
  /** It ends with the block that brings it to so many transactions, too: each costs its reader an object, however short it is. */
  answerTransactionsMax: LIMITS.blockTransactionsMax,
  /** So that no answer is larger than this. */
  responseBytesMax: answerBytesMax + certifiedBlockCodec.bytesMax + 64,
  /** Fetched blocks that wait for their execution: below both of these, the next answer is asked for ahead of time. */
  bufferedBlocksMin: 64,
  bufferedBytesMin: 4 * MiB,
  /** A peer that has not answered by then is passed over. */
  requestMsMax: 15_000,
  /** How often all peers are asked how far they are. */
  statusIntervalMs: 10_000,
  /** Peers of which claims and scores are kept. */
  peersMax: 1_024,
  /** How long a peer is passed over after its first failure in a row; doubled with each further one. */
  benchMsMin: 2_000,
  benchMsMax: 300_000,
  /** Score of a peer after many good answers, and after a lie; halved in each half-life. */
  scoreMax: 16,
  scoreMin: -64,
  scoreHalfLifeMs: 60_000,
} as const
