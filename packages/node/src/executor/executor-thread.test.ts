import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { InterpreterFault } from '@quoin/execution'
import { Hash, ZERO_HASH } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { ManualWatch } from '../../test/watch.ts'
import { ExecutorThread } from './executor-thread.ts'
import { Turns } from './turns.ts'

const opened = (turns = new Turns().buffer) => ({ version: ZERO_HASH, backend: 'none', turns })

/** A thread that runs `code` for each call, with `port` to send and `id` of the call. */
const scripted = (code: string, watch = new ManualWatch(), turns = new Turns().buffer): ExecutorThread => {
  const program = `
    const { parentPort: port, workerData: turns } = require('node:worker_threads')
    port.on('message', ({ id, call }) => { if (call.method === 'close') { port.close(); return } ${code} })`
  return new ExecutorThread(new Worker(program, { eval: true, workerData: turns }), opened(turns), watch)
}
const commit = { method: 'commit', blockHash: ZERO_HASH } as const

describe('ExecutorThread', () => {
  it.each([
    ['by an error', `throw new RangeError('Maximum call stack size exceeded')`, /worker failed: Maximum call stack/],
    ['by an exit', 'process.exit(3)', /exited with code 3/],
    ['by an answer without a request', `port.postMessage({ kind: 'answer', id: 99 })`, /answered call 99/],
    ['by a second `opened` message', `port.postMessage({ kind: 'opened' })`, /unexpected second `opened` message/],
  ])('that dies %s ends its call with the reason, and every call after it', async (_, code, reason) => {
    const thread = scripted(code)
    expect(thread.death).toBeUndefined()
    for (let i = 0; i < 2; i++) {
      const end = await thread.call(commit)
      expect(end).toMatchObject({ kind: 'death', error: { message: expect.stringMatching(reason) } })
    }
    await thread.end()
    expect(thread.death?.message).toMatch(reason)
  })

  it('that is killed ends its call as a death, although the answer was under way', async () => {
    const sent = new Int32Array(new SharedArrayBuffer(4))
    const program = `
      const { parentPort: port, workerData: sent } = require('node:worker_threads')
      port.on('message', ({ id }) => { port.postMessage({ kind: 'answer', id }); Atomics.store(sent, 0, 1); Atomics.notify(sent, 0) })`
    const thread = new ExecutorThread(new Worker(program, { eval: true, workerData: sent }), opened(), new ManualWatch())
    const call = thread.call(commit)
    // This thread reads no message while it waits here.
    Atomics.wait(sent, 0, 0, 10_000)
    thread.kill('the node is stopping')
    expect(await call).toMatchObject({ kind: 'death', error: { message: 'the node is stopping' } })
    await thread.end()
  })

  it('returns an interpreter fault with its transaction and cause, and can still be used', async () => {
    const thread = scripted(
      `port.postMessage({ kind: 'fault', id, transaction: call.blockHash, cause: new RangeError('too deep') })`,
    )
    for (let i = 0; i < 2; i++) {
      const end = await thread.call(commit)
      if (end.kind !== 'fault') throw new Error(end.kind)
      expect(end.fault).toBeInstanceOf(InterpreterFault)
      expect(end.fault.transaction).toBe(ZERO_HASH)
      expect(end.fault.cause).toBeInstanceOf(RangeError)
      expect(end.fault.message).toMatch(/RangeError: too deep$/)
    }
    await thread.end()
  })

  it.each([
    [0, undefined],
    [7, `0x${'07'.repeat(32)}`],
  ])('that dies reports the running transaction %s', async (byte, transaction) => {
    const thread = scripted(`new Uint8Array(turns).fill(${byte}); process.exit(1)`)
    expect(await thread.call(commit)).toMatchObject({ kind: 'death', transaction })
  })

  it('that takes too long for a call is terminated, and reports the running transaction', async () => {
    const [watch, turns] = [new ManualWatch(), new Turns()]
    const endless = `new Uint8Array(turns).fill(7); port.postMessage({ kind: 'answer', id: 0 }); for (;;);`
    const [quick, thread] = [scripted(`port.postMessage({ kind: 'answer', id })`, watch), scripted(endless, watch, turns.buffer)]
    expect(await quick.call(commit, 1_000)).toMatchObject({ kind: 'answer' })
    await thread.call(commit, 1_000)
    const call = thread.call(commit, 1_000)
    watch.work(1_000)
    expect(await call).toMatchObject({
      kind: 'death',
      transaction: `0x${'07'.repeat(32)}`,
      error: { message: expect.stringMatching(/its call of commit took longer than 1000 ms/) },
    })
    await thread.end()
    // A finished call is not watched.
    watch.work(5_000)
    expect(quick.death).toBeUndefined()
    await quick.end()
  })

  it('that took too long with many transactions blames none of them', async () => {
    const [watch, turns] = [new ManualWatch(), new Turns()]
    const thread = scripted('for (;;);', watch, turns.buffer)
    const call = thread.call(commit, 1_000)
    for (let i = 1; i <= 4; i++) {
      turns.begin(Hash(new Uint8Array(32).fill(i)))
      watch.work(300)
    }
    expect(await call).toMatchObject({ kind: 'death', transaction: undefined })
    await thread.end()
  })

  it('can be terminated while it works', async () => {
    const thread = scripted('for (;;);')
    const call = thread.call(commit)
    thread.kill('the node stops')
    expect(await call).toMatchObject({ kind: 'death', error: { message: 'the node stops' } })
    await thread.end()
  })

  it('serves one call at a time', async () => {
    const thread = scripted(`port.postMessage({ kind: 'answer', id, value: id })`)
    const first = thread.call(commit)
    expect(() => thread.call(commit)).toThrow('during another call')
    expect(await first).toEqual({ kind: 'answer', value: 0 })
    expect(await thread.call(commit)).toEqual({ kind: 'answer', value: 1 })
    await thread.end()
  })

  it('ends when its worker has exited, and can be ended when it is dead', async () => {
    const worker = new Worker(`require('node:worker_threads').parentPort.on('message', () => process.exit())`, { eval: true })
    const exited = once(worker, 'exit')
    const thread = new ExecutorThread(worker, opened(), new ManualWatch())
    await thread.end()
    await thread.end()
    await exited
  })
})
