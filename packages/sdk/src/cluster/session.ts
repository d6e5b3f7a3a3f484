import { isObject } from '../errors.ts'
import type { ClusterNode } from './node-state.ts'

/**
 * A height that is further above at least two other nodes, and all of them, than this is not believed, so that one faulty node cannot make a client
 * wait for a block that will not come. Two nodes alone cannot tell which of them is wrong. About three hours of one block a second: a node that lags
 * as far is synchronising.
 */
export const LEAD_BLOCKS_MAX = 10_000

/** What nodes have shown counts for this long, in ms, when a height is judged. */
const SHOWN_MS = 10_000

/** The heights that a client has seen. An answer below the highest of them would take back what the application knows. */
export class Session {
  readonly #nodes: readonly ClusterNode[]
  /** Highest height in answers that were shown to the application, by the node that showed it. */
  readonly #seen = new Map<ClusterNode, number>()

  constructor(nodes: readonly ClusterNode[]) {
    this.#nodes = nodes
  }

  /** The height that an answer must include; undefined while none was seen. */
  get minHeight(): number | undefined {
    const believed = [...this.#seen].filter(([node, height]) => this.isCredible(node, height))
    return believed.length === 0 ? undefined : Math.max(...believed.map(([, height]) => height))
  }

  /** Whether a height is not absurd beside what the other nodes have shown lately. Beside fewer than two such nodes every height is credible. */
  isCredible(node: ClusterNode, height: number): boolean {
    const since = performance.now() - SHOWN_MS
    const others = this.#nodes.filter((other) => other !== node && other.heightAt > since)
    return others.length < 2 || others.some((other) => (other.height ?? 0) + LEAD_BLOCKS_MAX >= height)
  }

  /** Notes a height in an answer that is shown to the application. */
  saw(node: ClusterNode, height: number): void {
    this.#seen.set(node, Math.max(height, this.#seen.get(node) ?? 0))
  }
}

/** The block that an answer proves to exist: its own number, or that of its last item. Undefined if it has none. */
export function heightIn(method: string, result: unknown): number | undefined {
  if (method === 'eth_blockNumber') return quantity(result)
  if (method === 'quoin_getStream') return streamHead(result)
  const item: unknown = Array.isArray(result) ? result.at(-1) : result
  if (!isObject(item)) return undefined
  // The pending block has a number, and no hash.
  if (item['hash'] === null) return undefined
  return quantity(item['blockNumber'] ?? (method.startsWith('eth_getBlockBy') ? item['number'] : undefined))
}

/** The node's head in a batch of a stream, which has numbers as such. */
function streamHead(batch: unknown): number | undefined {
  const height = isObject(batch) && isObject(batch['head']) ? batch['head']['height'] : undefined
  return Number.isSafeInteger(height) && (height as number) >= 0 ? (height as number) : undefined
}

/** A number of blocks in hex; undefined if it is anything else. */
export function quantity(value: unknown): number | undefined {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{1,14}$/i.test(value)) return undefined
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : undefined
}
