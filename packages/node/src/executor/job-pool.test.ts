import { getEventListeners } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { LogRecorder } from '../../test/chain.ts'
import { ManualClock } from '../../test/clock.ts'
import type { Client } from '../fair-queue.ts'
import { CALL_POOL_DEFAULTS, type CallPoolLimits } from './call-runner.ts'
import { CancelFlag } from './cancel-flag.ts'
import { JobPool, type PoolJobs } from './job-pool.ts'

/** Its jobs run until the test releases them, or for ever. Long ones also end when they are cancelled. */
const SCRIPT = `
  const { parentPort, workerData: { flag, released } } = require('node:worker_threads')
  const [cancelled, free] = [new Int32Array(flag), new Int32Array(released)]
  parentPort.on('message', ({ kind, request }) => {
    if (kind === 'close') return parentPort.close()
    if (request.name === 'endless') for (;;);
    if (request.name === 'die') process.exit(3)
    if (request.name === 'held') while (Atomics.load(free, 0) === 0 && (kind === 'short' || Atomics.load(cancelled, 0) === 0));
    parentPort.postMessage({ kind: 'answer', outcome: request.name })
  })
  parentPort.postMessage({ kind: 'ready' })
`

interface Request {
  readonly name: string
  readonly bytes: number
}
interface Requests {
  readonly short: Request
  readonly long: Request
}

const JOBS: PoolJobs<Requests> = {
  worker: 'test worker',
  timeout: (ms) => `not done within ${ms} ms`,
  bytesOf: ({ request }) => request.bytes,
  endsEarly: ({ kind }) => kind === 'long',
}

const never = new AbortController().signal
const [alice, bob, carol] = [1, 2, 3].map((n): Client => ({ remote: `192.0.2.${n}`, connection: n })) as [Client, Client, Client]
const slow = { timeout: 60_000 }

/** A pool whose threads are ready. */
async function open(limits: Partial<CallPoolLimits> = {}) {
  const clock = new ManualClock()
  const logger = new LogRecorder()
  const released = new Int32Array(new SharedArrayBuffer(4))
  let workers = 0
  const start = () => {
    workers++
    const flag = new CancelFlag()
    return { worker: new Worker(SCRIPT, { eval: true, workerData: { flag: flag.buffer, released: released.buffer } }), flag }
  }
  const options = { limits: { workers: 1, callMs: 1_000, ...limits }, clock, logger }
  const pool = new JobPool<Requests, { short: string; long: string }>(start, JOBS, options)
  const run = (name: string, from: Client = alice, { bytes = 0, kind = 'short' as keyof Requests, signal = never } = {}) =>
    pool.run(kind, { name, bytes }, signal, from)
  expect(await run('first')).toMatchObject({ ok: true })
  return { pool, clock, logger, run, release: () => Atomics.store(released, 0, 1), workers: () => workers }
}

it('a job that starts late has its own time to end, and its client an answer in time', slow, async () => {
  const { pool, clock, logger, run, release, workers } = await open()
  const first = run('held', alice)
  clock.advance(600)
  const endless = run('endless', bob)
  clock.advance(100)
  release()
  expect(await first).toMatchObject({ ok: true })
  clock.advance(900)
  expect(await endless).toEqual({ ok: false, error: { code: 'timeout', message: 'not done within 1000 ms' } })
  expect([logger.lines, pool.stats.timeouts]).toEqual([[], 1])
  clock.advance(99)
  const next = run('next', carol)
  clock.advance(1)
  await expect.poll(() => logger.lines).toMatchObject([{ fields: { code: 'timeout' } }])
  clock.advance(CALL_POOL_DEFAULTS.restartMsMin)
  expect(await next).toMatchObject({ ok: true })
  expect([workers(), pool.stats.timeouts]).toEqual([2, 1])
  await pool.close()
})

it('a job for which no thread is free in time is not started', slow, async () => {
  const { pool, clock, run, release, workers } = await open({ runPartMin: 1 / 4 })
  const first = run('held')
  clock.advance(10)
  const waiting = [run('held', bob), run('held', bob, { kind: 'long' })]
  clock.advance(749)
  expect(pool.stats.waiting).toBe(2)
  clock.advance(1)
  const message = 'too many calls: no thread was free for this one within 750 ms, try again later'
  for (const answer of waiting) expect(await answer).toEqual({ ok: false, error: { code: 'overloaded', message } })
  expect(pool.stats).toMatchObject({ waiting: 0, refused: 2, timeouts: 0 })
  release()
  expect(await first).toMatchObject({ ok: true })
  expect(workers()).toBe(1)
  await pool.close()
})

it('endless jobs do not make restarts later', slow, async () => {
  const { pool, clock, logger, run, workers } = await open({ restartMsMin: 100, restartMsMax: 1_000 })
  for (let i = 1; i <= 3; i++) {
    const endless = run('endless')
    await expect.poll(() => pool.stats.waiting, { timeout: 30_000 }).toBe(0)
    clock.advance(1_000)
    expect(await endless).toMatchObject({ ok: false, error: { code: 'timeout' } })
    await expect.poll(() => logger.lines.length).toBe(i)
    clock.advance(99)
    expect(workers()).toBe(i)
    clock.advance(1)
    expect(workers()).toBe(i + 1)
  }
  await pool.close()
})

it('a job that nobody waits for does not delay the end', slow, async () => {
  const { pool, run } = await open()
  const gone = new AbortController()
  const endless = run('endless', alice, { signal: gone.signal })
  gone.abort(new Error('gone'))
  await expect(endless).rejects.toThrow('gone')
  await pool.close()
})

it('a job leaves no listener on the signal of its request, however it ends', slow, async () => {
  const { pool, clock, run } = await open({ runPartMin: 1 / 4 })
  const request = new AbortController()
  const { signal } = request
  const running = run('held', alice, { signal, kind: 'long' })
  const refused = run('held', alice, { signal, kind: 'long' })
  clock.advance(750)
  expect(await refused).toMatchObject({ ok: false, error: { code: 'overloaded' } })
  const closed = run('held', alice, { signal, kind: 'long' })
  clock.advance(250)
  expect(await running).toMatchObject({ ok: false, error: { code: 'timeout' } })
  const closing = pool.close()
  await closed
  expect(getEventListeners(signal, 'abort')).toEqual([])
  await closing
})

it('a full queue refuses a job of the client that has most, not the newcomer', slow, async () => {
  const { pool, run, release } = await open({ callsQueuedMax: 3 })
  const running = run('held')
  const waiting = [run('a'), run('b'), run('c')]
  const newcomer = run('n', bob)
  const message = 'too many calls: this one made room for an address with fewer, try again later'
  expect(await waiting[2]).toEqual({ ok: false, error: { code: 'overloaded', message } })
  expect(await run('d')).toMatchObject({ ok: false, error: { code: 'overloaded' } })
  expect(pool.stats).toMatchObject({ waiting: 3, refused: 2 })
  release()
  for (const answer of [running, waiting[0], waiting[1], newcomer]) expect(await answer).toMatchObject({ ok: true })
  await pool.close()
})
