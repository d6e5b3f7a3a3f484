import { err, ok, type Result } from '@quoin/protocol'
import { linkDeadline } from './abort.ts'
import { type Clock, type PeerId, type Transport, TransportError } from './powers.ts'

export interface AskPowers {
  readonly transport: Pick<Transport, 'request'>
  readonly clock: Pick<Clock, 'after'>
}

/** Asks a peer, which has `ms` to answer. A peer that gives no answer is no surprise, and a value; everything else throws. */
export async function ask(
  { transport, clock }: AskPowers,
  peer: PeerId,
  question: Uint8Array,
  ms: number,
  signal: AbortSignal,
): Promise<Result<Uint8Array, TransportError>> {
  const link = linkDeadline(ms, [signal], clock)
  try {
    return ok(await transport.request(peer, question, link.signal))
  } catch (error) {
    if (error instanceof TransportError) return err(error)
    throw error
  } finally {
    link.unlink()
  }
}
