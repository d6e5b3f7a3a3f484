import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { CallRequest, SimulatedCall } from '@quoin/execution'
import {
  Address,
  bytesToHex,
  type ChainId,
  type Height,
  type Hex,
  hexToBytes,
  nobleCrypto,
  type Wei,
  ZERO_ADDRESS,
} from '@quoin/protocol'
import { type Abi, encodeDeployData, encodeFunctionData, getContractAddress, parseAbi } from 'viem'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { containerOf } from '../../../../test/contracts/contract.mjs'
import { LogRecorder, openTestNode, type TestNode, testAccounts, testValidators } from '../../test/chain.ts'
import { ManualClock } from '../../test/clock.ts'
import type { Client } from '../fair-queue.ts'
import { takeText } from '../rpc/json-text.ts'
import { type OwnedKv, openClassicKv } from '../store/classic-kv.ts'
import { systemClock } from '../system-clock.ts'
import type { SimulationJob } from './call-job.ts'
import { CallPool, openCallPool } from './call-pool.ts'
import { CALL_POOL_DEFAULTS, type CallPoolLimits } from './call-runner.ts'
import { CancelFlag } from './cancel-flag.ts'
import type { JobWorker } from './job-thread.ts'
import type { TraceJob } from './trace-job.ts'

const ABI = parseAbi(['function add(uint256 n)', 'function sum() view returns (uint256)', 'function spin()'])
const SOURCE = `export default { functions: {
  add(n) { quoin.store('uint256', 'sum', quoin.load('uint256', 'sum') + n) },
  sum: () => quoin.load('uint256', 'sum'),
  spin() { for (;;); },
} }`
const [alice] = testAccounts as [(typeof testAccounts)[0]]
const CALLS = { kind: 'calls', onlyTopCall: false, withLog: false } as const
const traceOf = (request: CallRequest): TraceJob => ({
  trace: { ...request, kind: 'call', replay: undefined, tracer: CALLS },
  form: { kind: 'geth', isList: false, state: { kind: 'diff' } },
  answerBytesMax: 10_000,
})
const never = new AbortController().signal
const client = { remote: '192.0.2.1', connection: 1 }

// Each thread loads the crypto backends and the interpreter.
describe('threads that run calls', { timeout: 60_000 }, () => {
  let directory: string
  let kv: OwnedKv
  let node: TestNode
  const to = Address(getContractAddress({ from: alice.address, nonce: 0n }).toLowerCase())

  /** Block 1 has the contract, blocks 2 to 4 add 10 each. */
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'quoin-calls-'))
    kv = await openClassicKv(directory)
    node = await openTestNode({ crypto: nobleCrypto, validators: testValidators(nobleCrypto, 1), kv })
    const creation = encodeDeployData({ abi: ABI as Abi, bytecode: bytesToHex(containerOf(SOURCE, ABI)) })
    await produce(0, undefined, creation)
    for (const nonce of [1, 2, 3]) await produce(nonce, to, dataOf('add', [10n]))
  })

  afterAll(async () => {
    await kv.close()
    await rm(directory, { recursive: true })
  })

  const dataOf = (functionName: string, args: readonly unknown[] = []): Hex =>
    encodeFunctionData({ abi: ABI, functionName, args } as never)

  async function produce(nonce: number, receiver: Address | undefined, data: Hex): Promise<void> {
    const fields = { type: 'legacy', chainId: 31_337, nonce, gas: 10_000_000n, gasPrice: 0n, data } as const
    await node.produce([
      hexToBytes(await alice.signTransaction({ ...fields, ...(receiver === undefined ? {} : { to: receiver }) })),
    ])
  }

  function request(functionName: string, height = node.chain.head.header.number as number, gasMax = 100_000_000): CallRequest {
    const { header } = node.store.header(height as never)!
    const data = hexToBytes(dataOf(functionName, functionName === 'add' ? [1n] : []))
    return {
      call: { from: ZERO_ADDRESS, to, data, value: 0n as Wei, accessList: [], gas: undefined, maxFeePerGas: 0n as Wei },
      block: {
        number: header.number,
        timeMs: header.timeMs,
        proposer: header.miner,
        gasLimit: header.gasLimit,
        baseFee: header.baseFeePerGas,
      },
      stateOverrides: new Map([[ZERO_ADDRESS, { balance: 1n as Wei }]]),
      blockOverrides: {},
      gasMax,
    }
  }

  const open = (limits: Partial<CallPoolLimits>, databasePath = directory) => {
    const logger = new LogRecorder()
    // The tests' machine may be busy when the first call starts the threads.
    const patient = { startMsMax: 50_000, ...limits }
    const pool = openCallPool({ databasePath, chainId: 31_337 as ChainId, limits: patient, clock: systemClock, logger })
    return { pool, logger }
  }

  it('return the same results as inline calls, at any height, while blocks are committed', async () => {
    const { pool } = open({ workers: 2 })
    const heights = [1, 2, 3, 4, 4, 3, 2, 1]
    const running = Promise.all(heights.map((height) => pool.run('call', request('sum', height), never, client)))
    await produce(4, to, dataOf('add', [10n]))
    const found = await running
    expect(found).toEqual(
      await Promise.all(heights.map((height) => node.calls.run('call', request('sum', height), never, client))),
    )
    const sums = found.map((answer) =>
      answer.ok && answer.value.kind === 'returned' ? BigInt(JSON.parse(answer.value.pieces.join(''))) : answer,
    )
    expect(sums).toEqual([0n, 10n, 20n, 30n, 30n, 20n, 10n, 0n])
    const estimate = await pool.run('estimate', request('add'), never, client)
    expect(estimate).toMatchObject({ ok: true, value: { kind: 'estimated' } })
    expect(estimate).toEqual(await node.calls.run('estimate', request('add'), never, client))
    const trace = await pool.run('trace', traceOf(request('add')), never, client)
    expect(trace).toMatchObject({ ok: true, value: { kind: 'traced', pieces: [expect.stringMatching(/^{"type":"CALL",.*}$/)] } })
    expect(trace).toEqual(await node.calls.run('trace', traceOf(request('add')), never, client))
    // The thread reads the block itself.
    const block: TraceJob = {
      ...traceOf(request('add')),
      trace: { kind: 'transactions', tracer: CALLS, replay: { height: 2 as Height, count: 5 }, first: 0 },
    }
    const replayed = await pool.run('trace', block, never, client)
    expect(replayed).toMatchObject({
      ok: true,
      value: { kind: 'traced', pieces: [expect.stringMatching(/^{"type":"CALL",.*}$/)] },
    })
    expect(replayed).toEqual(await node.calls.run('trace', block, never, client))
    const missing = { ...block, trace: { ...block.trace, replay: { height: 99 as Height, count: 5 } } } as TraceJob
    await expect(pool.run('trace', missing, never, client)).rejects.toThrow('block 99 is not complete')
    await pool.close()
  })

  /** A simulation of 8 endless calls in 4 blocks. */
  function bigSimulation(gasMax: number): SimulationJob {
    const spin: SimulatedCall = {
      ...{
        type: 2,
        from: ZERO_ADDRESS,
        to,
        data: hexToBytes(dataOf('spin')),
        value: 0n as Wei,
        accessList: [],
        nonce: undefined,
      },
      ...{ gas: gasMax / 8, maxFeePerGas: 0n as Wei, maxPriorityFeePerGas: 0n as Wei },
    }
    const block = { blockOverrides: {}, stateOverrides: new Map(), calls: [spin, spin] }
    const simulation = {
      base: node.store.header(2 as never)!,
      blocks: [block, block, block, block],
      ...{ isValidated: false, recordsTransfers: true, gasMax, answerBytesMax: 1_000_000 },
    }
    return { simulation, isFull: false }
  }

  it('simulate blocks as inline calls do, also when the pool is asked from another thread', async () => {
    const { pool } = open({ workers: 1 })
    const asked = bigSimulation(1_000_000)
    const found = await pool.run('simulation', asked, never, client)
    expect(found).toMatchObject({ ok: true, value: { kind: 'simulated' } })
    if (found.ok && found.value.kind === 'simulated') expect(JSON.parse(found.value.pieces.join(''))).toHaveLength(4)
    expect(found).toEqual(await node.calls.run('simulation', asked, never, client))
    await pool.close()
  })

  it('hand long texts over, in pieces', async () => {
    const { pool } = open({ workers: 1 })
    const source = 'export default { fallback: () => new Uint8Array(300_000).fill(7), functions: {} }'
    const stateOverrides = new Map([[to, { code: containerOf(source, parseAbi(['fallback() external'])) }]])
    const asked = request('sum', 2)
    const answer = await pool.run(
      'call',
      { ...asked, call: { ...asked.call, data: Uint8Array.of(1) }, stateOverrides },
      never,
      client,
    )
    if (!answer.ok || answer.value.kind !== 'returned') throw new Error(JSON.stringify(answer))
    const context = { hold: () => {}, isSliceOver: () => true, nextTurn: async () => {} }
    const text = await takeText(answer.value.pieces, context)
    expect(text.pieces.join('') === `"0x${'07'.repeat(300_000)}"`).toBe(true)
    await pool.close()
  })

  it('answer the calls of one client while another one floods them with simulations', async () => {
    const { pool } = open({ workers: 2, callMs: 60_000 })
    const flooder = { remote: '192.0.2.66', connection: 66 }
    let done = 0
    const flood = Array.from({ length: 24 }, async () => {
      const answer = await pool.run('simulation', bigSimulation(20_000_000), new AbortController().signal, flooder)
      done++
      return answer
    })
    for (let i = 0; i < 5; i++) expect(await pool.run('call', request('sum', 2), never, client)).toMatchObject({ ok: true })
    // In turn, the calls would have come after the whole flood.
    expect(done).toBeLessThan(flood.length)
    expect(pool.stats.waiting).toBeGreaterThan(0)
    expect((await Promise.all(flood)).every(({ ok }) => ok)).toBe(true)
    await pool.close()
  })

  it('end if they are idle while memory is short, and are started again by the next call', async () => {
    const { pool } = open({ workers: 2 })
    const first = await pool.run('call', request('sum', 2), never, client)
    pool.dismissIdle()
    pool.dismissIdle()
    const running = pool.run('call', request('sum', 2), never, client)
    // Threads that are starting or working are not ended.
    pool.dismissIdle()
    expect(await running).toEqual(first)
    expect(pool.stats).toEqual({ answered: 2, refused: 0, timeouts: 0, faults: 0, restarts: 0, waiting: 0 })
    pool.dismissIdle()
    await pool.close()
    pool.dismissIdle()
  })

  it('are stopped during a call that takes too long, and replaced', async () => {
    const { pool } = open({ workers: 1, callMs: 2_000, restartMsMin: 1 })
    const endless = await pool.run('call', request('spin', 1, 1e12), never, client)
    expect(endless).toEqual({ ok: false, error: { code: 'timeout', message: 'execution aborted (timeout = 2000 ms)' } })
    await vi.waitUntil(() => pool.stats.restarts === 1)
    expect(pool.stats).toMatchObject({ timeouts: 1, faults: 0, restarts: 1 })
    await pool.close()
    // The database stays usable after a thread was terminated while it used it.
    expect(node.store.head.header.number).toBe(node.chain.head.header.number)
  })

  it('are reported as lost if they cannot open the database, while the call waits', async () => {
    const { pool, logger } = open({ workers: 1 }, '/dev/null/nowhere')
    const call = pool.run('call', request('sum', 1), never, client)
    await vi.waitUntil(() => logger.lines.length > 0, { timeout: 30_000 })
    const reason = expect.stringContaining('call worker')
    expect(logger.lines[0]).toMatchObject({ level: 'warn', fields: { code: 'fault', reason } })
    await pool.close()
    expect(await call).toMatchObject({ ok: false, error: { code: 'closed' } })
  })
})

describe('a pool of calls', { timeout: 60_000 }, () => {
  const SCRIPT = `
    const { parentPort } = require('node:worker_threads')
    parentPort.on('message', ({ kind, request: { name: request } = {} }) => {
      if (kind === 'close') return parentPort.close()
      if (request === 'hang') for (;;);
      if (request === 'die') process.exit(3)
      if (request === 'throw') throw new RangeError('Maximum call stack size exceeded')
      if (request === 'fault') return parentPort.postMessage({ kind: 'fault', message: 'the contract interpreter failed' })
      if (request === 'bug') return parentPort.postMessage({ kind: 'failure', error: new TypeError('a bug') })
      parentPort.postMessage({ kind: 'answer', outcome: request })
      if (request === 'twice') parentPort.postMessage({ kind: 'answer', outcome: request })
    })
    parentPort.postMessage({ kind: 'ready' })
  `

  /** A pool whose threads run a script, before its first call. */
  function create(limits: Partial<CallPoolLimits>, script: string) {
    const clock = new ManualClock()
    const log = new LogRecorder()
    const workers: Worker[] = []
    const start = (): JobWorker => {
      const worker = new Worker(script, { eval: true })
      workers.push(worker)
      return { worker, flag: new CancelFlag() }
    }
    const pool = new CallPool(start, { limits: { workers: 1, ...limits }, clock, logger: log })
    /** The scripted threads use only the name. `bytes` is the size of the calldata. */
    const run = (name: string, signal = never, bytes = 0, from: Client = client) =>
      pool.run('call', { name, call: { data: new Uint8Array(bytes) }, stateOverrides: new Map() } as never, signal, from)
    /** Lets a lost thread be replaced, which is the `lost`th one. */
    const replace = async (lost: number): Promise<void> => {
      await vi.waitUntil(() => log.lines.length === lost)
      clock.advance(CALL_POOL_DEFAULTS.restartMsMin)
    }
    return { pool, run, clock, log, workers, replace }
  }

  /** A pool that has answered a call, so that a thread is ready. */
  async function open(limits: Partial<CallPoolLimits> = {}) {
    const created = create(limits, SCRIPT)
    expect(await created.run('first')).toEqual({ ok: true, value: 'first' })
    return created
  }

  it.each([
    ['exits', 'die', 'fault', /exited with code 3/],
    ['throws', 'throw', 'fault', /failed: Maximum call stack/],
    ['reports a fault of the interpreter', 'fault', 'fault', /interpreter failed/],
  ])('loses only the call of a thread that %s, and starts another', async (_, what, code, message) => {
    const { pool, run, clock, log } = await open()
    const lost = run(what)
    const next = run('next')
    expect(await lost).toMatchObject({ ok: false, error: { code, message: expect.stringMatching(message) } })
    clock.advance(CALL_POOL_DEFAULTS.restartMsMin)
    expect(await next).toEqual({ ok: true, value: 'next' })
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { code } }])
    expect(pool.stats).toMatchObject({ answered: 2, faults: 1, restarts: 1 })
    await pool.close()
  })

  it('keeps the thread whose call found a bug', async () => {
    const { pool, run, workers } = await open()
    await expect(run('bug')).rejects.toThrow('a bug')
    expect(await run('next')).toEqual({ ok: true, value: 'next' })
    expect(workers).toHaveLength(1)
    await pool.close()
  })

  it('does not trust a thread that sends an answer without a request', async () => {
    const { pool, run, clock, workers } = await open()
    const gone = once(workers[0]!, 'exit')
    expect(await run('twice')).toEqual({ ok: true, value: 'twice' })
    await gone
    clock.advance(CALL_POOL_DEFAULTS.restartMsMin)
    expect(await run('next')).toEqual({ ok: true, value: 'next' })
    await pool.close()
  })

  it('restarts threads that keep dying with increasing delay, until one answers', async () => {
    const { pool, run, clock, workers } = await open({ restartMsMin: 100, restartMsMax: 300 })
    for (const [i, delay] of [100, 200, 300, 300].entries()) {
      expect(await run('die')).toMatchObject({ ok: false })
      clock.advance(delay - 1)
      expect(workers).toHaveLength(i + 1)
      clock.advance(1)
      expect(workers).toHaveLength(i + 2)
    }
    expect(await run('fine')).toMatchObject({ ok: true })
    await run('die')
    clock.advance(100)
    expect(workers).toHaveLength(6)
    await pool.close()
  })

  it('stops a running or waiting call at its timeout, counted from its arrival', async () => {
    const { pool, run, clock, replace } = await open({ callMs: 1_000 })
    const first = run('hang')
    clock.advance(500)
    const second = run('second')
    const third = run('hang')
    clock.advance(500)
    expect(await first).toMatchObject({ ok: false, error: { code: 'timeout' } })
    await replace(1)
    expect(await second).toEqual({ ok: true, value: 'second' })
    clock.advance(500 - CALL_POOL_DEFAULTS.restartMsMin)
    expect(await third).toMatchObject({ ok: false, error: { code: 'timeout' } })
    expect(pool.stats).toMatchObject({ answered: 2, timeouts: 2 })
    await pool.close()
  })

  it('gives a call more time to wait during the first start of the threads, but not to run', async () => {
    const { pool, run, clock, workers } = await open({ callMs: 1_000, startMsMax: 2_000 })
    pool.dismissIdle()
    const [late, endless] = [run('late'), run('hang')]
    clock.advance(1_500)
    expect(await late).toEqual({ ok: true, value: 'late' })
    expect(workers).toHaveLength(2)
    clock.advance(1_000)
    expect(await endless).toMatchObject({ ok: false, error: { message: 'execution aborted (timeout = 1000 ms)' } })
    // The restart of a lost thread gives no extra time.
    const next = run('next')
    clock.advance(CALL_POOL_DEFAULTS.restartMsMin - 1)
    clock.advance(1_000)
    expect(await next).toMatchObject({ ok: false, error: { code: 'overloaded' } })
    await pool.close()
  })

  it('refuses a call if a thread never starts', async () => {
    const { pool, run, clock } = create({ callMs: 1_000, startMsMax: 2_000 }, 'setInterval(() => {}, 1_000)')
    const call = run('a')
    clock.advance(2_899)
    expect(pool.stats).toMatchObject({ waiting: 1, refused: 0 })
    clock.advance(1)
    expect(await call).toMatchObject({ ok: false, error: { code: 'overloaded' } })
    await pool.close()
  })

  it('never gives the last thread to an address that already has one', async () => {
    const { pool, run, clock } = await open({ workers: 2 })
    const endless = [run('hang'), run('hang'), run('hang')]
    const other = { remote: '192.0.2.2', connection: 2 }
    expect(await run('other', never, 0, other)).toEqual({ ok: true, value: 'other' })
    expect(await run('again', never, 0, other)).toEqual({ ok: true, value: 'again' })
    clock.advance(CALL_POOL_DEFAULTS.callMs)
    expect(await Promise.all(endless)).toMatchObject([{ ok: false }, { ok: false }, { ok: false }])
    await pool.close()
  })

  it('runs calls of clients with little recent use first, also by connection', async () => {
    const { pool, run, clock, replace } = await open({ callMs: 2_000 })
    const order: string[] = []
    const ask = (name: string, from: Client) =>
      run(name, never, 0, from).then(() => void order.push(`${name} of ${from.connection}`))
    const [heavy, sibling, stranger] = [client, { ...client, connection: 2 }, { remote: '192.0.2.2', connection: 3 }]
    const endless = run('hang', never, 0, heavy)
    clock.advance(1_900)
    const asked = [ask('a', heavy), ask('b', heavy), ask('c', sibling), ask('d', stranger)]
    clock.advance(100)
    expect(await endless).toMatchObject({ ok: false })
    await replace(1)
    await Promise.all(asked)
    expect(order).toEqual(['d of 3', 'c of 2', 'a of 1', 'b of 1'])
    await pool.close()
  })

  it('accepts a limited number of calls, and drops those whose client is gone', async () => {
    const { pool, run, clock, replace } = await open({ callsQueuedMax: 2 })
    const aborted = new AbortController()
    const running = run('hang')
    clock.advance(1_000)
    const waiting = [run('a', aborted.signal), run('b')]
    expect(await run('c')).toMatchObject({
      ok: false,
      error: { code: 'overloaded', message: expect.stringMatching(/^too many calls: 2 with 0 bytes are waiting/) },
    })
    const reason = new Error('the client is gone')
    aborted.abort(reason)
    await expect(waiting[0]).rejects.toBe(reason)
    await expect(run('d', aborted.signal)).rejects.toBe(reason)
    const last = run('e')
    clock.advance(CALL_POOL_DEFAULTS.callMs - 1_000)
    expect(await running).toMatchObject({ ok: false })
    await replace(1)
    expect([await waiting[1], await last]).toEqual([
      { ok: true, value: 'b' },
      { ok: true, value: 'e' },
    ])
    expect(pool.stats).toMatchObject({ refused: 1, waiting: 0 })
    await pool.close()
  })

  it('holds a limited number of bytes', async () => {
    const { pool, run } = await open({ queuedBytesMax: 1_000 })
    const calls = [run('hang', never, 900), run('a', never, 600)]
    expect(await run('b', never, 401)).toMatchObject({
      ok: false,
      error: { message: 'too many calls: 1 with 600 bytes are waiting, try again later' },
    })
    pool.terminate()
    expect(await Promise.all(calls)).toMatchObject([{ ok: false }, { ok: false }])
    await pool.close()
  })

  it('waits for a running call before it closes, and refuses the others', async () => {
    const { pool, run, workers } = await open()
    const exits = workers.map((worker) => once(worker, 'exit'))
    const [running, waiting] = [run('running'), run('waiting')]
    const closing = pool.close()
    expect(pool.close()).toBe(closing)
    expect(await running).toEqual({ ok: true, value: 'running' })
    expect(await waiting).toMatchObject({ ok: false, error: { code: 'closed' } })
    expect(await run('late')).toMatchObject({ ok: false, error: { code: 'closed' } })
    await closing
    expect(await Promise.all(exits)).toEqual([[0]])
  })

  it('terminates an endless call when the node must stop', async () => {
    const { pool, run, log, workers } = await open()
    const exits = workers.map((worker) => once(worker, 'exit'))
    const [running, waiting] = [run('hang'), run('waiting')]
    pool.terminate()
    for (const call of [running, waiting]) expect(await call).toMatchObject({ ok: false, error: { code: 'closed' } })
    await pool.close()
    expect(await Promise.all(exits)).toEqual([[1]])
    expect([log.lines, workers.length]).toEqual([[], 1])
  })

  it('closes while a thread is waiting for its restart', async () => {
    const { pool, run, clock, workers } = await open()
    await run('die')
    await pool.close()
    clock.advance(60_000)
    expect(workers).toHaveLength(1)
  })

  it('starts another thread if one dies before it is ready, until the call has waited too long', async () => {
    const { pool, run, clock, log, workers } = create({ callMs: 1_000, startMsMax: 2_000 }, 'process.exit(4)')
    const call = run('a')
    await once(workers[0]!, 'exit')
    expect(log.lines).toMatchObject([
      { level: 'warn', fields: { code: 'fault', reason: expect.stringMatching(/exited with code 4/) } },
    ])
    clock.advance(CALL_POOL_DEFAULTS.restartMsMin)
    expect(workers).toHaveLength(2)
    clock.advance(2_900 - CALL_POOL_DEFAULTS.restartMsMin - 1)
    expect(pool.stats).toMatchObject({ waiting: 1, refused: 0 })
    clock.advance(1)
    expect(await call).toMatchObject({ ok: false, error: { code: 'overloaded' } })
    await pool.close()
  })
})
