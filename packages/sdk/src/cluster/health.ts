import { toError } from '../errors.ts'
import { inBackground } from './background.ts'
import type { ClusterNode } from './node-state.ts'
import { LEAD_BLOCKS_MAX, quantity } from './session.ts'

export interface HealthOptions {
  /** From one check of all nodes to the next, in ms. */
  readonly intervalMs: number
  /** For a node's answer to a check. */
  readonly timeoutMs: number
}

/** A head so many blocks below the highest is on its way; further below, the node is behind. */
export const LAG_BLOCKS_MAX = 3

/** Asks all nodes for their heads, again and again while the cluster is in use. It measures latencies and finds nodes that are down or behind. */
export class HealthChecks {
  readonly #nodes: readonly ClusterNode[]
  readonly #options: HealthOptions
  #cancel: (() => void) | undefined
  #round = new AbortController()
  #isRunning = false

  constructor(nodes: readonly ClusterNode[], options: HealthOptions) {
    this.#nodes = nodes
    this.#options = options
  }

  /** Begins at once, if the checks do not run yet. */
  start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#round = new AbortController()
    void this.#check(this.#round.signal)
  }

  stop(): void {
    this.#isRunning = false
    this.#cancel?.()
    this.#round.abort()
  }

  async #check(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#nodes.map((node) => this.#checkNode(node, signal)))
    if (signal.aborted) return
    markLagging(this.#nodes)
    this.#cancel = inBackground(this.#options.intervalMs, () => void this.#check(signal))
  }

  /** Never rejects. A failure is the breaker's business. */
  async #checkNode(node: ClusterNode, signal: AbortSignal): Promise<void> {
    const started = performance.now()
    try {
      const { timeoutMs } = this.#options
      const answer = await node.run(() => node.connection.request({ method: 'eth_blockNumber' }, { timeoutMs, signal }))
      node.measured(performance.now() - started)
      const height = quantity(answer)
      if (height !== undefined) node.shows(height)
      node.lastError = undefined
    } catch (error) {
      if (!signal.aborted) node.lastError = toError(error)
    }
  }
}

/** Compares the heads that one round of checks has found. One absurd height must not make all others lag. */
function markLagging(nodes: readonly ClusterNode[]): void {
  const heads = nodes
    .flatMap(({ height, lastError }) => (height === undefined || lastError !== undefined ? [] : [height]))
    .sort((a, b) => b - a)
  const [highest = 0, second = highest, third] = heads
  // As in a session: two other nodes must speak against it.
  const head = third !== undefined && highest - second > LEAD_BLOCKS_MAX ? second : highest
  for (const node of nodes) node.isBehind = node.height !== undefined && head - node.height > LAG_BLOCKS_MAX
}
