import { describe, expect, it } from 'vitest'
import { Simulation } from './simulation.ts'

/** A run in which a contract is created at once, and called before and after most of the crashes. */
const SEED = 20
const HEIGHTS = 4

/** Runs a network in which one node crashes during its `write`-th write. */
async function crashAt(victim: number, write: number): Promise<void> {
  const simulation = new Simulation({ seed: SEED, calm: true, faultyHeights: HEIGHTS, healedHeights: 2 })
  const node = simulation.nodes[victim]!
  node.crashAtWrite(write, () => simulation.world.after(400, () => node.start()))
  await simulation.run()
}

/** Counts the writes of one node in a run without crashes, in which contracts are created and called. */
async function countWrites(victim: number): Promise<number> {
  const simulation = new Simulation({ seed: SEED, calm: true, faultyHeights: HEIGHTS, healedHeights: 0 })
  let count = 0
  simulation.nodes[victim]!.disk.onWrite = () => {
    count++
    return false
  }
  const { contracts } = await simulation.run()
  expect(Math.min(contracts.created, contracts.logged)).toBeGreaterThan(0)
  return count
}

describe('a crash at every write', () => {
  it.each([0, 1, 2, 3])(
    'of node %i, to log, sign state and database: the chain goes on and nothing is signed twice',
    async (victim) => {
      const writes = await countWrites(victim)
      expect(writes).toBeGreaterThan(HEIGHTS * 5)
      for (let write = 1; write <= writes; write++) await crashAt(victim, write)
    },
  )
})
