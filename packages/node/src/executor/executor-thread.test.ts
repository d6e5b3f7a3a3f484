import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { EngineFault } from '@quoin/execution'
import { ZERO_HASH } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { ExecutorThread } from './executor-thread.ts'

const opened = (running = new SharedArrayBuffer(32)) => ({ version: ZERO_HASH, backend: 'none', running })

/** A thread whose program is `code`, run for each call: `port` sends, `id` is the call's. */
const scripted = (code: string): ExecutorThread => {
  const program = `
    const port = require('node:worker_threads').parentPort
    port.on('message', ({ id, call }) => { if (call.method === 'close') { port.close(); return } ${code} })`
  return new ExecutorThread(new Worker(program, { eval: true }), opened())
}
const commit = { method: 'commit', blockHash: ZERO_HASH } as const

describe('ExecutorThread', () => {
  it.each([
    ['by an error', `throw new RangeError('Maximum call stack size exceeded')`, /worker failed: Maximum call stack/],
    ['by an exit', 'process.exit(3)', /exited with code 3/],
    ['by answering what was not asked', `port.postMessage({ kind: 'answer', id: 99 })`, /answered call 99/],
    ['by opening once more', `port.postMessage({ kind: 'opened' })`, /opened twice/],
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

  it('gives an engine fault back as one, with its transaction and cause, and serves on', async () => {
    const thread = scripted(
      `port.postMessage({ kind: 'fault', id, transaction: call.blockHash, cause: new RangeError('too deep') })`,
    )
    for (let i = 0; i < 2; i++) {
      const end = await thread.call(commit)
      if (end.kind !== 'fault') throw new Error(end.kind)
      expect(end.fault).toBeInstanceOf(EngineFault)
      expect(end.fault.transaction).toBe(ZERO_HASH)
      expect(end.fault.cause).toBeInstanceOf(RangeError)
      expect(end.fault.message).toMatch(/RangeError: too deep$/)
    }
    await thread.end()
  })

  it.each([
    [0, undefined],
    [7, `0x${'07'.repeat(32)}`],
  ])('that dies while it runs the transaction %s says so', async (byte, transaction) => {
    const running = new SharedArrayBuffer(32)
    const program = `
      const { parentPort, workerData } = require('node:worker_threads')
      parentPort.on('message', () => { new Uint8Array(workerData).fill(${byte}); process.exit(1) })`
    const thread = new ExecutorThread(new Worker(program, { eval: true, workerData: running }), opened(running))
    expect(await thread.call(commit)).toMatchObject({ kind: 'death', transaction })
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
    const thread = new ExecutorThread(worker, opened())
    await thread.end()
    await thread.end()
    await exited
  })
})
