import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { Simulation } from './simulation.ts'
import { settled } from './world.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const SEEDS = 8

/** In its own stack frame, so that nothing here keeps a reference. */
async function runOne(seed: number): Promise<WeakRef<Simulation>> {
  const simulation = new Simulation({ seed })
  await simulation.run()
  return new WeakRef(simulation)
}

it('a run that has ended leaves nothing in memory', async () => {
  const runs: WeakRef<Simulation>[] = []
  for (let seed = 1; seed <= SEEDS; seed++) runs.push(await runOne(seed))
  for (let i = 0; i < 3; i++) {
    await settled()
    collectGarbage()
  }
  // A register may still hold the last run.
  expect(runs.filter((run) => run.deref() !== undefined).length).toBeLessThanOrEqual(1)
})
