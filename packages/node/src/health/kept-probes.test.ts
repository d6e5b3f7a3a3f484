import { expect, it, vi } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { keptProbes, PROBE_AGE_MS } from './kept-probes.ts'
import { answerProbe } from './probes.ts'

function open() {
  const clock = new ManualClock()
  const answers: ((value: Readonly<Record<string, number>>) => void)[] = []
  const failures: ((error: Error) => void)[] = []
  const metrics = vi.fn(
    () =>
      new Promise<Readonly<Record<string, number>>>((resolve, reject) => {
        answers.push(resolve)
        failures.push(reject)
      }),
  )
  const report = { isOk: true, body: {} }
  return {
    clock,
    answers,
    failures,
    metrics,
    probes: keptProbes({ live: async () => report, ready: async () => report, metrics }, clock),
  }
}

it('concurrent and closely following probes ask the node once, and share one text', async () => {
  const { clock, answers, metrics, probes } = open()
  const all = Array.from({ length: 100 }, () => answerProbe(probes, '/metrics'))
  expect(metrics).toHaveBeenCalledTimes(1)
  const entries = vi.spyOn(Object, 'entries')
  const figures = { height: 1 }
  answers[0]!(figures)
  for (const answer of await Promise.all(all)) expect(answer).toMatchObject({ status: 200, text: 'quoin_height 1\n' })
  clock.advance(PROBE_AGE_MS - 1)
  await answerProbe(probes, '/metrics')
  expect(metrics).toHaveBeenCalledTimes(1)
  expect(entries.mock.calls.filter(([of]) => of === figures)).toHaveLength(1)
  entries.mockRestore()
  clock.advance(1)
  void answerProbe(probes, '/metrics')
  expect(metrics).toHaveBeenCalledTimes(2)
  // The other probes are asked separately.
  expect(await answerProbe(probes, '/health')).toMatchObject({ status: 200 })
})

it('a failure is returned to waiting callers, and not cached', async () => {
  const { answers, failures, probes } = open()
  const waiting = [probes.metrics(), probes.metrics()]
  failures[0]!(new Error('busy'))
  for (const one of waiting) await expect(one).rejects.toThrow('busy')
  const next = probes.metrics()
  answers[1]!({ height: 2 })
  expect(await next).toEqual({ height: 2 })
})
