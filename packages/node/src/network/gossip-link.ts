import type { Stream } from '@libp2p/interface'
import { pause } from '../abort.ts'
import type { Clock } from '../powers.ts'
import { redialMs } from './backoff.ts'
import type { NetworkCounters } from './counters.ts'
import { GossipOutbox } from './gossip-outbox.ts'
import type { NetworkLimits } from './limits.ts'

export interface GossipLinkOptions {
  readonly limits: NetworkLimits
  readonly counters: NetworkCounters
  readonly clock: Pick<Clock, 'after' | 'monotonic'>
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number
  /** A new stream to the peer; undefined when it takes none now. */
  readonly open: () => Promise<Stream | undefined>
  /** What the peer must hear first on each stream but the first, whose user says it: a frame. */
  readonly hello: Uint8Array
  /** Aborts when the session of the peer ends. */
  readonly signal: AbortSignal
}

/**
 * What gossip goes out on, as long as a session: one stream to gossipsub, and beneath it one after another. A stream that the peer resets takes with it what
 * was on the wire, not the session: votes have their own. The next one is opened after a pause that grows while streams do not last.
 */
export class GossipLink {
  readonly #options: GossipLinkOptions
  readonly #outbox: GossipOutbox

  constructor(options: GossipLinkOptions) {
    this.#options = options
    this.#outbox = new GossipOutbox(options.limits, options.counters)
  }

  /** Until the session ends. `ready` is given what gossipsub writes to, once there is a stream. Never rejects. */
  async run(ready: (stream: Stream) => Promise<void>): Promise<void> {
    const { open, signal, limits, clock, random, hello } = this.#options
    let view: Stream | undefined
    let failures = 0
    while (!signal.aborted) {
      const stream = await open()
      const openedMs = clock.monotonic()
      if (stream !== undefined && !signal.aborted) {
        this.#outbox.attach(stream, view === undefined ? undefined : hello)
        if (view === undefined) {
          view = this.#outbox.viewOf(stream.protocol)
          await ready(view)
        }
        await closed(stream, signal)
      }
      failures = stream !== undefined && clock.monotonic() - openedMs >= limits.redialMsMax ? 1 : failures + 1
      if (!signal.aborted) await pause(clock, redialMs(failures, random(), limits), signal)
    }
    this.#outbox.close()
  }
}

/** Resolves when the stream is closed, whoever did it, or when the signal is aborted. */
function closed(stream: Stream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.removeEventListener('close', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    stream.addEventListener('close', done)
    signal.addEventListener('abort', done)
    if (stream.status !== 'open' || signal.aborted) done()
  })
}
