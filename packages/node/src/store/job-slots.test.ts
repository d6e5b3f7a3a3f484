import fc from 'fast-check'
import { expect, it } from 'vitest'
import { JobSlots } from './job-slots.ts'

it('jobs run in the order of the calls, as many at a time as there are slots, whether they fail or not', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.array(fc.boolean(), { maxLength: 40 }),
      fc.nat(),
      async (max, jobs, seed) => {
        const slots = new JobSlots(max)
        const begun: number[] = []
        const running: { readonly end: () => void }[] = []
        const answers = jobs.map((fails, i) =>
          slots.run(
            () =>
              new Promise<number>((resolve, reject) => {
                begun.push(i)
                running.push({ end: () => (fails ? reject(new Error(`job ${i}`)) : resolve(i)) })
              }),
          ),
        )
        const settled = Promise.allSettled(answers)
        for (let ended = 0; ended < jobs.length; ended++) {
          expect(running).toHaveLength(Math.min(max, jobs.length - ended))
          running.splice((seed + ended) % running.length, 1)[0]!.end()
          await new Promise(setImmediate)
        }
        expect(begun).toEqual(jobs.map((_, i) => i))
        const outcomes = (await settled).map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Error).message))
        expect(outcomes).toEqual(jobs.map((fails, i) => (fails ? `job ${i}` : i)))
      },
    ),
    { numRuns: 30 },
  )
})
