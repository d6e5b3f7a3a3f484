import { keccak256 } from 'viem'
import { beforeAll, describe, expect, it } from 'vitest'
import { memoryStore, refusalOf, streamContractEvents, trackedSends } from '../../packages/sdk/src/index.ts'
import { account } from '../e2e/harness.ts'
import { until } from '../e2e/watch.ts'
import { abi, type Counter, counter } from './counter.ts'
import type { NodeProxy } from './proxy.ts'
import { failureOf, stage } from './stage.ts'

const { nodes, client: clientOf, direct, mine, signed, url } = stage()
const quick = { intervalMs: 10 }
const SINK = '0x00000000000000000000000000000000dead0001'

let emitter: Counter
beforeAll(async () => {
  emitter = await counter({ direct, url })
})

/** What users of other libraries report, on this one. viem's own: viem-issues.test.ts. */
describe('bugs of others', () => {
  it('viem #4364: a send whose request fails leaves no gap of nonces behind', async () => {
    const [node] = (await nodes(1)) as [NodeProxy]
    const client = clientOf([node.url], { retryCount: 0 })
    const sends = trackedSends({ client, account: account(4), store: memoryStore() })
    await sends.sendTransaction({ to: SINK, value: 1n }).receipt
    let failures = 0
    node.faults = {
      refuse: ({ method }) => {
        if (method !== 'eth_sendRawTransaction' || failures === 2) return undefined
        failures += 1
        return { code: -32603, message: 'the network is down' }
      },
    }
    const receipts = await Promise.all([2n, 3n, 4n].map((value) => sends.sendTransaction({ to: SINK, value }).receipt))
    await sends.close()
    expect(failures).toBe(2)
    expect(receipts.map(({ status }) => status)).toEqual(['success', 'success', 'success'])
    expect(await direct().getTransactionCount({ address: account(4).address })).toBe(4)
  })

  it('web3.js #3491: events of the time without a connection are not lost', async () => {
    const [node] = (await nodes(1)) as [NodeProxy]
    const { address, emit } = emitter
    const before = await direct().readContract({ address, abi, functionName: 'total' })
    const client = clientOf([node.socketUrl])
    const seen: bigint[] = []
    const stop = new AbortController()
    const stream = streamContractEvents(client, { abi, address, eventName: 'Counted', signal: stop.signal })
    const reading = (async () => {
      for await (const { args } of stream) if (seen.push(args.number - before) === 6) return
    })()
    await until('the stream is open', async () => node.count('quoin_getStream') > 1, quick)
    await emit(4)
    await until('four events', async () => seen.length === 4, quick)
    await node.stop()
    await emit(2)
    await node.listen()
    await reading
    expect(seen).toEqual([1n, 2n, 3n, 4n, 5n, 6n])
  })

  it('ethers #4104: a node that forgot its filters does not silence a listener', async () => {
    const [node] = (await nodes(1)) as [NodeProxy]
    const { address, emit } = emitter
    const client = clientOf([node.url])
    const heard: bigint[] = []
    const unwatch = client.watchContractEvent({
      abi,
      address,
      eventName: 'Counted',
      onLogs: (logs) => heard.push(...logs.map(({ args }) => args.number!)),
    })
    await until('the filter is asked', async () => node.count('eth_getFilterChanges') > 0, quick)
    let isForgotten = false
    // As after a restart: the node does not know the filter that was made before.
    node.faults = {
      refuse({ method }) {
        if (method === 'eth_newFilter') isForgotten = true
        const knows = method !== 'eth_getFilterChanges' || isForgotten
        return knows
          ? undefined
          : { code: -32000, message: 'filter not found', data: { reason: 'filter-not-found', scope: 'node' } }
      },
    }
    await until(
      'a new filter is asked',
      async () => {
        const asked = node.arrived.map(({ method }) => method)
        return isForgotten && asked.lastIndexOf('eth_getFilterChanges') > asked.lastIndexOf('eth_newFilter')
      },
      quick,
    )
    const total = await direct().readContract({ address, abi, functionName: 'total' })
    await emit(1)
    await until('the event', async () => heard.includes(total + 1n), quick)
    unwatch()
  })

  it('cosmos-sdk #3878: who stops waiting does not pay twice by sending again', async () => {
    const client = clientOf([url()])
    const sends = trackedSends({ client, account: account(5), store: memoryStore() })
    const stop = new AbortController()
    const pay = (signal?: AbortSignal) =>
      sends.sendTransaction({ to: SINK, value: 1n, gas: 50_000n, id: 'rent', ...(signal && { signal }) })
    await direct().request({ method: 'evm_setAutomine', params: [false] } as never)
    try {
      const first = pay(stop.signal)
      const hash = await first.hash()
      stop.abort(new Error('that takes too long'))
      expect(await failureOf(first.receipt)).toMatchObject({ message: 'that takes too long' })
      const again = pay()
      await mine()
      expect((await again.receipt).transactionHash).toBe(hash)
    } finally {
      await direct().request({ method: 'evm_setAutomine', params: [true] } as never)
    }
    await sends.close()
    expect(await direct().getTransactionCount({ address: account(5).address })).toBe(1)
  })

  it('cosmos-sdk #3878: a wait that times out names the transaction, which may still be included', async () => {
    const client = clientOf([url()])
    await direct().request({ method: 'evm_setAutomine', params: [false] } as never)
    const serializedTransaction = await signed(6)
    const request = client.request({ method: 'eth_sendRawTransactionSync', params: [serializedTransaction, 50] } as never)
    const refusal = refusalOf(await failureOf(request))
    await direct().request({ method: 'evm_setAutomine', params: [true] } as never)
    await mine()
    expect(refusal).toMatchObject({ reason: 'not-included', scope: 'chain', data: keccak256(serializedTransaction) })
    expect(await direct().getTransactionReceipt({ hash: keccak256(serializedTransaction) })).toMatchObject({ status: 'success' })
  })
})
