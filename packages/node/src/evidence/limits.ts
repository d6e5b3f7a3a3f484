import { LIMITS } from '@quoin/protocol'

/** Limits of the exchange and the reporting of evidence. Each name ends with its unit. */
export const EVIDENCE_LIMITS = {
  /** Pieces of evidence that one key may fill. More would prove nothing new. */
  perKeyCountMax: 8,
  /** Pieces in all: those of the largest set. The piece of the lowest height is dropped first. */
  countMax: 8 * LIMITS.validatorsMax,
  /** Pieces of evidence that a peer may send at once, and each second after that. The others are dropped unread; peers send them again. */
  peerBurstCount: 64,
  peerPerSecondCount: 2,
  /** Pieces that a newly connected peer gets, and that all peers get again. */
  greetingCountMax: 32,
  /** Interval at which peers get what is not on the chain yet, because a message can be lost. */
  resendMs: 60_000,
  /** Interval at which the reporter looks at what is due. */
  reportCheckMs: 1_000,
  /** A node waits for one of so many turns before it reports, so that seldom two nodes report the same. */
  reportTurns: 16,
  reportTurnMs: 2_000,
  /** Wait before a report is sent again; doubled with each attempt, up to the longest. */
  reportRetryMs: 30_000,
  reportRetryMsMax: 3_600_000,
  /** Reports sent for one piece of evidence in the life of a process. */
  reportAttemptsMax: 10,
} as const
