import { describe, expect, it } from 'vitest'
import { ANSWER_LIMITS, AnswerBudget } from './answer-budget.ts'

const { answerBurstBytesMax, answerBytesPerSecondMax, answerWaitMsMax, questionBytes, questionByteWeight } = ANSWER_LIMITS

describe('the answers to a peer', () => {
  it('are a burst, then a fixed rate; other peers do not wait', () => {
    let nowMs = 0
    const budget = new AnswerBudget({ monotonic: () => nowMs })
    const size = 1_000_000
    for (let given = 0; given < answerBurstBytesMax; given += size + questionBytes) {
      expect(budget.waitMs('a')).toBe(0)
      budget.given('a', 0, size)
    }
    expect(budget.waitMs('a')).toBeGreaterThan(0)
    expect(budget.waitMs('b')).toBe(0)
    // One request after another: each waits for the previous one.
    let given = 0
    for (const end = nowMs + 10_000; nowMs < end; given += size) {
      nowMs += budget.waitMs('a')
      budget.given('a', 0, size)
    }
    expect(given).toBeLessThan(10 * answerBytesPerSecondMax * 1.1)
    expect(given).toBeGreaterThan(10 * answerBytesPerSecondMax * 0.9)
  })

  it('count the cost of reading the requests, also of refused ones', () => {
    let nowMs = 0
    const budget = new AnswerBudget({ monotonic: () => nowMs })
    const size = 110_000
    let bytes = 0
    for (const end = 60_000; nowMs < end; bytes += size) {
      nowMs += budget.waitMs('a')
      budget.given('a', size, 0)
    }
    const bytesPerSecondMax = answerBytesPerSecondMax / questionByteWeight
    expect(bytes).toBeLessThan(60 * bytesPerSecondMax + answerBurstBytesMax / questionByteWeight + 2 * size)
    // A hash in a request (32 bytes) costs half a microsecond: one peer must get less than a twentieth of the time.
    expect((bytesPerSecondMax / 32) * 0.5e-6).toBeLessThan(1 / 20)
  })

  it('are limited in number too, and never delayed for long', () => {
    const budget = new AnswerBudget({ monotonic: () => 0 })
    let questions = 0
    for (; budget.waitMs('a') === 0 && questions < 1e6; questions++) budget.given('a', 0, 0)
    expect(questions).toBe(answerBurstBytesMax / questionBytes + 1)
    for (let i = 0; i < 100; i++) budget.given('a', 0, answerBurstBytesMax)
    expect(budget.waitMs('a')).toBe(answerWaitMsMax)
  })
})
