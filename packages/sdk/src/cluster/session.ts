import { isObject } from '../errors.ts'
import type { ClusterNode } from './node-state.ts'

/**
 * A height that is further above at least two other nodes, and all of them, than this is not believed, so that one faulty node cannot make a client
 * wait for a block that will not come. Two nodes alone cannot tell which of them is wrong, but for what was seen before. About three hours of one block a second: a node that lags
 * as far is synchronising.
 */
export const LEAD_BLOCKS_MAX = 10_000

/** What nodes have shown counts for this long, in ms, when a height is judged. */
const SHOWN_MS = 10_000

/** No chain makes more blocks in a second. */
const BLOCKS_A_SECOND_MAX = 100

/** A height that was seen, and when, by the clock of the system: it goes on while a laptop sleeps. */
interface Seen {
  readonly height: number
  readonly atMs: number
}

/** The heights that a client has seen. An answer below the highest of them would take back what the application knows. */
export class Session {
  readonly #nodes: readonly ClusterNode[]
  /** Highest height in answers that were shown to the application, by the node that showed it. */
  readonly #seen = new Map<ClusterNode, number>()
  /** The highest height that the chain could have reached since the one before. */
  #plausible: Seen | undefined

  constructor(nodes: readonly ClusterNode[]) {
    this.#nodes = nodes
  }

  /** The height that an answer must include; undefined while none was seen. */
  get minHeight(): number | undefined {
    const believed = [...this.#seen].filter(([node, height]) => this.isCredible(node, height))
    return believed.length === 0 ? undefined : Math.max(...believed.map(([, height]) => height))
  }

  /**
   * Whether a height is not absurd beside what the other nodes have shown lately. Of one other node alone it must also be more than the chain can have made since what the client has seen. Beside no
   * other node every height is credible.
   */
  isCredible(node: ClusterNode, height: number): boolean {
    const since = performance.now() - SHOWN_MS
    const others = this.#nodes.filter((other) => other !== node && other.heightAt > since)
    if (others.some((other) => (other.height ?? 0) + LEAD_BLOCKS_MAX >= height)) return true
    return others.length < 2 && (others.length === 0 || this.#isPlausible(height))
  }

  /** Notes a height in an answer that is shown to the application. */
  saw(node: ClusterNode, height: number): void {
    this.#seen.set(node, Math.max(height, this.#seen.get(node) ?? 0))
    if (this.#isPlausible(height) && height >= (this.#plausible?.height ?? 0)) this.#plausible = { height, atMs: Date.now() }
  }

  /** Whether the chain can have come so far. Before anything was seen it can be anywhere. */
  #isPlausible(height: number): boolean {
    if (this.#plausible === undefined) return true
    const elapsedMs = Math.max(0, Date.now() - this.#plausible.atMs)
    return height <= this.#plausible.height + LEAD_BLOCKS_MAX + (BLOCKS_A_SECOND_MAX * elapsedMs) / 1_000
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
