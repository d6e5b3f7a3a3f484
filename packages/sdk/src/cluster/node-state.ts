import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel'
import { ConnectionError, firstLine } from '../errors.ts'
import type { NodeConnection } from '../rpc/connection.ts'

/** What an application sees of a node, and what a strategy decides by. */
export interface NodeStatus {
  /** Without user name and password. */
  readonly url: string
  /** From the options; 1 if none was given. */
  readonly weight: number
  /** Highest block that the node has shown; undefined before its first answer with a height. */
  readonly height: number | undefined
  /** How long a small request takes, in ms: a moving average of the health checks. Undefined before the first. */
  readonly latencyMs: number | undefined
  /** Requests that wait for the node's answer now. */
  readonly inFlight: number
  /**
   * `open`: the node failed several times in a row, and is not asked for a while. `half-open`: one request is tried. `closed`: the node is used.
   */
  readonly breaker: 'closed' | 'open' | 'half-open'
  /** The node's head is below what other nodes have shown, by more than a block that is on its way. */
  readonly isBehind: boolean
}

export interface BreakerOptions {
  /** Failures in a row that open the breaker. A refusal is no failure: the node answered. */
  readonly failuresMax: number
  /** From then to the next try, in ms. */
  readonly restMs: number
}

/** New latencies count this much in the moving average. */
const LATENCY_WEIGHT = 0.3

/** A node of the cluster: its connection, and what is known about it. */
export class ClusterNode implements NodeStatus {
  readonly connection: NodeConnection
  readonly weight: number
  height: number | undefined
  latencyMs: number | undefined
  inFlight = 0
  /** Of the last health check; undefined after a good one. */
  lastError: Error | undefined
  isBehind = false
  /** Time (performance.now) of the last answer that had a height. */
  heightAt = Number.NEGATIVE_INFINITY
  /** Time (performance.now) until which other nodes are asked first. */
  #restsUntil = Number.NEGATIVE_INFINITY
  readonly #breaker
  /** Requests in flight that need not wait for their time limit when the breaker opens. */
  readonly #waiting = new Set<() => void>()

  constructor(connection: NodeConnection, weight: number, { failuresMax, restMs }: BreakerOptions) {
    this.connection = connection
    this.weight = weight
    this.#breaker = circuitBreaker(handleWhen(isFailure), {
      breaker: new ConsecutiveBreaker(failuresMax),
      halfOpenAfter: restMs,
    })
    this.#breaker.onBreak(() => {
      for (const leave of [...this.#waiting]) leave()
    })
  }

  get url(): string {
    return this.connection.url
  }

  get breaker(): NodeStatus['breaker'] {
    const { state } = this.#breaker
    return state === CircuitState.Closed ? 'closed' : state === CircuitState.HalfOpen ? 'half-open' : 'open'
  }

  /** Calls `leave` when the breaker opens, unless the returned function is called before. */
  whenBroken(leave: () => void): () => void {
    this.#waiting.add(leave)
    return () => this.#waiting.delete(leave)
  }

  /**
   * Runs a request through the breaker, which may refuse it at once.
   *
   * @param force even if the breaker is open: for when no node would be left to ask
   */
  async run<T>(request: () => Promise<T>, force = false): Promise<T> {
    this.inFlight += 1
    try {
      return await this.#breaker.execute(request)
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) throw error
      if (force) return await request()
      throw this.#brokenError()
    } finally {
      this.inFlight -= 1
    }
  }

  /** Whether other nodes are asked first. */
  get isResting(): boolean {
    return this.#restsUntil > performance.now()
  }

  /** Other nodes are asked first for so long. */
  rest(ms: number): void {
    this.#restsUntil = Math.max(this.#restsUntil, performance.now() + ms)
  }

  #brokenError(): ConnectionError {
    const { lastFailure } = this.#breaker
    const why = lastFailure !== undefined && 'error' in lastFailure ? ` The last time: ${firstLine(lastFailure.error)}` : ''
    return new ConnectionError(
      'lost',
      this.url,
      `The node ${this.url} failed several times in a row, and is not asked for a while.${why}`,
    )
  }

  /** Notes how long a health check took. */
  measured(ms: number): void {
    this.latencyMs = this.latencyMs === undefined ? ms : this.latencyMs + LATENCY_WEIGHT * (ms - this.latencyMs)
  }

  /** Notes a height that the node has shown. */
  shows(height: number): void {
    this.height = Math.max(height, this.height ?? 0)
    this.heightAt = performance.now()
  }

  /** Copies what may be shown. */
  status(): NodeStatus {
    const { url, weight, height, latencyMs, inFlight, breaker, isBehind } = this
    return { url, weight, height, latencyMs, inFlight, breaker, isBehind }
  }
}

/** A node that gave no usable answer. One that refuses a request is alive, and an abort says nothing about it. */
function isFailure(error: Error): boolean {
  if (error instanceof ConnectionError) return error.reason !== 'closed'
  if (error.name === 'HttpRequestError') return true
  // A proxy before the node says with a status that there is no node.
  const { status } = error as { readonly status?: unknown }
  return error.name === 'RpcRequestError' && typeof status === 'number' && status >= 500 && !hasReason(error)
}

/** The node's own refusals have a reason, whatever their HTTP status. */
function hasReason(error: Error): boolean {
  const { data } = error as { readonly data?: unknown }
  return typeof data === 'object' && data !== null && 'reason' in data
}
