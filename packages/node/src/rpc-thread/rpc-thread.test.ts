import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { encodeSystemRecord, nextBaseFee, SYSTEM_RECORDS } from '@quoin/execution'
import { type Address, bytesToHex, type ChainId, nobleCrypto } from '@quoin/protocol'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { amend, LogRecorder, openTestNode, type TestNode, testAccounts, testTransfers, testValidators } from '../../test/chain.ts'
import { ManualClock } from '../../test/clock.ts'
import { OPEN_SETTINGS, type TestAnswer } from '../../test/rpc.ts'
import { secretText, testSecret, tokenOf } from '../../test/tokens.ts'
import { DEFAULT_RPC_LIMITS } from '../rpc/limits.ts'
import { submit } from '../rpc/node-backend.ts'
import { type OwnedKv, openClassicKv } from '../store/classic-kv.ts'
import { CommitHeights } from '../store/commit-heights.ts'
import { systemClock } from '../system-clock.ts'
import type { NodeNews, ToThread } from './messages.ts'
import { RPC_THREAD_LIMITS, RpcThread, type RpcThreadOptions, type StartRpcWorker } from './rpc-thread.ts'

const [alice, bob] = testAccounts as [(typeof testAccounts)[0], (typeof testAccounts)[0]]

let directory: string
let kv: OwnedKv
let node: TestNode
let log: LogRecorder
let thread: RpcThread | undefined
/** News of the node other than its head. */
let news: NodeNews = { peers: 3, highest: 0, coinbase: undefined, readRefusal: undefined }

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quoin-rpc-'))
  kv = await openClassicKv(directory)
  const heights = new CommitHeights()
  node = await openTestNode({ crypto: nobleCrypto, validators: testValidators(nobleCrypto, 1), kv, heights })
  log = new LogRecorder()
  news = { peers: 3, highest: 0, coinbase: undefined, readRefusal: undefined }
  options = {
    data: {
      ...{ databasePath: directory, chainId: 31_337 as ChainId, clientVersion: 'quoin/test', host: '127.0.0.1', port: 0 },
      settings: { ...OPEN_SETTINGS, limits: DEFAULT_RPC_LIMITS },
      calls: { workers: 1, callMs: 5_000 },
      proofBlocks: 8,
      heights: heights.buffer,
    },
    head: () => ({
      height: node.chain.head.header.number,
      nextBaseFee: nextBaseFee(node.chain.head.header, node.chain.head.parameters),
    }),
    news: () => news,
    onHead: (listener) => node.chain.onHead(listener),
    onAdmitted: (listener) => node.pool.onAdmitted(listener),
    pool: node.pool,
    submit: (raw) => submit(node, raw),
    probes: {
      live: async () => ({ isOk: true, body: { status: 'ok' } }),
      ready: async () => ({ isOk: false, body: { ready: false } }),
      metrics: async () => ({ chain_height: node.chain.head.header.number }),
    },
    ...{ clock: systemClock, logger: log, onDamage: () => {} },
  }
})
let options: RpcThreadOptions

afterEach(async () => {
  await thread?.close()
  thread = undefined
  await kv.close()
  await rm(directory, { recursive: true })
})

const call = (method: string, ...params: unknown[]): Promise<TestAnswer> => callWith({}, method, ...params)

async function callWith(more: Record<string, string>, method: string, ...params: unknown[]): Promise<TestAnswer> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const headers = { 'content-type': 'application/json', ...more }
  return (await (await fetch(`http://127.0.0.1:${thread!.port}`, { method: 'POST', headers, body })).json()) as TestAnswer
}

describe('the RPC in a separate thread', { timeout: 60_000 }, () => {
  it('sees each block consistently: no nonce is returned twice, no balance belongs to another block than the block number', async () => {
    thread = await RpcThread.start(options)
    const raws = await testTransfers(bob, 0, 20)
    for (const [nonce, raw] of raws.entries()) {
      expect(await call('eth_sendRawTransaction', bytesToHex(raw))).toMatchObject({ result: expect.stringMatching(/^0x/) })
      const producing = node.produce()
      const pending = await call('eth_getTransactionCount', bob.address, 'pending')
      expect(Number(pending.result)).toBe(nonce + 1)
      await producing
      // The answer to a question about the pool also carries the head.
      expect(await call('txpool_status')).toMatchObject({ result: { pending: '0x0' } })
      expect(Number((await call('eth_blockNumber')).result)).toBe(nonce + 1)
      expect(Number((await call('eth_getTransactionCount', bob.address, 'latest')).result)).toBe(nonce + 1)
    }
    const [first, last] = await Promise.all(['0x0', '0x14'].map((block) => call('eth_getBalance', alice.address, block)))
    expect(BigInt(last!.result as string) - BigInt(first!.result as string)).toBe(20n)
  })

  it('asks the chain who may read from the next block on, and checks tokens with the settings that it was sent', async () => {
    const policies = encodeSystemRecord(SYSTEM_RECORDS.policies, { sending: 'open', deploying: 'open', reading: 'members' })
    amend(node, 1, 'policies', policies)
    const secret = { name: 'secret', text: secretText() }
    const tokens = { secret, keys: [], issuer: undefined, audience: undefined, lifetimeS: 3_600 }
    const identity = { tokens, openMethods: ['eth_chainId'], methodRules: ['eth_blockNumber: token'] }
    thread = await RpcThread.start(options)
    expect(await call('eth_gasPrice')).toMatchObject({ result: '0x0' })
    thread.set({ ...options.data.settings, identity })
    await vi.waitUntil(async () => (await call('eth_blockNumber')).error !== undefined)
    expect(await call('eth_gasPrice')).toMatchObject({ result: '0x0' })
    await node.produce()
    const token = tokenOf({ account: alice.address, exp: Math.floor(Date.now() / 1_000) + 60 }, testSecret)
    const authorized = { authorization: `Bearer ${token}` }
    await vi.waitUntil(async () => (await callWith(authorized, 'eth_blockNumber')).result === '0x1')
    expect(await call('eth_gasPrice')).toMatchObject({ error: { code: 4100, data: { lacking: 'token' } } })
    expect(await callWith(authorized, 'eth_gasPrice')).toMatchObject({
      error: { code: 4100, data: { reason: 'reading-not-permitted', account: alice.address.toLowerCase(), lacking: 'entry' } },
    })
    expect(await call('eth_chainId')).toMatchObject({ result: '0x7a69' })
  })

  it('lists the pool page by page, with the senders that the node recovered', async () => {
    thread = await RpcThread.start(options)
    const raws = [...(await testTransfers(alice, 0, 300)), ...(await testTransfers(bob, 1, 2))]
    for (const raw of raws) await node.pool.add(raw, 'rpc')
    const { result } = (await call('txpool_content')) as {
      result: Record<string, Record<string, Record<string, { from: string }>>>
    }
    const [alices, bobs] = [alice, bob].map(({ address }) => address.toLowerCase())
    expect(Object.keys(result['pending']![alices!]!)).toEqual(Array.from({ length: 300 }, (_, i) => `${i}`))
    expect(result['queued']![bobs!]).toMatchObject({ 1: { from: bobs }, 2: { from: bobs } })
    expect(await call('txpool_contentFrom', bob.address)).toMatchObject({
      result: { pending: {}, queued: result['queued']![bobs!] },
    })
  })

  it('answers the state of its head while the next block is being written', async () => {
    thread = await RpcThread.start(options)
    const raws = await testTransfers(alice, 0, 200)
    let isDone = false
    const producing = (async () => {
      for (let i = 0; i < raws.length; i += 2) await node.produce(raws.slice(i, i + 2))
      isDone = true
    })()
    let reads = 0
    while (!isDone) {
      const body = JSON.stringify([
        { jsonrpc: '2.0', id: 1, method: 'eth_blockNumber' },
        { jsonrpc: '2.0', id: 2, method: 'eth_getTransactionCount', params: [alice.address, 'latest'] },
        { jsonrpc: '2.0', id: 3, method: 'eth_blockNumber' },
      ])
      const headers = { 'content-type': 'application/json' }
      const response = await fetch(`http://127.0.0.1:${thread.port}`, { method: 'POST', headers, body })
      const [before, count, after] = ((await response.json()) as { result: string }[]).map(({ result }) => Number(result))
      // Ignore the result if the head moved between the two calls.
      if (before !== after) continue
      expect(count).toBe(2 * before!)
      reads++
    }
    await producing
    expect(reads).toBeGreaterThan(10)
  })

  it('delivers heads, pending transactions, probes, and the state of the node', async () => {
    thread = await RpcThread.start(options)
    const { WebSocket } = await import('ws')
    const socket = new WebSocket(`ws://127.0.0.1:${thread.port}`)
    const pushed: unknown[] = []
    const two = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        const message = JSON.parse(data.toString()) as { id?: number; params?: { result: unknown } }
        if (message.params !== undefined && pushed.push(message.params.result) === 2) resolve()
      })
    })
    await new Promise((resolve) => socket.once('open', resolve))
    socket.send('{"id":1,"method":"eth_subscribe","params":["newHeads"]}')
    socket.send('{"id":2,"method":"eth_subscribe","params":["newPendingTransactions"]}')
    await vi.waitUntil(() => thread!.stats?.server.subscriptions === 2, { timeout: 5_000 })
    const [raw] = await testTransfers(alice, 0, 1)
    const { result: hash } = await call('eth_sendRawTransaction', bytesToHex(raw!))
    await node.produce()
    await two
    expect(pushed).toEqual([hash, expect.objectContaining({ number: '0x1' })])
    socket.close()
    news = { peers: 5, highest: 9, coinbase: alice.address.toLowerCase() as Address, readRefusal: 'short of memory' }
    await vi.waitUntil(async () => (await call('net_peerCount')).result === '0x5', { timeout: 5_000 })
    expect((await call('eth_syncing')).result).toMatchObject({ currentBlock: '0x1', highestBlock: '0x9' })
    expect((await call('eth_getLogs', {})).error).toMatchObject({ message: 'short of memory' })
    const probe = async (path: string) => (await fetch(`http://127.0.0.1:${thread!.port}${path}`)).status
    expect([await probe('/health'), await probe('/ready'), await probe('/metrics')]).toEqual([200, 503, 200])
  })

  it('tells subscribers when the node falls behind and when it has caught up, and whose fees it gets', async () => {
    thread = await RpcThread.start(options)
    const { WebSocket } = await import('ws')
    const socket = new WebSocket(`ws://127.0.0.1:${thread.port}`)
    const pushed: unknown[] = []
    socket.on('message', (data: Buffer) => {
      const { params } = JSON.parse(data.toString()) as { params?: { result: unknown } }
      if (params !== undefined) pushed.push(params.result)
    })
    await new Promise((resolve) => socket.once('open', resolve))
    socket.send('{"id":1,"method":"eth_subscribe","params":["syncing"]}')
    await vi.waitUntil(() => thread!.stats?.server.subscriptions === 1, { timeout: 5_000 })
    expect((await call('eth_coinbase')).error).toMatchObject({ code: -32000, message: expect.stringContaining('no coinbase') })
    // One block behind is no news.
    news = { ...news, highest: 1 }
    await vi.waitUntil(async () => (await call('eth_syncing')).result !== false, { timeout: 5_000 })
    news = { ...news, highest: 5, coinbase: alice.address.toLowerCase() as Address }
    await vi.waitUntil(() => pushed.length === 1, { timeout: 5_000 })
    expect(pushed[0]).toEqual({ syncing: true, status: { startingBlock: '0x0', currentBlock: '0x0', highestBlock: '0x5' } })
    for (let height = 0; height < 5; height++) await node.produce()
    await vi.waitUntil(() => pushed.length === 2, { timeout: 5_000 })
    expect(pushed[1]).toBe(false)
    expect((await call('eth_coinbase')).result).toBe(alice.address.toLowerCase())
    socket.close()
  })

  it('reports why it cannot listen, and leaves nothing behind', async () => {
    thread = await RpcThread.start(options)
    const taken = { ...options, data: { ...options.data, port: thread.port } }
    await expect(RpcThread.start(taken)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  it('is restarted on the same port when it dies with pending requests', async () => {
    const workers: Worker[] = []
    const { startWorker } = await import('../threads/start-worker.ts')
    const start: StartRpcWorker = (workerData) => {
      const worker = startWorker(import.meta.url, 'rpc-worker', { workerData })
      workers.push(worker)
      return worker
    }
    thread = await RpcThread.start(options, start)
    const { port } = thread
    await workers[0]!.terminate()
    await vi.waitUntil(() => workers.length === 2)
    await vi.waitUntil(async () => (await call('eth_blockNumber').catch(() => undefined))?.result === '0x0', { timeout: 10_000 })
    expect([thread.port, thread.restarts]).toEqual([port, 1])
    await node.produce()
    await vi.waitUntil(async () => (await call('eth_blockNumber')).result === '0x1')
    expect(log.lines).toMatchObject([{ level: 'error', message: expect.stringContaining('starting another one') }])
  })
})

describe('the node', () => {
  /** A thread that only counts messages. */
  const SCRIPT = `
    const { parentPort } = require('node:worker_threads')
    let news = 0
    parentPort.on('message', (message) => {
      if (message.kind === 'close') return parentPort.close()
      if (message.kind === 'news') news++
      if (message.kind === 'settings') parentPort.postMessage({ kind: 'log', level: 'info', fields: { news }, message: 'counted' })
    })
    parentPort.postMessage({ kind: 'listening', port: 1 })
  `

  it('sends a busy thread no more news before it has acknowledged the last', async () => {
    thread = await RpcThread.start(options, () => new Worker(SCRIPT, { eval: true }))
    for (let i = 0; i < 10; i++) await node.produce()
    thread.set(options.data.settings)
    await vi.waitUntil(() => log.lines.length === 2, { timeout: 5_000 })
    expect(log.lines).toMatchObject([{ fields: { news: 0 } }, { fields: { news: 1 } }])
  })

  it('starts no thread after it was terminated while a restart waited', async () => {
    const workers: Worker[] = []
    const begin = (): Worker => {
      const worker = new Worker(SCRIPT, { eval: true })
      workers.push(worker)
      return worker
    }
    const clock = new ManualClock()
    thread = await RpcThread.start({ ...options, clock }, begin)
    await workers[0]!.terminate()
    await vi.waitUntil(() => log.lines.some(({ level }) => level === 'error'), { timeout: 5_000 })
    thread.terminate()
    await thread.close()
    clock.advance(RPC_THREAD_LIMITS.restartMsMax)
    expect(workers).toHaveLength(1)
    await thread.close()
  })

  it('sends the newest settings when a thread listens, even if they changed during its start', async () => {
    const SLOW = `
      const { parentPort } = require('node:worker_threads')
      parentPort.on('message', (message) => {
        if (message.kind === 'close') return parentPort.close()
        if (message.kind === 'listen') return parentPort.postMessage({ kind: 'listening', port: 1 })
        if (message.kind !== 'settings') return
        parentPort.postMessage({ kind: 'log', level: 'info', fields: { units: message.settings.unitsPerSecond }, message: '' })
      })
    `
    const workers: Worker[] = []
    const begin = (): Worker => {
      const worker = new Worker(workers.length === 0 ? SCRIPT : SLOW, { eval: true })
      workers.push(worker)
      return worker
    }
    const clock = new ManualClock()
    thread = await RpcThread.start({ ...options, clock }, begin)
    workers[0]!.postMessage({ kind: 'close' } satisfies ToThread)
    await vi.waitUntil(() => log.lines.some(({ level }) => level === 'error'), { timeout: 5_000 })
    log.lines.length = 0
    clock.advance(RPC_THREAD_LIMITS.restartMsMin)
    // The thread was started with the old settings, and does not listen yet.
    thread.set({ ...options.data.settings, unitsPerSecond: 77 })
    workers[1]!.postMessage({ kind: 'listen' })
    await vi.waitUntil(() => log.lines.length > 0, { timeout: 5_000 })
    expect(log.lines).toMatchObject([{ fields: { units: 77 } }])
  })

  it('sends admitted transactions in messages of limited size', async () => {
    const COUNTING = `
      const { parentPort } = require('node:worker_threads')
      parentPort.on('message', (message) => {
        if (message.kind === 'close') return parentPort.close()
        if (message.kind !== 'news') return
        parentPort.postMessage({ kind: 'log', level: 'info', fields: { bytes: message.admitted.map(({ raw }) => raw.length) }, message: '' })
        parentPort.postMessage({ kind: 'seen' })
      })
      parentPort.postMessage({ kind: 'listening', port: 1 })
      parentPort.postMessage({ kind: 'follow-pool', isWanted: true })
    `
    let admit: (transaction: never) => void = () => {}
    const onAdmitted: RpcThreadOptions['onAdmitted'] = (listener) => {
      admit = listener
      return () => {}
    }
    thread = await RpcThread.start({ ...options, onAdmitted }, () => new Worker(COUNTING, { eval: true }))
    await vi.waitUntil(() => log.lines.length > 0, { timeout: 5_000 })
    const whole = RPC_THREAD_LIMITS.admittedBytesMax
    for (const bytes of [1, whole + 1, whole / 2, whole / 2, 1]) admit({ raw: new Uint8Array(bytes), sender: '0x' } as never)
    const bytesOf = ({ fields }: { readonly fields: object }) => (fields as { readonly bytes: readonly number[] }).bytes
    await vi.waitUntil(() => log.lines.flatMap(bytesOf).length === 5, { timeout: 5_000 })
    const messages = log.lines.map(bytesOf).filter(({ length }) => length > 0)
    expect(messages).toEqual([[1], [whole + 1], [whole / 2, whole / 2], [1]])
  })

  it('restarts threads that keep dying with increasing delay', async () => {
    const clock = new ManualClock()
    const workers: Worker[] = []
    const start = (): Worker => {
      const worker = new Worker(workers.length === 0 ? SCRIPT : 'process.exit(3)', { eval: true })
      workers.push(worker)
      return worker
    }
    thread = await RpcThread.start({ ...options, clock }, start)
    workers[0]!.postMessage({ kind: 'close' } satisfies ToThread)
    const deaths = () => log.lines.filter(({ level }) => level === 'error')
    for (const [i, delay] of [100, 200, 400, 800].entries()) {
      await vi.waitUntil(() => deaths().length === i + 1, { timeout: 5_000 })
      expect(deaths().at(-1)!.fields).toMatchObject({ delayMs: delay })
      clock.advance(delay - 1)
      expect(workers).toHaveLength(i + 1)
      clock.advance(1)
      expect(workers).toHaveLength(i + 2)
    }
    expect(RPC_THREAD_LIMITS.restartMsMin).toBe(100)
  })
})
