import { createHash, randomBytes } from 'node:crypto'
import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { pause } from '../abort.ts'
import type { Clock, Offence } from '../powers.ts'
import { RECALL_KEY_BYTES, Recall } from '../recall.ts'
import type { TokenBucket } from '../token-bucket.ts'
import { encodeVarint, FrameDecoder, varintHeader } from './frames.ts'
import { rpcParts } from './gossip-rpc.ts'
import type { NetworkLimits } from './limits.ts'
import { chunksOf } from './streams.ts'

export interface GossipSourceOptions {
  readonly stream: Stream
  readonly limits: NetworkLimits
  readonly clock: Pick<Clock, 'after'>
  /** Bytes that the peer may still send. */
  readonly budget: TokenBucket
  /** Aborted when the session of the peer ends. */
  readonly signal: AbortSignal
  /** Remaining time in ms during which the peer's gossip is not read. */
  bannedMs(): number
  /** Resolves when more payloads of the peer may go into validation, or when the peer is gone. */
  room(): Promise<void>
  /** The peer sent this payload before on this stream. gossipsub would drop it silently. */
  repeated(payload: Uint8Array): void
  offence(offence: Offence, detail: string): void
}

/**
 * Yields the frames of a gossip stream one by one, each after its length prefix. gossipsub reads these instead of the stream: its own reader
 * buffers everything that arrives, and does not report frames that are too large. Here reading stops, which also stops the peer, while too
 * many of its payloads are in validation, while it has sent more than its budget, and while its gossip is banned.
 */
export async function* gossipFrames(options: GossipSourceOptions): AsyncGenerator<Uint8Array> {
  const { stream, limits, signal, budget, clock } = options
  const decoder = new FrameDecoder(limits.gossipFrameBytesMax, varintHeader)
  const sent = new Recall(randomBytes(RECALL_KEY_BYTES))
  let ended = stream.status !== 'open' || stream.readableEnded
  let wake = () => {}
  const onMessage = (event: StreamMessageEvent) => {
    for (const chunk of chunksOf(event.data)) decoder.push(chunk)
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
      // Unread data stays with the peer.
      for (let ms = options.bannedMs(); ms > 0 && !signal.aborted; ms = options.bannedMs()) await pause(clock, ms, signal)
      const frame = decoder.next()
      if (!frame.ok) return options.offence('oversized', `gossip: ${frame.error.message}`)
      if (frame.value !== undefined) {
        const isNew = takeFrame(options, frame.value, sent)
        await options.room()
        if (budget.waitMs > 0) await pause(clock, budget.waitMs, signal)
        if (!isNew) continue
        // In two chunks: joining them would copy the frame.
        yield encodeVarint(frame.value.length)
        yield frame.value
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

/** Charges a frame to the peer's budget, and handles repeated payloads. Returns whether gossipsub needs to see the frame. */
function takeFrame({ limits, budget, repeated, offence }: GossipSourceOptions, frame: Uint8Array, sent: Recall): boolean {
  const parts = rpcParts(frame, limits.gossipFrameMessagesMax)
  budget.take(frame.length + limits.gossipReadOverheadBytes * Math.max(1, parts?.payloads.length ?? 1))
  if (parts === undefined) {
    offence('malformed', 'gossip frame is not a valid RPC, or contains too many messages')
    return false
  }
  let isNew = parts.hasControl
  for (const payload of parts.payloads) {
    if (sent.note(createHash('sha256').update(payload).digest())) repeated(payload)
    else isNew = true
  }
  return isNew
}
