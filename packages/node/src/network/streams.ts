import type { Connection, Stream, StreamMessageEvent } from '@libp2p/interface'
import { err, ok, type Result } from '@quoin/protocol'
import { FrameDecoder, type FrameFault } from './frames.ts'

export type ReadFault = FrameFault | { readonly code: 'ended' | 'aborted'; readonly message: string }

/** The first frame that arrives on a stream. Leaves the stream open; whoever reads closes or aborts it. */
export function readFrame(stream: Stream, bytesMax: number, signal: AbortSignal): Promise<Result<Uint8Array, ReadFault>> {
  const decoder = new FrameDecoder(bytesMax)
  return new Promise((resolve) => {
    const settle = (result: Result<Uint8Array, ReadFault>) => {
      stream.removeEventListener('message', onMessage)
      stream.removeEventListener('end', onEnd)
      stream.removeEventListener('close', onEnd)
      signal.removeEventListener('abort', onAbort)
      resolve(result)
    }
    const onMessage = (event: StreamMessageEvent) => {
      decoder.push(event.data.subarray())
      const frame = decoder.next()
      if (!frame.ok) settle(frame)
      else if (frame.value !== undefined) settle(ok(frame.value))
    }
    const onEnd = () => settle(err({ code: 'ended', message: 'the peer ended the stream before a whole frame' }))
    const onAbort = () => settle(err({ code: 'aborted', message: String(signal.reason) }))
    if (signal.aborted) return onAbort()
    if (stream.status !== 'open' || stream.readableEnded) return onEnd()
    signal.addEventListener('abort', onAbort)
    stream.addEventListener('end', onEnd)
    stream.addEventListener('close', onEnd)
    // Last, because it releases what arrived before.
    stream.addEventListener('message', onMessage)
  })
}

/**
 * Ends our side of a stream in order, then waits for the peer's; aborts it when that does not happen before the signal. Never rejects:
 * the message that the stream was for has been written or read by now.
 */
export async function finishStream(stream: Stream, signal: AbortSignal): Promise<void> {
  try {
    await stream.close({ signal })
    await closed(stream, signal)
  } catch (failure) {
    // The stream was reset, or the peer did not read in time: either way nothing is left to wait for.
    stream.abort(asError(failure))
  }
}

function closed(stream: Stream, signal: AbortSignal): Promise<void> {
  if (stream.status !== 'open') return Promise.resolve()
  if (signal.aborted) return Promise.reject(asError(signal.reason))
  return new Promise((resolve, reject) => {
    const onClose = () => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }
    const onAbort = () => {
      stream.removeEventListener('close', onClose)
      reject(asError(signal.reason))
    }
    stream.addEventListener('close', onClose, { once: true })
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** Aborts a connection that is still open. Never throws. */
export function abortConnection(connection: Connection, reason: Error): void {
  if (connection.status !== 'open') return
  try {
    connection.abort(reason)
  } catch {
    // yamux 8.0 says goodbye first and throws when the socket takes no more. By now it counts as closed, so that this reaches the socket.
    connection.abort(reason)
  }
}

export const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)))

/** The promise's outcome; undefined when the signal aborts before. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(undefined)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
