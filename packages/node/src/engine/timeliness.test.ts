import { type Address, DEFAULT_PARAMETERS, type Proposal, type TimeMs } from '@quoin/protocol'
import { expect, it } from 'vitest'
import { Timeliness } from './timeliness.ts'

const PARAMETERS = { ...DEFAULT_PARAMETERS, clockPrecisionMs: 100, messageDelayMs: 400, timeoutDeltaMs: 50 }

it('counts and names the untimely proposals, each round once', () => {
  const told: object[] = []
  const timeliness = new Timeliness({ warn: (fields) => told.push(fields) })
  const look = (height: number, round: number, offsetMs: number) =>
    timeliness.look(
      { height, round, proposer: '0xaa' as Address } as Proposal,
      (1_000 + offsetMs) as TimeMs,
      'peer',
      1_000,
      PARAMETERS,
    )
  look(1, 0, 100)
  look(1, 1, -550)
  expect([told, timeliness.counters]).toEqual([[], { proposalsEarly: 0, proposalsLate: 0 }])
  look(2, 0, 101)
  look(2, 0, 101)
  look(2, 1, -551)
  // The same rounds, and a height that is over, are not reported again.
  look(2, 0, 5_000)
  look(1, 7, 5_000)
  // A later round that arrives first hides no earlier one.
  look(3, 4, 0)
  look(3, 0, 700)
  expect(timeliness.counters).toEqual({ proposalsEarly: 2, proposalsLate: 1 })
  expect(told).toMatchObject([
    { height: 2, round: 0, proposer: '0xaa', from: 'peer', offsetMs: 101 },
    { height: 2, round: 1, offsetMs: -551 },
    { height: 3, round: 0, offsetMs: 700 },
  ])
})
