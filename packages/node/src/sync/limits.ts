import { certifiedBlockCodec, LIMITS } from '@quoin/protocol'

const KiB = 1024
const MiB = 1024 * KiB

const answerBytesMax = MiB

/** Limits of block sync. */
export const SYNC_LIMITS = {
  /** Blocks per request and per answer. */
  answerBlocksMax: 256,
  /** An answer ends with the block that reaches this size; it has at least one block. */
  answerBytesMax,
  /** It also ends with the block that reaches this number of transactions: each costs the reader an object, however small it is. */
  answerTransactionsMax: LIMITS.blockTransactionsMax,
  /** Therefore no answer is larger than this. */
  responseBytesMax: answerBytesMax + certifiedBlockCodec.bytesMax + 64,
  /** Fetched blocks that wait for execution: if both values are below these limits, the next answer is requested in advance. */
  bufferedBlocksMin: 64,
  bufferedBytesMin: 4 * MiB,
  /** A peer that has not answered within this time is skipped. */
  requestMsMax: 15_000,
  /** Interval at which all peers are asked for their height. */
  statusIntervalMs: 10_000,
  /** Peers whose claims and scores are kept. */
  peersMax: 1_024,
  /** How long a peer is skipped after its first failure in a row; doubled with each further failure. */
  benchMsMin: 2_000,
  benchMsMax: 300_000,
  /** Score of a peer after many good answers, and after a lie. The score halves in each half-life. */
  scoreMax: 16,
  scoreMin: -64,
  scoreHalfLifeMs: 60_000,
} as const
