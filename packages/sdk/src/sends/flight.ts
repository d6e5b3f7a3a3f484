import type { Live } from './transition.ts'

/** After a failed attempt; doubled with each one in a row. */
export const RETRY_MS = 200
export const RETRY_MS_MAX = 5_000

/** A signed send at work. */
export class Flight {
  live: Live
  /** Its record in the store. */
  text: string
  isSending = false
  /** When this owner got it, on the monotonic clock. */
  readonly takenMs = performance.now()
  /** When to send next, on the monotonic clock. Undefined: not before it is told. */
  dueMs: number | undefined = 0
  acceptances = 0
  /** Failed attempts in a row. */
  failures = 0
  /** Looks that found the nonce used but no receipt, and the first of them. */
  misses = 0
  missedMs = 0

  constructor(live: Live, text: string) {
    this.live = live
    this.text = text
  }

  sendNow(): void {
    this.acceptances = 0
    this.failures = 0
    this.dueMs = 0
  }
}
