import type { NodeStatus } from './node-state.ts'

/**
 * Which node is asked first, and which next if it fails:
 *
 * - `fastest`: the lowest latency, multiplied by the requests that wait for the node already.
 * - `round-robin`: each in turn.
 * - `least-connections`: the fewest waiting requests.
 * - `weighted`: at random, in proportion to the weights.
 * - `random`: at random.
 *
 * A function gets the nodes that can be asked, and returns them in the order in which to ask them; a node that it leaves out is not asked.
 */
export type Strategy =
  | 'fastest'
  | 'round-robin'
  | 'least-connections'
  | 'weighted'
  | 'random'
  | (<node extends NodeStatus>(nodes: readonly node[], request: { readonly method: string }) => readonly node[])

/** Orders nodes for one request. */
export type Order = <node extends NodeStatus>(nodes: readonly node[], request: { readonly method: string }) => readonly node[]

/** Makes an order from a strategy. `random` returns numbers from 0 to 1, as `Math.random`. */
export function orderOf(strategy: Strategy, random: () => number = Math.random): Order {
  if (typeof strategy === 'function') return strategy
  if (strategy === 'fastest') return (nodes) => sorted(nodes, ({ latencyMs = 0, inFlight }) => latencyMs * (inFlight + 1))
  if (strategy === 'random') return (nodes) => sorted(nodes, random)
  // Efraimidis and Spirakis (2006): the order of u^(1/w) is a weighted sample without replacement.
  if (strategy === 'weighted') return (nodes) => sorted(nodes, ({ weight }) => -(random() ** (1 / weight)))
  const rotate = rotation()
  if (strategy === 'round-robin') return rotate
  return (nodes) => sorted(rotate(nodes), ({ inFlight }) => inFlight)
}

/** Each call begins one node later. */
function rotation(): <node>(nodes: readonly node[]) => readonly node[] {
  let turn = 0
  return (nodes) => {
    if (nodes.length === 0) return nodes
    const start = turn++ % nodes.length
    return [...nodes.slice(start), ...nodes.slice(0, start)]
  }
}

/** By rising key; equal keys keep their order. Each key is computed once. */
function sorted<node>(nodes: readonly node[], key: (node: node) => number): readonly node[] {
  return nodes
    .map((node) => ({ node, key: key(node) }))
    .sort((a, b) => a.key - b.key)
    .map(({ node }) => node)
}
