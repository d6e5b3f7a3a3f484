import { ResponseBodyTooLargeError, RpcRequestError, TimeoutError } from 'viem'
import { getHttpRpcClient } from 'viem/utils'
import { ConnectionError, isObject, toError } from '../errors.ts'
import { bodyOf, type NodeConnection, RESPONSE_BYTES_MAX, shownUrl } from './connection.ts'

export interface HttpConnectionOptions {
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** The way to a node over HTTP, by viem's own client: it bounds time and size, and keeps a password in the URL out of its errors. */
export function httpConnection(url: string, { headers }: HttpConnectionOptions = {}): NodeConnection {
  const shown = shownUrl(url)
  const client = getHttpRpcClient(url, {
    maxResponseBodySize: RESPONSE_BYTES_MAX,
    ...(headers === undefined ? {} : { fetchOptions: { headers } }),
  })
  const running = new Set<AbortController>()
  let isClosed = false
  return {
    url: shown,
    async request(call, { timeoutMs, signal }) {
      if (isClosed) throw closedError(shown)
      if (signal?.aborted === true) throw toError(signal.reason)
      const body = bodyOf(call)
      const controller = new AbortController()
      const abort = (): void => controller.abort()
      running.add(controller)
      signal?.addEventListener('abort', abort)
      try {
        const answer: unknown = await client.request({ body, timeout: timeoutMs, fetchOptions: { signal: controller.signal } })
        if (!isObject(answer) || (answer['error'] === undefined) === (answer['result'] === undefined))
          throw new ConnectionError('malformed', shown, `The node ${shown} answered ${call.method} with no JSON-RPC response.`)
        if (answer['error'] !== undefined) throw rpcError(answer['error'], body, shown)
        return answer['result']
      } catch (error) {
        if (isClosed) throw closedError(shown)
        if (signal !== undefined && isAborted(signal)) throw toError(signal.reason)
        if (error instanceof TimeoutError) throw timedOut(shown, call.method, timeoutMs)
        if (error instanceof ResponseBodyTooLargeError) throw tooLarge(shown)
        throw error
      } finally {
        running.delete(controller)
        signal?.removeEventListener('abort', abort)
      }
    },
    // The platform keeps idle HTTP connections, and ends them itself.
    disconnect: () => undefined,
    close() {
      isClosed = true
      for (const controller of running) controller.abort()
    },
  }
}

/** TypeScript takes a signal that was not aborted for one that never will be. */
const isAborted = (signal: AbortSignal): boolean => signal.aborted

export const closedError = (url: string): ConnectionError =>
  new ConnectionError('closed', url, `The connection to ${url} is closed.`)

export const tooLarge = (url: string): ConnectionError =>
  new ConnectionError('too-large', url, `An answer of ${url} is longer than ${RESPONSE_BYTES_MAX} bytes.`)

export const timedOut = (url: string, method: string, timeoutMs: number): ConnectionError =>
  new ConnectionError('timeout', url, `The node ${url} did not answer ${method} within ${timeoutMs} ms.`)

/** A node's refusal as viem throws it, so that viem's own errors are made of it. A malformed one is no refusal. */
export function rpcError(error: unknown, body: { readonly method: string }, url: string): Error {
  if (!isObject(error) || typeof error['code'] !== 'number' || typeof error['message'] !== 'string')
    return new ConnectionError('malformed', url, `The node ${url} answered ${body.method} with an error that has no code.`)
  return new RpcRequestError({ body, error: { code: error['code'], message: error['message'], data: error['data'] }, url })
}
