import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { LogRecorder } from '../../test/chain.ts'
import { ManualClock } from '../../test/clock.ts'
import type { Client } from '../fair-queue.ts'
import { CallPool } from './call-pool.ts'
import { CALL_POOL_DEFAULTS, type CallPoolLimits } from './call-runner.ts'
import { CancelFlag } from './cancel-flag.ts'

/** Its traces run until they are cancelled, and `stubborn` ones for ever. */
const SCRIPT = `
  const { parentPort, workerData } = require('node:worker_threads')
  const flag = new Int32Array(workerData)
  parentPort.on('message', ({ kind, request }) => {
    if (kind === 'close') return parentPort.close()
    if (request.name === 'stubborn') for (;;);
    if (request.name === 'polling') while (Atomics.load(flag, 0) === 0);
    parentPort.postMessage({ kind: 'answer', outcome: request.name })
  })
  parentPort.postMessage({ kind: 'ready' })
`

const never = new AbortController().signal
const [alice, bob, carol] = [1, 2, 3].map((n): Client => ({ remote: `192.0.2.${n}`, connection: n })) as [Client, Client, Client]

/** A pool whose threads are ready. */
async function open(limits: Partial<CallPoolLimits>) {
  const clock = new ManualClock()
  const logger = new LogRecorder()
  let workers = 0
  const start = () => {
    workers++
    const flag = new CancelFlag()
    return { worker: new Worker(SCRIPT, { eval: true, workerData: flag.buffer }), flag }
  }
  const pool = new CallPool(start, { limits, clock, logger })
  const call = (name: string, from: Client) =>
    pool.run('call', { name, call: { data: new Uint8Array() }, stateOverrides: new Map() } as never, never, from)
  const trace = (name: string, from: Client, signal = never) =>
    pool.run('trace', { name, trace: { kind: 'transactions' } } as never, signal, from)
  expect(await call('first', alice)).toMatchObject({ ok: true })
  return { pool, clock, logger, call, trace, workers: () => workers }
}

const POLLING = { timeout: 60_000 }

it('a trace ends at its timeout, and its thread goes on', POLLING, async () => {
  const { pool, clock, call, trace, workers } = await open({ workers: 1, callMs: 1_000 })
  const long = trace('polling', alice)
  clock.advance(999)
  expect(pool.stats.timeouts).toBe(0)
  clock.advance(1)
  expect(await long).toEqual({ ok: false, error: { code: 'timeout', message: 'execution aborted (timeout = 1000 ms)' } })
  expect(await call('next', bob)).toEqual({ ok: true, value: 'next' })
  expect(pool.stats).toMatchObject({ timeouts: 1, faults: 0, restarts: 0 })
  expect(workers()).toBe(1)
  await pool.close()
})

it('a trace whose client leaves ends early', POLLING, async () => {
  const { pool, call, trace, workers } = await open({ workers: 1 })
  const gone = new AbortController()
  const reason = new Error('the client is gone')
  const long = trace('polling', alice, gone.signal)
  const waiting = trace('short', bob, gone.signal)
  gone.abort(reason)
  await expect(long).rejects.toBe(reason)
  await expect(waiting).rejects.toBe(reason)
  // No timeout has passed: the thread is free because the trace has ended.
  expect(await call('next', bob)).toEqual({ ok: true, value: 'next' })
  expect(workers()).toBe(1)
  await pool.close()
})

it('a trace that does not end after its timeout loses its thread', POLLING, async () => {
  const { pool, clock, logger, trace, call } = await open({ workers: 1, callMs: 1_000, traceEndMs: 500 })
  const stubborn = trace('stubborn', alice)
  clock.advance(1_000)
  expect(await stubborn).toMatchObject({ ok: false, error: { code: 'timeout' } })
  const next = call('next', bob)
  clock.advance(499)
  expect(logger.lines).toEqual([])
  clock.advance(1)
  await expect.poll(() => logger.lines.length).toBe(1)
  expect(logger.lines).toMatchObject([
    { fields: { code: 'timeout', reason: expect.stringContaining('did not end within 500 ms') } },
  ])
  clock.advance(CALL_POOL_DEFAULTS.restartMsMin)
  expect(await next).toMatchObject({ ok: true })
  await pool.close()
})

it('traces of all clients together leave a thread to other calls', POLLING, async () => {
  const { pool, call, trace } = await open({ workers: 2 })
  const gone = new AbortController()
  const long = trace('polling', alice, gone.signal)
  const second = trace('polling', bob, gone.signal)
  expect(await call('one', carol)).toEqual({ ok: true, value: 'one' })
  expect(await call('two', carol)).toEqual({ ok: true, value: 'two' })
  expect(pool.stats.waiting).toBe(1)
  gone.abort(new Error('gone'))
  await Promise.allSettled([long, second])
  expect(await trace('short', bob)).toEqual({ ok: true, value: 'short' })
  await pool.close()
})

it('a trace on the only thread ends when a call waits, after it has run for a while', POLLING, async () => {
  const { pool, clock, call, trace, workers } = await open({ workers: 1, yieldMs: 300 })
  const message = 'too many calls: this trace was ended after 300 ms, because calls waited for the only thread, try again later'
  const ended = { ok: false, error: { code: 'overloaded', message } }
  const first = trace('polling', alice)
  const early = call('early', bob)
  clock.advance(299)
  expect(pool.stats).toMatchObject({ waiting: 1, refused: 0 })
  clock.advance(1)
  expect([await first, await early]).toEqual([ended, { ok: true, value: 'early' }])
  const second = trace('polling', alice)
  const third = trace('short', bob)
  clock.advance(1_000)
  // Traces do not end each other.
  expect(pool.stats).toMatchObject({ waiting: 1, refused: 1 })
  const late = call('late', carol)
  expect([await second, await late, await third]).toMatchObject([ended, { value: 'late' }, { value: 'short' }])
  expect([workers(), pool.stats.answered]).toEqual([1, 4])
  await pool.close()
})

it('a trace does not yield if there are other threads', POLLING, async () => {
  const { pool, clock, call, trace } = await open({ workers: 2, yieldMs: 300 })
  const gone = new AbortController()
  const long = trace('polling', alice, gone.signal)
  clock.advance(1_000)
  expect(await call('one', bob)).toMatchObject({ ok: true })
  expect(pool.stats.refused).toBe(0)
  gone.abort(new Error('gone'))
  await expect(long).rejects.toThrow('gone')
  await pool.close()
})
