import type { Connection, Stream, StreamMessageEvent } from '@libp2p/interface'
import { err, ok, type Result } from '@quoin/protocol'
import { FrameDecoder, type FrameFault } from './frames.ts'

export type ReadFault = FrameFault | { readonly code: 'ended' | 'aborted'; readonly message: string }

/** The bytes of a message in the pieces in which they arrived: `subarray` would join them. */
export const chunksOf = (data: StreamMessageEvent['data']): Iterable<Uint8Array> => (data instanceof Uint8Array ? [data] : data)

/** Reads the first frame of a stream. Leaves the stream open; the caller closes or aborts it. */
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
      for (const chunk of chunksOf(event.data)) decoder.push(chunk)
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
    // Added last, because adding it delivers the data that is already buffered.
    stream.addEventListener('message', onMessage)
  })
}

/**
 * Closes our side of a stream cleanly, then waits for the peer to close its side; aborts the stream if that does not happen before the
 * signal. Never rejects: by now the message of the stream was written or read.
 */
export async function finishStream(stream: Stream, signal: AbortSignal): Promise<void> {
  try {
    await stream.close({ signal })
    await closed(stream, signal)
  } catch (failure) {
    // The stream was reset, or the peer did not read in time: nothing is left to wait for.
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
    // yamux 8.0 sends a goodbye first and throws if the socket takes no more data. After that it counts as closed, so the second call
    // reaches the socket.
    connection.abort(reason)
  }
}

/** The thrown value as an Error. */
export const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)))

/** The result of the promise; undefined if the signal aborts first. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(undefined)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
