import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BlockPace } from './block-pace.ts'
import { ENGINE_LIMITS } from './limits.ts'

const WORK_MS_MAX = 250
const { fillPartMin: LEAST, fillPartStart: START } = ENGINE_LIMITS

/** Fills blocks as far as the pace and the waiting work allow. Returns the used parts. */
function run(pace: BlockPace, blocks: number, msPerFullBlock: number, demand = 1): number[] {
  return Array.from({ length: blocks }, () => {
    const used = Math.min(demand, pace.part)
    pace.took(used, 2 + used * msPerFullBlock, WORK_MS_MAX)
    return used
  })
}

describe('the pace of blocks', () => {
  it('is that of full blocks on a machine that executes them in time', () => {
    const pace = new BlockPace()
    expect(run(pace, 20, WORK_MS_MAX - 10)).toEqual([1 / 4, 1 / 2, ...new Array(18).fill(1)])
  })

  it('finds what a machine can do in the time, however slow it is, within a few blocks', () => {
    fc.assert(
      fc.property(fc.double({ min: WORK_MS_MAX, max: 100 * WORK_MS_MAX, noNaN: true }), (msPerFullBlock) => {
        const pace = new BlockPace()
        run(pace, 10, msPerFullBlock)
        const fitting = (WORK_MS_MAX - 2) / msPerFullBlock
        expect(pace.part).toBeGreaterThanOrEqual(Math.max(LEAST, fitting / 2))
        expect(pace.part).toBeLessThanOrEqual(Math.max(LEAST, 1.1 * fitting))
      }),
    )
  })

  it('returns to full blocks when the machine is fast again', () => {
    const pace = new BlockPace()
    run(pace, 10, 100 * WORK_MS_MAX)
    expect(pace.part).toBe(LEAST)
    run(pace, 4, 100)
    expect(pace.part).toBe(1)
  })

  it('begins anew after small blocks', () => {
    const pace = new BlockPace()
    run(pace, 3, 100)
    expect(pace.part).toBe(1)
    run(pace, 1, 100, 0.2)
    expect(pace.part).toBe(0.4)
    run(pace, 1, 100, 0)
    expect(pace.part).toBe(START)
  })

  it('does not depend on blocks that are nearly empty, however long they take', () => {
    const pace = new BlockPace()
    pace.took(0, 60_000, WORK_MS_MAX)
    pace.took(LEAST / 2, 60_000, WORK_MS_MAX)
    expect(pace.part).toBe(START)
  })

  it('is always a part that can be filled', () => {
    const block = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1e6, noNaN: true }))
    fc.assert(
      fc.property(fc.array(block), (blocks) => {
        const pace = new BlockPace()
        for (const [used, ms] of blocks) pace.took(used, ms, WORK_MS_MAX)
        expect(pace.part).toBeGreaterThanOrEqual(LEAST)
        expect(pace.part).toBeLessThanOrEqual(1)
      }),
    )
  })
})
