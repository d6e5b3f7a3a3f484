import { createHash, randomBytes } from 'node:crypto'
import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { concatBytes } from '@quoin/protocol'
import { pause } from '../abort.ts'
import type { Clock, Offence } from '../powers.ts'
import { RECALL_KEY_BYTES, Recall } from '../recall.ts'
import type { TokenBucket } from '../token-bucket.ts'
import { encodeVarint, FrameDecoder, varintHeader } from './frames.ts'
import { rpcParts } from './gossip-rpc.ts'
import type { NetworkLimits } from './limits.ts'

export interface GossipSourceOptions {
  readonly stream: Stream
  readonly limits: NetworkLimits
  readonly clock: Pick<Clock, 'after'>
  /** What the peer may still send. */
  readonly budget: TokenBucket
  /** Aborts when the session of the peer ends. */
  readonly signal: AbortSignal
  /** How long nothing of the peer's gossip is read. */
  bannedMs(): number
  /** Resolves when more of the peer's payloads may go into validation, or when it is gone. */
  room(): Promise<void>
  /** The peer sent this payload before, on this stream. gossipsub would drop it unseen. */
  repeated(payload: Uint8Array): void
  offence(offence: Offence, detail: string): void
}

/**
 * The frames of a gossip stream, each with its length in front, one by one: what gossipsub reads instead of the stream itself. Its own reader
 * takes whatever arrives, however much of it waits, and tells nobody when a frame is too large. Here reading stops, and with it the peer, while
 * too many of its payloads are in validation, while it has sent more than it may, and while its gossip is banned.
 */
export async function* gossipFrames(options: GossipSourceOptions): AsyncGenerator<Uint8Array> {
  const { stream, limits, signal, budget, clock } = options
  const decoder = new FrameDecoder(limits.gossipFrameBytesMax, varintHeader)
  const sent = new Recall(randomBytes(RECALL_KEY_BYTES))
  let ended = stream.status !== 'open' || stream.readableEnded
  let wake = () => {}
  const onMessage = (event: StreamMessageEvent) => {
    decoder.push(event.data.subarray())
    if (stream.status === 'open') stream.pause()
    wake()
  }
  const onEnd = () => {
    ended = true
    wake()
  }
  stream.addEventListener('end', onEnd)
  stream.addEventListener('close', onEnd)
  stream.addEventListener('message', onMessage)
  try {
    for (;;) {
      // Whatever waits meanwhile waits with the peer.
      for (let ms = options.bannedMs(); ms > 0 && !signal.aborted; ms = options.bannedMs()) await pause(clock, ms, signal)
      const frame = decoder.next()
      if (!frame.ok) return options.offence('oversized', `gossip: ${frame.error.message}`)
      if (frame.value !== undefined) {
        const isNew = takeFrame(options, frame.value, sent)
        await options.room()
        if (budget.waitMs > 0) await pause(clock, budget.waitMs, signal)
        if (isNew) yield concatBytes(encodeVarint(frame.value.length), frame.value)
      } else if (ended) {
        return
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
          if (stream.status === 'open') stream.resume()
        })
      }
    }
  } finally {
    stream.removeEventListener('message', onMessage)
    stream.removeEventListener('end', onEnd)
    stream.removeEventListener('close', onEnd)
    stream.abort(new Error('gossip stream is over'))
  }
}

/** Charges a frame to the peer, and takes out what it repeats. Says whether anything is left that gossipsub should see. */
function takeFrame({ limits, budget, repeated, offence }: GossipSourceOptions, frame: Uint8Array, sent: Recall): boolean {
  const parts = rpcParts(frame, limits.gossipFrameMessagesMax)
  budget.take(frame.length + limits.gossipReadOverheadBytes * Math.max(1, parts?.payloads.length ?? 1))
  if (parts === undefined) {
    offence('malformed', 'gossip that is no RPC, or has too many messages')
    return false
  }
  let isNew = parts.hasControl
  for (const payload of parts.payloads) {
    if (sent.note(createHash('sha256').update(payload).digest())) repeated(payload)
    else isNew = true
  }
  return isNew
}
