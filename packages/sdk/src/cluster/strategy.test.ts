import { describe, expect, it } from 'vitest'
import type { NodeStatus } from './node-state.ts'
import { orderOf, type Strategy } from './strategy.ts'

const node = (url: string, more: Partial<NodeStatus> = {}): NodeStatus => ({
  ...{ url, weight: 1, height: undefined, latencyMs: 10, inFlight: 0, breaker: 'closed', isBehind: false },
  ...more,
})

/** Numbers from 0 to 1 that are the same in each run. */
function pseudoRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}

/** How often each node comes first. */
function firsts(strategy: Strategy, nodes: readonly NodeStatus[], times: number): Record<string, number> {
  const order = orderOf(strategy, pseudoRandom(1))
  const counts: Record<string, number> = Object.fromEntries(nodes.map(({ url }) => [url, 0]))
  for (let i = 0; i < times; i += 1) {
    const ordered = order(nodes, { method: 'eth_x' })
    if (new Set(ordered).size !== nodes.length) throw new Error('the order has not each node once')
    counts[ordered[0]!.url]! += 1
  }
  return counts
}

describe('a strategy', () => {
  it('round-robin gives each node its turn', () => {
    expect(firsts('round-robin', [node('a'), node('b'), node('c')], 9)).toEqual({ a: 3, b: 3, c: 3 })
    expect(orderOf('round-robin')([], { method: 'eth_x' })).toEqual([])
  })

  it('least-connections takes the node with the fewest requests, and turns among equals', () => {
    expect(firsts('least-connections', [node('a', { inFlight: 2 }), node('b'), node('c')], 9)).toMatchObject({ a: 0 })
    const { b, c } = firsts('least-connections', [node('a', { inFlight: 2 }), node('b'), node('c')], 9)
    expect(Math.min(b!, c!)).toBeGreaterThan(0)
  })

  it('weighted follows the weights', () => {
    const { a, b } = firsts('weighted', [node('a', { weight: 1 }), node('b', { weight: 3 })], 4_000)
    expect(b! / a!).toBeGreaterThan(2.5)
    expect(b! / a!).toBeLessThan(3.6)
  })

  it('random takes each about as often', () => {
    const counts = firsts('random', [node('a'), node('b')], 4_000)
    expect(Math.abs(counts['a']! - counts['b']!)).toBeLessThan(400)
  })

  it('fastest counts the requests that wait already, and tries a node that was never measured', () => {
    expect(firsts('fastest', [node('a'), node('b', { latencyMs: 30 })], 1)).toMatchObject({ a: 1 })
    expect(firsts('fastest', [node('a', { inFlight: 4 }), node('b', { latencyMs: 30 })], 1)).toMatchObject({ b: 1 })
    expect(firsts('fastest', [node('a'), node('b', { latencyMs: undefined })], 1)).toMatchObject({ b: 1 })
  })

  it('may be a function', () => {
    const list = [node('a'), node('b')]
    expect(orderOf((nodes) => nodes.slice(1))(list, { method: 'eth_x' })).toEqual([list[1]])
  })
})
