import type { RpcBackend } from '../backend.ts'
import { CallGivenUp } from '../call.ts'
import type { CallContext } from '../method.ts'
import { type Batch, batchText, makeBatch } from './batch.ts'
import type { Position } from './position.ts'
import type { StreamStart } from './request.ts'
import { type StreamSource, viewOf } from './source.ts'
import { positionOfStart } from './start.ts'

/** What `quoin_getStream` asks for. */
export interface Poll {
  readonly source: StreamSource
  readonly start: StreamStart
  readonly waitMs: number
  /** Most items of the batch. 0: only the position of the start, at once. */
  readonly itemsMax: number
}

/**
 * The next batch from a start: at once if old blocks have items, otherwise when a new block has some, and at the latest after `waitMs` an
 * empty one. Returns the members of its JSON object. Rejects if the call is abandoned.
 */
export async function pollStream(backend: RpcBackend, poll: Poll, call: CallContext): Promise<string> {
  const { source, start, itemsMax } = poll
  for (;;) {
    const { streams, texts, genesis } = call.shared
    const { epoch } = streams
    const from = await positionOfStart(backend, start, source.unit, call)
    const text =
      itemsMax === 0
        ? batchText(genesis(), viewOf(backend, texts), from, source.unit, [])
        : (await batchAfter(backend, poll, from, call)).text
    // A development chain was rewound in the meantime: what was read may be discarded.
    if (epoch === streams.epoch) return text
  }
}

async function batchAfter(
  backend: RpcBackend,
  { source, waitMs, itemsMax }: Poll,
  from: Position,
  call: CallContext,
): Promise<Batch> {
  const { shared } = call
  const limits = { ...call.limits, streamItemsMax: itemsMax }
  const { heads, streams, texts, clock } = shared
  const { epoch } = streams
  const beganMs = clock.monotonic()
  // Even a client that does not wait gets further through old blocks with each call.
  const searchEndMs = beganMs + Math.max(waitMs, limits.streamSearchMs)
  for (let position = from; ; ) {
    const view = viewOf(backend, texts)
    const isOver = (): boolean => clock.monotonic() >= searchEndMs
    const batch = await makeBatch({ ...{ genesis: shared.genesis(), view, source, from: position, limits, isOver }, turn: call })
    if (batch.count > 0 || (batch.next.height <= batch.head && isOver())) return batch
    position = batch.next
    const leftMs = beganMs + waitMs - clock.monotonic()
    const isNews = (): boolean => backend.blocks.head.header.number >= position.height || epoch !== streams.epoch
    const hasMoved = await heads.until(isNews, leftMs, call.signal)
    if (call.signal.aborted) throw new CallGivenUp()
    if (!hasMoved || epoch !== streams.epoch) return batch
  }
}
