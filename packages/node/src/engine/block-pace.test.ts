import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BlockPace } from './block-pace.ts'
import { ENGINE_LIMITS } from './limits.ts'

const WORK_MS_MAX = 250
const { fillPartMin: LEAST, fillPartStart: START } = ENGINE_LIMITS

interface Machine {
  /** Time for a block without transactions. */
  readonly fixedMs: number
  /** Further time for the transactions of a full block. */
  readonly fullMs: number
}

/** Fills blocks as far as the pace and the waiting work allow. Returns the used parts. */
function run(pace: BlockPace, blocks: number, { fixedMs, fullMs }: Machine, demand = 1): number[] {
  return Array.from({ length: blocks }, () => {
    const used = Math.min(demand, pace.part)
    pace.took(used, fixedMs + used * fullMs, WORK_MS_MAX)
    return used
  })
}

/** A pace that has seen the blocks of quiet times. */
function rested(machine: Machine): BlockPace {
  const pace = new BlockPace()
  run(pace, 10, machine, 0)
  return pace
}

describe('the pace of blocks', () => {
  it('is that of full blocks on a machine that executes them in time', () => {
    const fast = { fixedMs: 2, fullMs: WORK_MS_MAX - 10 }
    for (const pace of [new BlockPace(), rested(fast)]) expect(run(pace, 20, fast)).toEqual([1 / 2, ...new Array(19).fill(1)])
  })

  it('finds what a machine can do in the time, however slow it is, within a few blocks', () => {
    const times = fc.record({
      fixedMs: fc.double({ min: 0, max: 4 * WORK_MS_MAX, noNaN: true }),
      fullMs: fc.double({ min: 1, max: 100 * WORK_MS_MAX, noNaN: true }),
    })
    fc.assert(
      fc.property(times, (machine) => {
        const pace = rested(machine)
        run(pace, 20, machine)
        const availableMs = Math.max(WORK_MS_MAX - machine.fixedMs, Math.min(WORK_MS_MAX, machine.fixedMs))
        const fitting = Math.min(1, availableMs / machine.fullMs)
        expect(pace.part).toBeGreaterThanOrEqual(Math.max(LEAST, 0.5 * fitting))
        expect(pace.part).toBeLessThanOrEqual(Math.max(LEAST, 1.1 * fitting, START * fitting))
      }),
    )
  })

  it('fills blocks on a machine whose blocks take long by themselves', () => {
    const slowDisk = { fixedMs: 260, fullMs: 20 }
    const pace = rested(slowDisk)
    run(pace, 4, slowDisk)
    expect(pace.part).toBe(1)
  })

  it('returns to full blocks when the machine is fast again', () => {
    const pace = rested({ fixedMs: 2, fullMs: 100 })
    run(pace, 10, { fixedMs: 2, fullMs: 100 * WORK_MS_MAX })
    expect(pace.part).toBe(LEAST)
    run(pace, 4, { fixedMs: 2, fullMs: 100 })
    expect(pace.part).toBe(1)
  })

  it('does not depend on the small blocks of others, however long they take', () => {
    const machine = { fixedMs: 2, fullMs: 100 }
    const pace = rested(machine)
    run(pace, 3, machine)
    for (const used of [0, LEAST / 2, LEAST, 0.1, 0]) run(pace, 1, machine, used)
    for (const used of [0, LEAST / 2]) pace.took(used, 60_000, WORK_MS_MAX)
    expect(pace.part).toBe(1)
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
      { examples: [[[[0, 0]]], [[[1, 0]]]] },
    )
  })
})
