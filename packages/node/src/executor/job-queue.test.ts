import fc from 'fast-check'
import { expect, it } from 'vitest'
import { JobQueue, type JobQueueLimits, type WaitingJob } from './job-queue.ts'

interface Named extends WaitingJob {
  readonly name: string
}

const NO_LIMITS: JobQueueLimits = {
  callsQueuedMax: 1_000,
  callsQueuedPerRemoteMax: 1_000,
  queuedBytesMax: 1_000_000,
  queuedBytesPerRemoteMax: 1_000_000,
}

function create(limits: Partial<JobQueueLimits>) {
  const queue = new JobQueue<Named>({ ...NO_LIMITS, ...limits })
  /** Adds jobs of an address. Returns the names of those that left, or the last refusal. */
  const push = (remote: string, names: string, bytes = 0, connection = 1, endsEarly = false) => {
    const left: string[] = []
    for (const name of names) {
      const pushed = queue.push({ name, client: { remote, connection }, bytes, endsEarly })
      if (!pushed.ok) return pushed.error
      left.push(...pushed.value.map((job) => job.name))
    }
    return left.join('')
  }
  const names = () => {
    let all = ''
    for (const kind of ['short', 'long'] as const)
      for (let job = queue.take(kind); job !== undefined; job = queue.take(kind)) all += job.name
    return all
  }
  return { queue, push, names }
}

it('a full queue drops the newest job of the address that has most, whatever its kind and connection', () => {
  const { push, names } = create({ callsQueuedMax: 4 })
  expect(push('heavy', 'ab')).toBe('')
  expect(push('heavy', 'c', 0, 2)).toBe('')
  expect(push('heavy', 'd', 0, 1, true)).toBe('')
  expect(push('light', 'x')).toBe('d')
  expect(push('light', 'y', 0, 1, true)).toBe('c')
  // Both have two: nobody gives way, else they would drop each other's jobs in turn.
  expect(push('light', 'z')).toBe('too many calls: 4 with 0 bytes are waiting, try again later')
  expect(push('heavy', 'e')).toBe('too many calls: 4 with 0 bytes are waiting, try again later')
  expect(push('third', 't')).toBe('b')
  expect(names()).toBe('axty')
})

it('bytes are shared in the same way', () => {
  const { push, names } = create({ queuedBytesMax: 100 })
  expect(push('heavy', 'abcd', 20)).toBe('')
  expect(push('heavy', 'e', 5)).toBe('')
  expect(push('light', 'x', 30)).toBe('ed')
  // 40 bytes more are too many for an address that has 30, because the other one would have less then.
  expect(push('light', 'y', 40)).toBe('too many calls: 4 with 90 bytes are waiting, try again later')
  expect(push('light', 'z', 10)).toBe('')
  expect(names()).toBe('axbzc')
})

it('an address has a share of the jobs and of the bytes', () => {
  const { push } = create({ callsQueuedPerRemoteMax: 2, queuedBytesPerRemoteMax: 50 })
  expect(push('one', 'ab')).toBe('')
  expect(push('one', 'c')).toBe('too many calls: 2 of one are waiting, try again later')
  expect(push('two', 'x', 50)).toBe('')
  expect(push('two', 'y', 1)).toBe('too many calls: 1 of two with 50 bytes are waiting, try again later')
})

it('no job is lost, and the limits hold, whatever comes and leaves', () => {
  const step = fc.record({
    remote: fc.constantFrom('a', 'b', 'c'),
    connection: fc.nat(1),
    bytes: fc.nat(30),
    endsEarly: fc.boolean(),
    next: fc.constantFrom('wait', 'leave', 'take'),
  })
  const limits = { callsQueuedMax: 6, callsQueuedPerRemoteMax: 5, queuedBytesMax: 60, queuedBytesPerRemoteMax: 50 }
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new JobQueue<Named>(limits)
      const waiting = new Set<Named>()
      steps.forEach(({ next, remote, connection, ...rest }, i) => {
        const job: Named = { ...rest, name: String(i), client: { remote, connection } }
        const sizeOf = (one: string) => [...waiting].filter(({ client }) => client.remote === one).length
        const pushed = queue.push(job)
        if (pushed.ok) {
          for (const left of pushed.value) {
            expect(left.client.remote).not.toBe(remote)
            expect(waiting.delete(left)).toBe(true)
          }
          waiting.add(job)
        }
        if (next === 'leave') expect(queue.remove(job)).toBe(waiting.delete(job))
        if (next === 'take') {
          const taken = queue.take('short')
          if (taken !== undefined) expect(waiting.delete(taken)).toBe(true)
        }
        const bytes = [...waiting].reduce((sum, other) => sum + other.bytes, 0)
        expect(queue.size).toBe(waiting.size)
        expect(waiting.size <= limits.callsQueuedMax && bytes <= limits.queuedBytesMax).toBe(true)
        expect(sizeOf(remote)).toBeLessThanOrEqual(limits.callsQueuedPerRemoteMax)
      })
    }),
  )
})
