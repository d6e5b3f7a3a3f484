import { bytesToHex } from '@quoin/protocol'
import { Contract, JsonRpcProvider, Wallet } from 'ethers'
import { createPublicClient, createWalletClient, type Hex, http, parseEther, publicActions, webSocket } from 'viem'
import { foundry } from 'viem/chains'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTestNode, type TestNode, testAccounts, testTransfers } from '../../test/chain.ts'
import { crypto, fourValidators as validators } from '../../test/fixture.ts'
import { serveTestNode, type TestRpc } from '../../test/rpc.ts'
import type { Probes } from '../health/probes.ts'
import { RpcError } from './errors.ts'

let node: TestNode
let rpc: TestRpc
let url: string

const LIMITS = { bodyBytesMax: 300_000, batchItemsMax: 10, requestMs: 5_000 }
const [alice, bob] = testAccounts as [(typeof testAccounts)[0], (typeof testAccounts)[0]]

beforeEach(async () => {
  node = await openTestNode({ crypto, validators })
  rpc = await serveTestNode(node, crypto, LIMITS)
  url = rpc.url
})

afterEach(() => rpc.server.close())

const post = (body: string) => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
const call: TestRpc['call'] = (...request) => rpc.call(...request)

const publicClient = () => createPublicClient({ chain: foundry, transport: http(url) })
const wallet = (account: (typeof testAccounts)[0]) =>
  createWalletClient({ account, chain: foundry, transport: http(url) }).extend(publicActions)

describe('stock viem', () => {
  it('reads the chain: id, blocks, balances, nonces, fees', async () => {
    await node.produce(await testTransfers(bob, 0, 2))
    const client = publicClient()
    expect(await client.getChainId()).toBe(31_337)
    const block = await client.getBlock({ includeTransactions: true })
    expect(block.number).toBe(1n)
    expect(block.hash).toBe(node.chain.head.hash)
    expect(block.transactions.map(({ from }) => from)).toEqual([bob.address.toLowerCase(), bob.address.toLowerCase()])
    expect(await client.getBlock({ blockHash: block.hash })).toMatchObject({ number: 1n })
    expect(await client.getBlock({ blockTag: 'earliest' })).toMatchObject({ number: 0n })
    expect(await client.getBalance({ address: alice.address })).toBe(10n ** 18n + 2n)
    expect(await client.getBalance({ address: alice.address, blockNumber: 0n })).toBe(10n ** 18n)
    expect(await client.getTransactionCount({ address: bob.address })).toBe(2)
    expect(await client.estimateFeesPerGas()).toEqual({ maxFeePerGas: 0n, maxPriorityFeePerGas: 0n })
    expect(await client.estimateGas({ account: alice, to: bob.address, value: 1n })).toBe(21_000n)
    expect(await client.getFeeHistory({ blockCount: 2, rewardPercentiles: [20] })).toMatchObject({
      baseFeePerGas: [0n, 0n, 0n],
      reward: [[0n], [0n]],
    })
    expect(await client.getCode({ address: alice.address })).toBeUndefined()
  })

  it.each(['legacy', 'eip2930', 'eip1559'] as const)('sends a transaction of type %s and waits for its receipt', async (type) => {
    const client = wallet(alice)
    const hash = await client.sendTransaction({ type, to: bob.address, value: parseEther('0.1') } as never)
    expect(await client.getTransaction({ hash })).toMatchObject({ blockHash: null, from: alice.address.toLowerCase() })
    expect(await client.getTransactionCount({ address: alice.address, blockTag: 'pending' })).toBe(1)
    const waiting = client.waitForTransactionReceipt({ hash, pollingInterval: 20 })
    await node.produce()
    expect(await waiting).toMatchObject({ status: 'success', blockNumber: 1n, gasUsed: 21_000n, effectiveGasPrice: 0n, type })
    expect(await client.getTransaction({ hash })).toMatchObject({
      hash,
      type,
      nonce: 0,
      value: parseEther('0.1'),
      transactionIndex: 0,
    })
  })

  it.each(['legacy', 'eip1559'] as const)(
    'replaces a waiting transaction of type %s at the price 0, as wallets speed up and cancel it',
    async (type) => {
      // Where gas is free, 1.1 times the price of the first transaction is 0 again.
      const client = wallet(alice)
      const fees = type === 'legacy' ? { gasPrice: 0n } : { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }
      const send = (to: Hex, value: bigint) =>
        client.sendTransaction({ type, nonce: 1, gas: 21_000n, to, value, ...fees } as never)
      const first = await send(bob.address, 5n)
      const spedUp = await wallet(alice).sendTransaction({ nonce: 1, gas: 21_000n, to: bob.address, value: 6n })
      const cancelled = await send(alice.address, 0n)
      await client.sendTransaction({ nonce: 0, gas: 21_000n, to: bob.address, value: 1n })
      await node.produce()
      expect(await client.getTransactionReceipt({ hash: cancelled })).toMatchObject({ blockNumber: 1n, status: 'success' })
      for (const hash of [first, spedUp]) expect((await call('eth_getTransactionByHash', hash)).result).toBeNull()
      expect(await client.getTransactionCount({ address: alice.address })).toBe(2)
    },
  )

  it('every transaction object has the timestamp of its block, null while it is pending', async () => {
    const [first, second] = await testTransfers(alice, 0, 2)
    const block = await node.produce([first!])
    const timestamp = `0x${Math.floor(block.header.timeMs / 1_000).toString(16)}`
    const { hash } = block.transactions[0]!
    const ask = ([method, ...params]: readonly [string, ...unknown[]]) => call(method, ...params)
    for (const request of [
      ['eth_getTransactionByHash', hash],
      ['eth_getTransactionByBlockHashAndIndex', block.hash, '0x0'],
      ['eth_getTransactionByBlockNumberAndIndex', '0x1', '0x0'],
    ] as const)
      expect((await ask(request)).result).toMatchObject({ blockTimestamp: timestamp })
    for (const request of [['eth_getBlockByNumber', '0x1', true] as const, ['eth_getBlockByHash', block.hash, true] as const])
      expect((await ask(request)).result).toMatchObject({ timestamp, transactions: [{ blockTimestamp: timestamp }] })
    const pending = await call('eth_sendRawTransaction', bytesToHex(second!))
    expect((await call('eth_getTransactionByHash', pending.result)).result).toMatchObject({
      blockTimestamp: null,
      blockHash: null,
    })
  })

  it('takes the block count of eth_feeHistory as a quantity, a number and decimal text', async () => {
    for (let height = 0; height < 12; height++) await node.produce()
    const expected = await call('eth_feeHistory', '0xa', 'latest', [])
    expect(expected.result).toMatchObject({ oldestBlock: '0x3' })
    for (const count of [10, '10']) expect(await call('eth_feeHistory', count, 'latest', [])).toEqual(expected)
    for (const count of ['', 'ten', '-1', '1.5', 1.5, -1, '99999999999999999'])
      expect((await call('eth_feeHistory', count, 'latest', [])).error?.code, String(count)).toBe(-32602)
  })

  it('answers a re-broadcast with the hash, before and after the block', async () => {
    const [raw] = await testTransfers(alice, 0, 1)
    const client = wallet(alice)
    const serializedTransaction = bytesToHex(raw!) as Hex
    const hash = await client.sendRawTransaction({ serializedTransaction })
    expect(await client.sendRawTransaction({ serializedTransaction })).toBe(hash)
    await node.produce()
    expect(await client.sendRawTransaction({ serializedTransaction })).toBe(hash)
  })

  it('watches blocks over HTTP', async () => {
    const seen: bigint[] = []
    await new Promise<void>((resolve, reject) => {
      const stop = publicClient().watchBlocks({
        pollingInterval: 20,
        emitMissed: true,
        emitOnBegin: true,
        onError: reject,
        onBlock: ({ number }) => {
          seen.push(number)
          if (number === 2n) {
            stop()
            resolve()
          } else node.produce().catch(reject)
        },
      })
    })
    expect(seen).toEqual([0n, 1n, 2n])
  })

  it('watches blocks over WebSocket, each once', async () => {
    const client = createPublicClient({ chain: foundry, transport: webSocket(url.replace('http', 'ws'), { reconnect: false }) })
    // A response on the socket shows that it is open, so the following subscription is active before the next block.
    expect(await client.getChainId()).toBe(31_337)
    const seen: bigint[] = []
    let stop: () => void = () => undefined
    await new Promise<void>((resolve, reject) => {
      stop = client.watchBlocks({
        onError: reject,
        onBlock: ({ number }) => {
          seen.push(number)
          if (number === 3n) resolve()
        },
      })
      client.getBlockNumber().then(async () => {
        for (let i = 0; i < 3; i++) await node.produce()
      }, reject)
    })
    stop()
    expect(seen).toEqual([1n, 2n, 3n])
    const socket = await client.transport.getRpcClient()
    socket.close()
  })
})

describe('stock ethers', () => {
  it('sends, waits, and decodes a refusal', async () => {
    const provider = new JsonRpcProvider(url, 31_337, { staticNetwork: true, pollingInterval: 20 })
    const signer = new Wallet(`0x${'5'.repeat(64)}`, provider)
    expect(signer.address).toBe(alice.address)
    const sent = await signer.sendTransaction({ to: bob.address, value: 7n })
    const waiting = sent.wait()
    await node.produce()
    expect((await waiting)?.status).toBe(1)
    await expect(signer.sendTransaction({ to: bob.address, value: 10n ** 30n })).rejects.toMatchObject({
      code: 'INSUFFICIENT_FUNDS',
    })
    await expect(signer.sendTransaction({ to: bob.address, nonce: 0 })).rejects.toMatchObject({ code: 'NONCE_EXPIRED' })
    expect(Contract).toBeDefined()
    provider.destroy()
  })
})

describe('refusals', () => {
  it.each([
    ['{', -32700],
    ['[]', -32600],
    ['7', -32600],
    ['{"id":1}', -32600],
    ['{"id":{},"method":"eth_chainId"}', -32600],
    ['{"id":1,"method":"eth_nothing"}', -32601],
    ['{"id":1,"method":"constructor"}', -32601],
    ['{"id":1,"method":"eth_getBalance","params":{}}', -32602],
    ['{"id":1,"method":"eth_getBalance","params":[]}', -32602],
    ['{"id":1,"method":"eth_getBalance","params":["0x12"]}', -32602],
    ['{"id":1,"method":"eth_getBalance","params":["0x70997970C51812dc3A010C7d01b50e0d17dc79C8","0x01"]}', -32602],
    ['{"id":1,"method":"eth_getBalance","params":["0x70997970C51812dc3A010C7d01b50e0d17dc79C8","0xffff"]}', -32001],
    ['{"id":1,"method":"eth_chainId","params":[1]}', -32602],
    ['{"id":1,"method":"eth_subscribe","params":["newHeads"]}', -32601],
    ['{"id":1,"method":"eth_feeHistory","params":["0x0","latest"]}', -32602],
    ['{"id":1,"method":"eth_sendRawTransaction","params":["0x"]}', -32003],
    ['{"id":1,"method":"eth_sendRawTransaction","params":["0x03c0"]}', -32003],
  ])('%s answers %i', async (body, code) => {
    const response = await post(body)
    expect(response.status).toBe(200)
    const answer = (await response.json()) as { error: { code: number; message: string } }
    expect(answer.error.code).toBe(code)
    expect(answer.error.message.length).toBeGreaterThan(5)
  })

  it('uses the message for unknown methods that clients match', async () => {
    expect((await call('eth_nothing')).error?.message).toBe('the method eth_nothing does not exist/is not available')
  })

  it('answers each request of a batch in order, and no notification', async () => {
    const batch = [{ id: 1, method: 'eth_chainId' }, { method: 'eth_chainId' }, 3, { id: 'x', method: 'eth_nothing' }]
    const answers = (await (await post(JSON.stringify(batch))).json()) as {
      id: unknown
      result?: unknown
      error?: { code: number }
    }[]
    expect(answers.map(({ id, result, error }) => [id, result ?? error?.code])).toEqual([
      [1, '0x7a69'],
      [null, -32600],
      ['x', -32601],
    ])
    expect((await post('[{"method":"eth_chainId"}]')).status).toBe(204)
  })

  it('refuses a batch and a body over their limits, naming them', async () => {
    const batch = (await (
      await post(JSON.stringify(Array.from({ length: 11 }, () => ({ id: 1, method: 'eth_chainId' }))))
    ).json()) as { error: { code: number; message: string } }
    expect(batch.error).toMatchObject({ code: -32005, message: expect.stringContaining('the limit is 10') })
    const large = await post('x'.repeat(LIMITS.bodyBytesMax + 1))
    expect(large.status).toBe(413)
    expect(await large.json()).toMatchObject({ error: { message: expect.stringContaining('300000 bytes') } })
  })

  it('runs no more requests of a batch once its responses are too large', async () => {
    await rpc.server.close()
    rpc = await serveTestNode(node, crypto, { batchConcurrencyMax: 2, responseBytesMax: 1_000 })
    url = rpc.url
    const [raw] = await testTransfers(alice, 0, 1)
    const block = { method: 'eth_getBlockByNumber', params: ['0x0'] }
    const send = { method: 'eth_sendRawTransaction', params: [bytesToHex(raw!)] }
    const batch = [{ method: 'eth_chainId' }, block, 7, send, block].map((item, id) =>
      typeof item === 'object' ? { id, ...item } : item,
    )
    const answers = (await (await post(JSON.stringify(batch))).json()) as { id: unknown; error?: { code: number } }[]
    expect(answers.map(({ id, error }) => [id, error?.code])).toEqual([
      [0, undefined],
      [1, -32005],
      [null, -32005],
      [3, -32005],
      [4, -32005],
    ])
    expect(node.pool.stats.count).toBe(0)
  })

  it('explains itself to a browser, and serves health and metrics', async () => {
    expect((await fetch(url)).status).toBe(405)
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' })
    expect(await (await fetch(`${url}/ready`)).json()).toEqual({ ready: true })
    expect(await (await fetch(`${url}/metrics`)).text()).toBe('quoin_chain_height 0\n')
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: { origin: 'http://app.test', 'access-control-request-method': 'POST' },
    })
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
  })

  it('answers 503 to probes if the node does not answer', async () => {
    await rpc.server.close()
    const probes: Probes = {
      live: () => Promise.reject(new RpcError('overloaded', 'the node is busy')),
      ready: () => Promise.reject(new Error('a bug')),
      metrics: async () => ({}),
    }
    rpc = await serveTestNode(node, crypto, LIMITS, { probes })
    for (const [path, message] of [
      ['/health', 'the node is busy'],
      ['/ready', 'the node did not answer the probe'],
    ] as const) {
      const response = await fetch(`${rpc.url}${path}`)
      expect(response.status).toBe(503)
      expect(await response.json()).toMatchObject({ error: { message } })
    }
  })

  it('answers probes with 503 and the reason, and refuses reads, if the node says so', async () => {
    await rpc.server.close()
    const reason = { code: 'disk-full', message: 'no room' }
    const probes: Probes = {
      live: async () => ({ isOk: false, body: { status: 'failed', reason } }),
      ready: async () => ({ isOk: false, body: { ready: false, reasons: [reason], warnings: [] } }),
      metrics: async () => ({}),
    }
    rpc = await serveTestNode(node, crypto, LIMITS, { probes, readRefusal: () => 'short of memory' })
    url = rpc.url
    const probe = async (path: string) => {
      const response = await fetch(`${url}${path}`)
      return [response.status, await response.json()]
    }
    expect(await probe('/health')).toEqual([503, { status: 'failed', reason }])
    expect(await probe('/ready')).toEqual([503, { ready: false, reasons: [reason], warnings: [] }])
    for (const method of ['eth_getBlockByNumber', 'eth_call', 'eth_getLogs', 'eth_newFilter', 'eth_subscribe', 'debug_none'])
      expect([method, (await call(method)).error?.code]).toEqual([method, method === 'debug_none' ? -32601 : -32005])
    const [raw] = await testTransfers(alice, 0, 1)
    expect(await call('eth_sendRawTransaction', bytesToHex(raw!))).toMatchObject({ result: expect.stringMatching(/^0x/) })
    expect(await call('eth_getTransactionCount', alice.address, 'pending')).toMatchObject({ result: '0x1' })
  })

  it('waits for the receipt of eth_sendRawTransactionSync, and reports a timeout', async () => {
    const [first, second] = await testTransfers(alice, 0, 2)
    const waiting = call('eth_sendRawTransactionSync', bytesToHex(first!))
    await new Promise<void>((resolve) => {
      const stop = node.pool.onAdmitted(() => {
        stop()
        resolve()
      })
    })
    await node.produce()
    expect(await waiting).toMatchObject({ result: { status: '0x1', blockNumber: '0x1' } })
    expect((await call('eth_sendRawTransactionSync', bytesToHex(second!), 50)).error?.code).toBe(4)
  })

  it('closes a connection with a running request when the server closes', async () => {
    const [raw] = await testTransfers(alice, 0, 1)
    const admitted = new Promise<void>((resolve) => {
      const stop = node.pool.onAdmitted(() => {
        stop()
        resolve()
      })
    })
    const waiting = post(
      JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_sendRawTransactionSync', params: [bytesToHex(raw!)] }),
    )
    await admitted
    const closing = rpc.server.close()
    const answer = await waiting
    expect(answer.headers.get('connection')).toBe('close')
    expect(await answer.json()).toMatchObject({ error: {} })
    await closing
  })
})
