import { expect, it } from 'vitest'
import { ATTACKS, PEER_ATTACKS } from './attacks/index.ts'
import type { Round } from './judge.ts'
import type { Plan } from './plan.ts'
import { table } from './report.ts'
import { Timeline } from './timeline.ts'

const nothing = new Timeline().figures({ from: 0, to: 1_000 }, { observer: 0, attacked: [0] }, 1_000)
const round: Round = { before: nothing, during: nothing, after: nothing, ended: [] }
const plan: Plan = {
  ...{ isLong: true, rounds: 1, quietMs: 4_000, attackMs: 8_000 },
  allowed: { intervalRatio: 1, transferRatio: 1, blocksMore: 0, noiseMs: 0, probesLostMax: 0, readsLostMax: 0 },
}

it('a table has as many columns in each row, also of a network in which nothing was seen', () => {
  const findings = [{ what: 'a | bar', found: Number.POSITIVE_INFINITY, allowed: 1, isKept: false }]
  const rows = ATTACKS.map((attack) => ({ attack, rounds: [round], tally: { 'a | name': 1 }, findings }))
  const speed = { before: { perSecond: 1_000, idleMs: 40 }, after: { perSecond: 990, idleMs: 41 } }
  const text = table(rows, speed, plan, new Date(Date.UTC(2026, 10, 30)))
  const lines = text.split('\n').filter((line) => line.startsWith('|'))
  expect(lines.length).toBe(2 + ATTACKS.length)
  expect(new Set(lines.map((line) => line.split('|').length)).size).toBe(1)
  expect(text).toContain('Measured 2026-11-30')
  expect(text).toContain('never > 1.00')
})

it('attacks have names of their own, and those of peers are in the table', () => {
  const names = ATTACKS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  expect(PEER_ATTACKS.filter((name) => !names.includes(name))).toEqual([])
  expect(ATTACKS.some(({ inShort }) => inShort === true)).toBe(true)
})
