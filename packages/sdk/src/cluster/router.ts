import { RpcRequestError } from 'viem'
import { follow, pause } from '../aborts.ts'
import {
  BehindError,
  ConnectionError,
  firstLine,
  isObject,
  type NodeFailure,
  NodesFailedError,
  refusalOf,
  toError,
} from '../errors.ts'
import { firstAnswer, type Outcome } from './attempts.ts'
import { heightAskedFor, kindOf, verdictOf } from './failover.ts'
import type { ClusterNode } from './node-state.ts'
import { heightIn, quantity, type Session } from './session.ts'
import type { Order } from './strategy.ts'

export interface Request {
  readonly method: string
  readonly params?: unknown
}

export interface RouterOptions {
  readonly nodes: readonly ClusterNode[]
  readonly session: Session
  readonly order: Order
  /** For one node's answer, in ms. */
  readonly timeoutMs: number
  readonly hedgeMs: number | undefined
  /** How often all nodes are asked again after none has answered. */
  readonly retryCount: number
  /** Before they are asked again, in ms. */
  readonly retryDelayMs: number
}

/** What a node said, before it is judged. */
interface Answer {
  readonly node: ClusterNode
  readonly result: unknown
}

/** Sends each request to a node, and to others when that one fails. */
export class Router {
  readonly #options: RouterOptions
  /** Node of each filter that an application made, oldest first. */
  readonly #filters = new Map<string, ClusterNode>()

  constructor(options: RouterOptions) {
    this.#options = options
  }

  /** @throws viem's RpcRequestError if a node refuses and no other would do better; NodesFailedError; BehindError; the reason of the signal */
  async request(request: Request, signal?: AbortSignal): Promise<unknown> {
    const { retryCount, retryDelayMs } = this.#options
    for (let round = 0; ; round += 1) {
      // A height counts from the moment of asking: an answer may be older than one that another request brings meanwhile.
      const minHeight = this.#options.session.minHeight
      const outcome = await this.#round(request, minHeight, signal)
      if (outcome.ok) return this.#shown(request, outcome.value, minHeight)
      if (kindOf(request.method) === 'use-filter') throw this.#filterLost(request, outcome.failures)
      if (round >= retryCount || !this.#mayRepeat(request.method)) throw failureOf(request.method, minHeight, outcome.failures)
      await pause(retryDelayMs, signal)
    }
  }

  /** The nodes in the order in which to ask them: the strategy decides among those that are fit, and the others come last. */
  candidates(method: string): readonly ClusterNode[] {
    const { nodes, order } = this.#options
    const unfitness = (node: ClusterNode): number =>
      (node.breaker === 'closed' ? 0 : 4) + (node.isResting ? 2 : 0) + (node.isBehind ? 1 : 0)
    return [...order(nodes, { method })].sort((a, b) => unfitness(a) - unfitness(b))
  }

  #mayRepeat(method: string): boolean {
    const kind = kindOf(method)
    return kind === 'read' || kind === 'send' || kind === 'make-filter'
  }

  #round(request: Request, minHeight: number | undefined, signal: AbortSignal | undefined): Promise<Outcome<Answer>> {
    const { method, params } = request
    const kind = kindOf(method)
    const all = kind === 'use-filter' ? this.#nodeOfFilter(params) : this.candidates(method)
    const nodes = kind === 'once' ? all.slice(0, 1) : all
    // Where every breaker is open, waiting for one to close would refuse what may work.
    const force = nodes.every(({ breaker }) => breaker === 'open')
    return firstAnswer<Answer>({
      nodes,
      signal,
      // A poll of a stream is slow because nothing happens.
      hedgeMs: kind === 'read' && method !== 'quoin_getStream' ? this.#options.hedgeMs : undefined,
      ask: async (node, aborted) => {
        const ask = () => this.#ask(node, request, kind === 'read' && !hasCursor(request) ? minHeight : undefined, aborted)
        return { node, result: await node.run(ask, force) }
      },
      mayGoOn: (error, node) => {
        this.#learn(node, error)
        return this.#judge(error, node, request) === 'next'
      },
    })
  }

  async #ask(
    node: ClusterNode,
    { method, params }: Request,
    minHeight: number | undefined,
    aborted: AbortSignal,
  ): Promise<unknown> {
    const timeoutMs = this.#options.timeoutMs + waitOf(method, params)
    const { signal, abort, unlink } = follow(aborted)
    // Filters stay with their node.
    const stopWaiting = this.#mayRepeat(method) ? node.whenBroken(abort) : undefined
    try {
      const result = await node.connection.request({ method, params, minHeight }, { timeoutMs, signal })
      this.#check(node, { method, params }, result, minHeight)
      return result
    } catch (error) {
      if (verdictOf(toError(error), method, () => false) === 'known') return await hashOf(params)
      if (signal.aborted && !aborted.aborted) throw lost(node)
      throw error
    } finally {
      stopWaiting?.()
      unlink()
    }
  }

  /** Refuses an answer that is older than what the client has seen. Nodes that know `minHeight` do not give one. */
  #check(node: ClusterNode, { method, params }: Request, result: unknown, minHeight: number | undefined): void {
    const height = heightIn(method, result)
    if (height !== undefined) {
      if (!this.#options.session.isCredible(node, height))
        throw new ConnectionError(
          'wrong-height',
          node.url,
          `The node ${node.url} shows block ${height}, which no other node comes near.`,
        )
      node.shows(height)
    }
    if (minHeight === undefined) return
    const wanted = method === 'eth_getBlockByNumber' ? quantity(first(params)) : undefined
    const isOld = height !== undefined && height < minHeight && isAboutHead(method, params)
    const isMissing = result === null && wanted !== undefined && wanted <= minHeight
    if (isOld || isMissing) throw new BehindError(height, minHeight)
  }

  #judge(error: Error, node: ClusterNode, { method, params }: Request): 'next' | 'throw' {
    if (error instanceof BehindError) return 'next'
    const isShown = (): boolean => {
      const asked = heightAskedFor(params)
      return this.#options.nodes.some(
        (other) => other !== node && other.height !== undefined && (asked === undefined || other.height >= asked),
      )
    }
    return verdictOf(error, method, isShown) === 'throw' ? 'throw' : 'next'
  }

  /** What a failure says about the node. */
  #learn(node: ClusterNode, error: Error): void {
    if (error instanceof BehindError) node.rest(BEHIND_REST_MS)
    const refusal = refusalOf(error)
    if (refusal === undefined || typeof refusal.data !== 'object' || refusal.data === null) return
    const { height, retryAfterMs } = refusal.data as { readonly height?: unknown; readonly retryAfterMs?: unknown }
    const shown = typeof height === 'number' ? height : quantity(height)
    if (shown !== undefined && shown >= 0 && Number.isSafeInteger(shown)) node.shows(shown)
    if (refusal.reason === 'behind') node.rest(BEHIND_REST_MS)
    if (typeof retryAfterMs === 'number' && retryAfterMs > 0) node.rest(Math.min(retryAfterMs, REST_MS_MAX))
  }

  /** The answer as the application gets it. */
  #shown({ method, params }: Request, { node, result }: Answer, minHeight: number | undefined): unknown {
    const { session } = this.#options
    if (kindOf(method) === 'make-filter' && typeof result === 'string') this.#keepFilter(result, node)
    if (method === 'eth_uninstallFilter') this.#filters.delete(String(first(params)))
    const height = heightIn(method, result)
    if (height === undefined) return result
    session.saw(node, height)
    // Two requests at a time: the later answer must not be the lower one.
    const seen = session.minHeight ?? height
    return method === 'eth_blockNumber' && minHeight !== undefined && seen > height ? `0x${seen.toString(16)}` : result
  }

  #keepFilter(id: string, node: ClusterNode): void {
    this.#filters.set(id, node)
    const oldest = this.#filters.keys().next()
    if (this.#filters.size > FILTERS_MAX && oldest.done !== true) this.#filters.delete(oldest.value)
  }

  /**
   * An answer that did not arrive may have had items, which the filter will not give again. With this code viem's watch actions report an error, and
   * make a new filter, at another node.
   */
  #filterLost(body: Request, failures: readonly NodeFailure[]): Error {
    const one = failures[0]!
    this.#filters.delete(String(first(body.params)))
    const data = { reason: 'filter-not-found', scope: 'node' }
    const message = `filter not found: the node that made it does not answer (${firstLine(one.error)})`
    return new RpcRequestError({ body: { ...body }, url: one.url, error: { code: -32000, message, data } })
  }

  /** A filter that this cluster did not make is looked for where any request would go. */
  #nodeOfFilter(params: unknown): readonly ClusterNode[] {
    const node = this.#filters.get(String(first(params)))
    return node === undefined ? this.candidates('eth_getFilterChanges').slice(0, 1) : [node]
  }
}

/** Filters whose node is remembered: a node ends a filter that is not read for five minutes anyway. */
const FILTERS_MAX = 1_000

/** Longest time that a node is avoided because it asked for it, in ms. */
const REST_MS_MAX = 30_000

/** Time that a node is avoided because it had not caught up, in ms: about a block. */
const BEHIND_REST_MS = 1_000

/** Longest wait of `eth_sendRawTransactionSync` that extends the time limit, in ms. */
const WAIT_MS_MAX = 60_000

const first = (params: unknown): unknown => (Array.isArray(params) ? (params[0] as unknown) : undefined)

/** How long a node may wait before it answers (EIP-7966), in ms. */
function waitOf(method: string, params: unknown): number {
  const wait = method === 'eth_sendRawTransactionSync' && Array.isArray(params) ? Number(params[1] ?? 0) : 0
  return Number.isSafeInteger(wait) && wait > 0 ? Math.min(wait, WAIT_MS_MAX) : 0
}

/**
 * Whether a request names where it continues: a node that is behind the cursor says so by itself. So a node that claims too high a head, which reads wait
 * for, does not hold streams.
 */
function hasCursor({ method, params }: Request): boolean {
  const asked = method === 'quoin_getStream' ? first(params) : undefined
  const from = isObject(asked) ? asked['from'] : undefined
  return isObject(from) && typeof from['cursor'] === 'string'
}

/** Whether the answer is the head, so that a lower one than before takes something back. */
const isAboutHead = (method: string, params: unknown): boolean =>
  method === 'eth_blockNumber' ||
  (method === 'eth_getBlockByNumber' && ['latest', 'safe', 'finalized'].includes(String(first(params))))

/** A node that has the transaction already does not say its hash. */
async function hashOf(params: unknown): Promise<unknown> {
  const { transactionHash } = await import('./transaction-hash.ts')
  return transactionHash(first(params) as `0x${string}`)
}

const lost = (node: ClusterNode): ConnectionError =>
  new ConnectionError('lost', node.url, `The node ${node.url} stopped answering.`)

/**
 * One error for all nodes. If all gave the same answer, that is the answer: viem makes an error of its own from it, and a caller need not look behind
 * the cluster.
 */
function failureOf(method: string, minHeight: number | undefined, failures: readonly NodeFailure[]): Error {
  const [one] = failures
  if (one === undefined) return new NodesFailedError(method, failures)
  const refusals = failures.map(({ error }) => refusalOf(error))
  if (failures.every(({ error }, i) => error instanceof BehindError || refusals[i]?.reason === 'behind')) {
    const heights = failures.flatMap(({ error }, i) => heightOf(error, refusals[i]?.data) ?? [])
    return new BehindError(heights.length === 0 ? undefined : Math.max(...heights), minHeight ?? 0, failures)
  }
  const code = codeOf(one.error)
  const isOneAnswer =
    code !== undefined && failures.every(({ error }, i) => codeOf(error) === code && refusals[i]?.reason === refusals[0]?.reason)
  return isOneAnswer ? one.error : new NodesFailedError(method, failures)
}

function heightOf(error: Error, data: unknown): number | undefined {
  if (error instanceof BehindError) return error.height
  const { height } = { ...(data as { readonly height?: unknown }) }
  return typeof height === 'number' ? height : quantity(height)
}

const codeOf = (error: Error): number | undefined =>
  error.name === 'RpcRequestError' ? (error as unknown as { readonly code: number }).code : undefined
