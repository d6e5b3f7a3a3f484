import { createTransport, type EIP1193RequestFn, type PublicRpcSchema, type Transport, type WalletRpcSchema } from 'viem'
import { ConnectionError, NodesFailedError, NotThroughClusterError, QuoinError, toError } from '../errors.ts'
import { connect } from '../rpc/connect.ts'
import type { NodeConnection, SubscriptionListener } from '../rpc/connection.ts'
import type { WebSocketClass } from '../rpc/web-socket.ts'
import { inBackground } from './background.ts'
import type { Discovery, DiscoveryStatus, RunningDiscovery } from './discovery.ts'
import { HealthChecks } from './health.ts'
import { ClusterNode, type NodeStatus } from './node-state.ts'
import { Router } from './router.ts'
import { quantity, Session } from './session.ts'
import { orderOf, type Strategy } from './strategy.ts'

/** A node of the cluster, where a URL alone does not say enough. */
export interface NodeOptions {
  /** `http:`, `https:`, `ws:` or `wss:`. */
  readonly url: string
  /** Share of the requests under the strategy `weighted`; default 1. */
  readonly weight?: number | undefined
  /** Sent with every request over HTTP. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** Options of `cluster`. Times are in ms. */
export interface ClusterOptions {
  /** Which node is asked first; default `fastest`. */
  readonly strategy?: Strategy | undefined
  /** For one node's answer; default 10 s. */
  readonly timeout?: number | undefined
  /** A read that has no answer after so long is sent to another node too, and the first answer counts. Off by default: it doubles the load of slow nodes. */
  readonly hedge?: number | undefined
  /** How often all nodes are asked again after none has answered; default 1. */
  readonly retryCount?: number | undefined
  /** Before they are asked again; default 150 ms. */
  readonly retryDelay?: number | undefined
  /** Every node is asked for its head while the cluster is in use. Default: every 2 s, with 2 s for the answer. `false`: never. */
  readonly healthCheck?: { readonly interval?: number | undefined; readonly timeout?: number | undefined } | false | undefined
  /** After so many failures in a row (2) a node is not asked for a while (2 s). */
  readonly breaker?: { readonly failures?: number | undefined; readonly rest?: number | undefined } | undefined
  /** Without a request for so long, health checks stop and sockets are closed, so that a Node.js process can end; default 5 s. */
  readonly idle?: number | undefined
  /** Finds further nodes while the cluster is in use: `discovery({ read })`. Default: none. */
  readonly discover?: Discovery | undefined
  /** The class of WebSockets; default: the platform's, which Node.js has from version 22. */
  readonly webSocket?: WebSocketClass | undefined
  readonly key?: string | undefined
  readonly name?: string | undefined
}

/** Where a subscription of the cluster goes. */
export interface ClusterSubscription extends Omit<SubscriptionListener, 'onError'> {
  /** As in viem: `['newHeads']`, `['logs', { address, topics }]`, … */
  readonly params: readonly unknown[]
  /** Called once if the node is lost. The subscription is over then: make a new one, which goes to another node. */
  onError?(error: Error): void
}

/** What a client of a cluster has under `client.transport`, beside viem's own. */
export interface ClusterValue {
  /** What is known about each node, in the order of the options; discovered ones follow. */
  nodes(): readonly NodeStatus[]
  /** What `discover` found; undefined without it. */
  discovery(): DiscoveryStatus | undefined
  /** Highest block that this client has seen; no answer is older. Undefined before the first. */
  minHeight(): number | undefined
  /** Subscribes at one node that is reached over WebSocket. An item may be lost when the node is, and `onError` says so. */
  subscribe(subscription: ClusterSubscription): Promise<{ readonly subscriptionId: string; unsubscribe(): Promise<void> }>
  /** Stops health checks and closes sockets now, for good. What waits is rejected. */
  close(): void
}

/** The transport that `cluster` makes. */
export type ClusterTransport = Transport<'cluster', ClusterValue, EIP1193RequestFn<[...PublicRpcSchema, ...WalletRpcSchema]>>

/**
 * A viem transport over several nodes of one chain.
 *
 * Each request goes to one node. When that node fails, is overloaded, or is behind what this client has seen, the next one is asked; what every node
 * would refuse is thrown at once. Each client that is made of it has its own connections and its own memory of the heights it has seen.
 *
 * @param urls at least one node; HTTP and WebSocket may be mixed
 * @throws QuoinError if there is no node, or a URL that is none
 */
export function cluster(urls: readonly (string | NodeOptions)[], options: ClusterOptions = {}): ClusterTransport {
  const configs = urls.map((one) => (typeof one === 'string' ? { url: one } : one))
  if (configs.length === 0) throw new QuoinError('A cluster needs at least one node. Pass its URL.')
  // So that a wrong URL fails here and not with the first request.
  for (const { url } of configs) connect(url).close()
  const { key = 'cluster', name = 'Cluster' } = options
  return () => {
    const running = new Cluster(configs, options)
    const request = (sent: SentRequest, more?: { readonly signal?: AbortSignal | undefined }): Promise<unknown> =>
      running.request(sent, more?.signal)
    const transport = createTransport(
      // The cluster itself decides what is repeated, and where.
      { key, name, type: 'cluster', retryCount: 0, request: request as EIP1193RequestFn },
      {
        nodes: () => running.nodes.map((node) => node.status()),
        discovery: () => running.discovery?.status(),
        minHeight: () => running.session.minHeight,
        subscribe: (subscription) => running.subscribe(subscription),
        close: () => running.close(),
      } satisfies ClusterValue,
    )
    return transport as ReturnType<ClusterTransport>
  }
}

type SentRequest = { readonly method: string; readonly params?: unknown }

/** The nodes of one client, and what keeps them going. */
class Cluster {
  /** The same array for all that look at the nodes. */
  readonly nodes: ClusterNode[]
  readonly session: Session
  readonly discovery: RunningDiscovery | undefined
  readonly #router: Router
  readonly #checks: HealthChecks | undefined
  readonly #idleMs: number
  readonly #timeoutMs: number
  /** Requests and subscriptions that need the nodes now. */
  #users = 0
  #cancelRest: (() => void) | undefined
  #isClosed = false

  constructor(configs: readonly NodeOptions[], options: ClusterOptions) {
    const {
      strategy = 'fastest',
      timeout = 10_000,
      hedge,
      retryCount = 1,
      retryDelay = 150,
      healthCheck = {},
      idle = 5_000,
    } = options
    const { failures = 2, rest = 2_000 } = options.breaker ?? {}
    const { webSocket } = options
    const nodeOf = (connection: NodeConnection, weight: number): ClusterNode =>
      new ClusterNode(connection, weight, { failuresMax: failures, restMs: rest })
    this.nodes = configs.map(({ url, weight = 1, headers }) => nodeOf(connect(url, { headers, webSocket }), weight))
    this.session = new Session(this.nodes)
    this.#idleMs = idle
    this.#timeoutMs = timeout
    this.#router = new Router({
      ...{ nodes: this.nodes, session: this.session, order: orderOf(strategy), timeoutMs: timeout },
      ...{ hedgeMs: hedge, retryCount, retryDelayMs: retryDelay },
    })
    if (healthCheck !== false) {
      const { interval = 2_000, timeout: checkTimeout = 2_000 } = healthCheck
      this.#checks = new HealthChecks(this.nodes, { intervalMs: interval, timeoutMs: checkTimeout })
    }
    this.discovery = options.discover?.({
      ask: (request) => this.#router.request(request),
      connect: (url) => connect(url, { webSocket }),
      has: (url) => this.nodes.some((node) => node.url === url),
      add: (connection) => this.nodes.push(nodeOf(connection, 1)),
      remove: (url) => this.#remove(url),
    })
  }

  async request(request: SentRequest, signal: AbortSignal | undefined): Promise<unknown> {
    if (request.method === 'eth_subscribe' || request.method === 'eth_unsubscribe') throw new NotThroughClusterError(NO_SUBSCRIBE)
    const release = this.#use()
    try {
      return await this.#router.request(request, signal)
    } finally {
      release()
    }
  }

  async subscribe({ params, onData, onError }: ClusterSubscription): ReturnType<ClusterValue['subscribe']> {
    const release = this.#use()
    const failures = []
    for (const node of this.#router.candidates('eth_subscribe')) {
      const { subscribe } = node.connection
      if (subscribe === undefined) continue
      const listener: SubscriptionListener = {
        onData: (data) => {
          this.#sawHead(node, data.result)
          onData(data)
        },
        onError: (error) => {
          release()
          onError?.(error)
        },
      }
      try {
        const { id, unsubscribe } = await node.run(() => subscribe(params, listener, { timeoutMs: this.#timeoutMs }))
        return {
          subscriptionId: id,
          unsubscribe: () => unsubscribe().finally(release),
        }
      } catch (error) {
        failures.push({ url: node.url, error: toError(error) })
      }
    }
    release()
    throw failures.length === 0 ? new NotThroughClusterError(NO_SOCKET_URL) : new NodesFailedError('eth_subscribe', failures)
  }

  close(): void {
    this.#isClosed = true
    this.#cancelRest?.()
    this.#checks?.stop()
    this.discovery?.stop()
    for (const { connection } of this.nodes) connection.close()
  }

  /** What waits for the node is asked elsewhere. */
  #remove(url: string): void {
    const at = this.nodes.findIndex((node) => node.url === url)
    if (at >= 0) for (const { connection } of this.nodes.splice(at, 1)) connection.close()
  }

  /** The nodes are needed until the returned function is called; calling it again has no effect. */
  #use(): () => void {
    if (this.#isClosed) throw new ConnectionError('closed', '', 'The cluster was closed. Make a new client.')
    this.#users += 1
    this.#cancelRest?.()
    this.#checks?.start()
    this.discovery?.start()
    let isReleased = false
    return () => {
      if (isReleased) return
      isReleased = true
      this.#users -= 1
      if (this.#users === 0 && !this.#isClosed) this.#cancelRest = inBackground(this.#idleMs, () => this.#rest())
    }
  }

  #rest(): void {
    this.#checks?.stop()
    this.discovery?.stop()
    for (const { connection } of this.nodes) connection.disconnect()
  }

  #sawHead(node: ClusterNode, item: unknown): void {
    const head = quantity((item as { readonly number?: unknown } | null)?.number)
    if (head === undefined || !this.session.isCredible(node, head)) return
    node.shows(head)
    this.session.saw(node, head)
  }
}

const NO_SUBSCRIBE =
  'A cluster does not send eth_subscribe and eth_unsubscribe: a subscription lives at one node. Use subscribe of the transport, or a watch action, which polls.'

const NO_SOCKET_URL = 'No node of the cluster is reached over WebSocket, so that none can push. Add a ws:// or wss:// URL.'
