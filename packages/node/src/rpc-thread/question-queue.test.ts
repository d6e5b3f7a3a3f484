import type { Hash } from '@quoin/protocol'
import { expect, it, vi } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import type { Answered } from './messages.ts'
import { LINK_LIMITS, NodeLink } from './node-link.ts'
import { QuestionQueue } from './question-queue.ts'

const probes = {
  live: async () => ({ isOk: true, body: {} }),
  ready: async () => ({ isOk: true, body: {} }),
  metrics: async () => ({ one: 1 }),
}
const iteration = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Both ends of the connection, without a thread between them. */
function open(costMs = 0) {
  const clock = new ManualClock()
  const sent: (readonly Answered[])[] = []
  const pool = {
    waiting: (hash: Hash) =>
      ((hash as string) === '0x' ? undefined : { hash, raw: new Uint8Array(LINK_LIMITS.turnBytes), sender: '0x' }) as never,
    pendingNonce: () => {
      clock.advance(costMs)
      return 7
    },
    stats: { count: 1, bytes: 2, queued: 0 },
    walk: () => [].values(),
  }
  const submit = vi.fn(async (_raw: Uint8Array): Promise<never> => {
    throw new Error('a bug')
  })
  const queue = new QuestionQueue({ pool, submit, probes, clock, send: (answers) => sent.push(answers) && link.answer(answers) })
  const link = new NodeLink((message) => message.kind === 'questions' && queue.push(message.questions))
  return { queue, link, sent, submit }
}

it('each question gets its answer, a bug its error, and all questions of an iteration share one message', async () => {
  const { link, sent } = open()
  const asked = [
    link.ask<'pending-nonce'>({ kind: 'pending-nonce', sender: '0x' as never }),
    link.ask<'pool-stats'>({ kind: 'pool-stats' }),
    link.ask<'transaction'>({ kind: 'transaction', hash: '0x' as never, isKnown: false }),
    link.ask<'metrics'>({ kind: 'metrics' }),
  ]
  const bug = link.ask<'submit'>({ kind: 'submit', raw: new Uint8Array(1) })
  expect(await Promise.all(asked)).toEqual([7, { count: 1, bytes: 2, queued: 0 }, undefined, { one: 1 }])
  await expect(bug).rejects.toThrow('a bug')
  expect(sent).toHaveLength(1)
})

it('the node answers questions in time slices, with its own work between them', async () => {
  const { link, sent } = open(1)
  const all = Promise.all(
    Array.from({ length: 9 }, () => link.ask<'pending-nonce'>({ kind: 'pending-nonce', sender: '0x' as never })),
  )
  let iterations = 0
  let isDone = false
  const count = () => {
    iterations++
    if (!isDone) setImmediate(count)
  }
  setImmediate(count)
  await all
  isDone = true
  // Two questions of 1 ms fill a slice of 2 ms.
  expect(iterations).toBeGreaterThanOrEqual(5)
  expect(sent.length).toBeGreaterThan(1)
})

it('the thread limits its pending questions', async () => {
  const { link, submit } = open()
  const held = Array.from({ length: LINK_LIMITS.questionsMax }, () => link.ask<'pool-stats'>({ kind: 'pool-stats' }))
  await expect(link.ask<'pool-stats'>({ kind: 'pool-stats' })).rejects.toMatchObject({
    code: -32005,
    message: expect.stringContaining('busy'),
  })
  // Probes are few, and bypass the limit.
  expect(await link.ask<'live'>({ kind: 'live' })).toMatchObject({ isOk: true })
  await Promise.all(held)
  submit.mockImplementation(() => new Promise<never>(() => {}))
  void link.ask<'submit'>({ kind: 'submit', raw: new Uint8Array(LINK_LIMITS.questionBytesMax) })
  await expect(link.ask<'submit'>({ kind: 'submit', raw: new Uint8Array(1) })).rejects.toMatchObject({ code: -32005 })
})

it('questions of a dead thread are not answered', async () => {
  const { queue, sent } = open()
  queue.push([{ id: 1, kind: 'pool-stats' }])
  queue.clear()
  await iteration()
  await iteration()
  expect(sent).toEqual([])
})

it('an answer that was pending when the thread died does not go to the next thread, which reuses question numbers', async () => {
  const { queue, sent, submit } = open()
  let answer: (value: never) => void = () => {}
  submit.mockImplementation(() => new Promise<never>((resolve) => (answer = resolve)))
  queue.push([{ id: 1, kind: 'submit', raw: new Uint8Array(1) }])
  await iteration()
  queue.clear()
  queue.push([{ id: 1, kind: 'pool-stats' }])
  await iteration()
  answer({ ok: true, value: '0x' } as never)
  await iteration()
  await iteration()
  expect(sent.flat()).toEqual([{ id: 1, value: { count: 1, bytes: 2, queued: 0 } }])
})

it('a transaction that the thread has cached is not sent again', async () => {
  const { link } = open()
  const ask = (hash: string, isKnown: boolean) => link.ask<'transaction'>({ kind: 'transaction', hash: hash as never, isKnown })
  expect(await Promise.all([ask('0x1', true), ask('0x', true), ask('0x1', false)])).toEqual([
    'known',
    undefined,
    { raw: new Uint8Array(LINK_LIMITS.turnBytes), sender: '0x' },
  ])
})

it('large answers of one message are delivered in separate iterations of the event loop, in order', async () => {
  const { link, sent } = open()
  const events: string[] = []
  const asked = ['large', 'large', 'none'].map((name, i) =>
    link
      .ask<'transaction'>({ kind: 'transaction', hash: (name === 'none' ? '0x' : `0x${i}`) as never, isKnown: false })
      .then(() => events.push(name)),
  )
  let isDone = false
  const count = () => {
    if (sent.length > 0) events.push('turn')
    if (!isDone) setImmediate(count)
  }
  setImmediate(count)
  await Promise.all(asked)
  isDone = true
  expect(sent).toHaveLength(1)
  const turns = events
    .join(' ')
    .replaceAll(/(turn ?)+/g, 'turn ')
    .trim()
  expect(turns).toMatch(/^(turn )?large turn large turn none$/)
})
