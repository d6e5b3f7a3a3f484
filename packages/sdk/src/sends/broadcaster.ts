import { backoffMs } from '../backoff.ts'
import { Bell } from './bell.ts'
import type { KeyReader } from './chain.ts'
import type { Entry } from './entry.ts'
import { type Flight, RETRY_MS, RETRY_MS_MAX } from './flight.ts'
import { type Outcome, outcomeOf } from './refusal.ts'
import { type Event, outgoing, transition } from './transition.ts'

/** Nodes may forget what they accepted: it is sent again after a while. The pause doubles. */
const RESEND_MS = 3_000
const RESEND_MS_MAX = 30_000

/** Sends signed transactions, byte for byte, until somebody takes them out of `flights`. */
export class Broadcaster {
  readonly #flights: ReadonlyMap<string, Flight>
  readonly #reader: KeyReader
  readonly #entry: (id: string) => Entry | undefined
  readonly #refused: () => void
  readonly #bell = new Bell()

  /** @param refused called when a transaction was refused for good, so that its nonce needs another one */
  constructor(
    flights: ReadonlyMap<string, Flight>,
    reader: KeyReader,
    entry: (id: string) => Entry | undefined,
    refused: () => void,
  ) {
    this.#flights = flights
    this.#reader = reader
    this.#entry = entry
    this.#refused = refused
  }

  /** There is something to send now. */
  ring(): void {
    this.#bell.ring()
  }

  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const now = performance.now()
      let nextMs: number | undefined
      for (const flight of [...this.#flights.values()].sort((a, b) => a.live.record.nonce - b.live.record.nonce)) {
        if (flight.isSending || flight.dueMs === undefined) continue
        if (flight.dueMs <= now) void this.#send(flight)
        else nextMs = Math.min(nextMs ?? flight.dueMs, flight.dueMs)
      }
      await this.#bell.wait(nextMs === undefined ? undefined : Math.max(1, nextMs - now), stop)
    }
  }

  /** One attempt. Never rejects. */
  async #send(flight: Flight): Promise<void> {
    const transaction = outgoing(flight.live)
    if (transaction === undefined) {
      flight.dueMs = undefined
      return
    }
    flight.isSending = true
    step(flight, { kind: 'leave' })
    let waitMs: number
    try {
      await this.#reader.send(transaction.raw)
      waitMs = accepted(flight)
    } catch (failure) {
      waitMs = failed(flight, outcomeOf(failure))
    }
    flight.isSending = false
    flight.dueMs = performance.now() + waitMs
    const { record } = flight.live
    if (flight.live.isOut && this.#flights.get(record.id) === flight) {
      this.#entry(record.id)?.tell({ status: 'sent', hash: record.hash })
    }
    this.#bell.ring()
    if (outgoing(flight.live) === undefined) this.#refused()
  }
}

function accepted(flight: Flight): number {
  step(flight, { kind: 'accepted' })
  flight.failures = 0
  return Math.min(RESEND_MS * 2 ** Math.min(flight.acceptances++, 10), RESEND_MS_MAX)
}

function failed(flight: Flight, outcome: Outcome): number {
  if (outcome.kind === 'known') return accepted(flight)
  if (outcome.kind === 'refused') step(flight, outcome)
  else step(flight, { kind: outcome.kind === 'unknown' ? 'unknown' : 'postponed' })
  // A used nonce is the business of the next look at the chain.
  return outcome.kind === 'used' ? RESEND_MS : backoffMs(flight.failures++, RETRY_MS, RETRY_MS_MAX)
}

function step(flight: Flight, event: Event): void {
  const next = transition(flight.live, event)
  if ('isOut' in next) flight.live = next
}
