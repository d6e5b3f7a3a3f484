import { expect, it } from 'vitest'
import type { NodePowers } from '../../packages/node/src/node.ts'
import { SeededRandom } from './random.ts'
import { Simulation } from './simulation.ts'

const MINUTE_MS = 60_000
/** One of this many calls fails. */
const ONE_OF = 4

/**
 * Makes work for peers fail like a bug: with an exception type that nothing expects. While a node starts, it works for itself: it restores the
 * blocks of its log.
 */
function withBugs(powers: NodePowers, isStarted: () => boolean, random: SeededRandom, thrown: Map<string, number>): NodePowers {
  const maybe = (place: string): void => {
    if (!isStarted() || random.below(ONE_OF) > 0) return
    thrown.set(place, (thrown.get(place) ?? 0) + 1)
    throw new Error(`a bug in ${place}`)
  }
  const { recovery, transport } = powers
  return {
    ...powers,
    recovery: {
      stats: recovery.stats,
      close: () => recovery.close(),
      async recoverSenders(items) {
        maybe('sender recovery')
        return recovery.recoverSenders(items)
      },
    },
    transport: Object.assign(Object.create(transport) as typeof transport, {
      async request(...args: Parameters<typeof transport.request>) {
        maybe('a question')
        const answer = await transport.request(...args)
        maybe('an answer')
        return answer
      },
    }),
  }
}

it.each([1, 2, 3])('bugs in the work for peers halt no node, seed %i', async (seed) => {
  const thrown = new Map<string, number>()
  const random = new SeededRandom(seed)
  const simulation: Simulation = new Simulation({
    ...{ seed, calm: true, clientCount: 20 },
    // Transactions get lost, so that bodies must be fetched.
    wrapPowers(index, powers) {
      const isStarted = () => simulation.nodes[index]!.node !== undefined
      return index < 2 ? powers : withBugs(powers, isStarted, random, thrown)
    },
  })
  simulation.network.setDefault({ loss: 0.05, duplication: 0, latencyMs: [1, 20], cut: false })
  simulation.start()
  expect(await simulation.until(() => simulation.oracle.height >= 10, 5 * MINUTE_MS)).toBe(true)
  // One of them is offline and later fetches blocks, with the same faults.
  const away = simulation.nodes[3]!
  away.crash()
  expect(await simulation.until(() => simulation.oracle.height >= 25, 5 * MINUTE_MS)).toBe(true)
  away.start()
  expect(await simulation.until(() => away.committedHeight >= 30, 5 * MINUTE_MS)).toBe(true)
  await simulation.stop()
  expect([...thrown.keys()].sort()).toEqual(['a question', 'an answer', 'sender recovery'])
})
