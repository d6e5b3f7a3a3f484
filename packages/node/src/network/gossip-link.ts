import type { Stream } from '@libp2p/interface'
import { pause } from '../abort.ts'
import type { Clock } from '../powers.ts'
import type { NetworkCounters } from './counters.ts'
import { GossipOutbox } from './gossip-outbox.ts'
import type { NetworkLimits } from './limits.ts'
import { redialMs } from './redial.ts'

export interface GossipLinkOptions {
  readonly limits: NetworkLimits
  readonly counters: NetworkCounters
  readonly clock: Pick<Clock, 'after' | 'monotonic'>
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number
  /** Opens a new stream to the peer; undefined if the peer accepts none now. */
  readonly open: () => Promise<Stream | undefined>
  /** Frame that must be sent first on every stream but the first. On the first stream, its user sends it. */
  readonly hello: Uint8Array
  /** Aborted when the session of the peer ends. */
  readonly signal: AbortSignal
}

/**
 * Outgoing gossip of a session: gossipsub sees one stream, which is backed by a sequence of real ones. When the peer resets a stream, the
 * data on the wire is lost, but the session stays: votes have their own stream. The next stream is opened after a pause, which grows while
 * streams do not last.
 */
export class GossipLink {
  readonly #options: GossipLinkOptions
  readonly #outbox: GossipOutbox

  constructor(options: GossipLinkOptions) {
    this.#options = options
    this.#outbox = new GossipOutbox(options.limits, options.counters)
  }

  /** Runs until the session ends. Calls `ready` with the stream for gossipsub once the first real stream is open. Never rejects. */
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

/** Resolves when the stream is closed, by either side, or when the signal is aborted. */
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
