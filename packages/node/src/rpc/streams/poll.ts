import type { RpcBackend } from '../backend.ts'
import { CallGivenUp } from '../call.ts'
import type { CallContext } from '../method.ts'
import { type Batch, makeBatch } from './batch.ts'
import type { Position } from './position.ts'
import type { StreamStart } from './request.ts'
import { type StreamSource, viewOf } from './source.ts'
import { positionOfStart } from './start.ts'

/**
 * The next batch from a start: at once if old blocks have items, otherwise when a new block has some, and at the latest after `waitMs` an
 * empty one. Rejects if the call is abandoned.
 */
export async function pollStream(
  backend: RpcBackend,
  { source, start, waitMs }: { readonly source: StreamSource; readonly start: StreamStart; readonly waitMs: number },
  call: CallContext,
): Promise<Batch> {
  for (;;) {
    const { epoch } = call.shared.streams
    const batch = await batchAfter(backend, source, await positionOfStart(backend, start, source.unit, call), waitMs, call)
    // A development chain was rewound in the meantime: what was read may be discarded.
    if (epoch === call.shared.streams.epoch) return batch
  }
}

async function batchAfter(
  backend: RpcBackend,
  source: StreamSource,
  from: Position,
  waitMs: number,
  call: CallContext,
): Promise<Batch> {
  const { limits, shared } = call
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
