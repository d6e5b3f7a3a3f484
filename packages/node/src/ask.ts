import { err, ok, type Result } from '@quoin/protocol'
import { linkDeadline } from './abort.ts'
import { type Clock, type PeerId, type Transport, TransportError } from './powers.ts'

export interface AskPowers {
  readonly transport: Pick<Transport, 'request'>
  readonly clock: Pick<Clock, 'after'>
}

/**
 * Sends a request to a peer.
 *
 * @param ms - Timeout for the answer.
 * @returns The answer, or the TransportError of a peer that does not answer. Any other error is thrown.
 */
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
