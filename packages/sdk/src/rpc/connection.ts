/** A request to one node. */
export interface RpcCall {
  readonly method: string
  readonly params?: unknown
  /** The node answers once its head has this height (ADR 25). */
  readonly minHeight?: number | undefined
}

export interface RequestOptions {
  /** In ms, from the call to the whole answer; opening a socket counts. */
  readonly timeoutMs: number
  /** Ends the wait for the answer. The node may have received the request. */
  readonly signal?: AbortSignal | undefined
}

/** Where the items of a subscription go. */
export interface SubscriptionListener {
  /** The `params` of each `eth_subscription`: `subscription` and `result`. */
  onData(params: { readonly subscription: string; readonly result: unknown }): void
  /** Called once if the subscription ends without `unsubscribe`. */
  onError(error: Error): void
}

export interface Subscription {
  readonly id: string
  unsubscribe(): Promise<void>
}

/**
 * The way to one node. Connections are never shared: whoever makes one closes it.
 *
 * `request` resolves to the result. It rejects with viem's `RpcRequestError` if the node refuses, with the signal's reason if it aborts, and
 * otherwise with a `ConnectionError` or viem's HTTP errors.
 */
export interface NodeConnection {
  /** Without user name and password, for people. */
  readonly url: string
  request(call: RpcCall, options: RequestOptions): Promise<unknown>
  /** Undefined if the node is reached over HTTP. */
  readonly subscribe?: (
    params: readonly unknown[],
    listener: SubscriptionListener,
    options: RequestOptions,
  ) => Promise<Subscription>
  /** Closes what is open. The next request opens it again. */
  disconnect(): void
  /** Closes for good: what waits, and every later request, is rejected. */
  close(): void
}

/** Longest answer in bytes: a node's longest is 25 MiB. */
export const RESPONSE_BYTES_MAX = 32 * 1024 * 1024

/** A URL that may be shown: without user name and password. */
export function shownUrl(url: string): string {
  const parsed = new URL(url)
  parsed.username = ''
  parsed.password = ''
  // Never sent, and an empty query is the same as none.
  parsed.hash = ''
  if (parsed.search === '') parsed.search = ''
  // A URL without a path is shown as it was written.
  return parsed.pathname === '/' && parsed.search === '' ? parsed.href.slice(0, -1) : parsed.href
}

/** The members of a request beside `id` and `jsonrpc`. */
export const bodyOf = ({ method, params, minHeight }: RpcCall) => ({
  method,
  ...(params === undefined ? {} : { params }),
  ...(minHeight === undefined ? {} : { minHeight: `0x${minHeight.toString(16)}` }),
})
