import { type Hex, InvalidInputRpcError, keccak256 } from 'viem'
import { describe, expect, it } from 'vitest'
import { cluster, type NodeStatus, NodesFailedError, NotThroughClusterError, refusalOf } from '../../packages/sdk/src/index.ts'
import { until } from '../e2e/watch.ts'
import { failureOf, QUICK, stage } from './stage.ts'

const { nodes, client: clientOf, mine, signed, direct } = stage()

const inOrder = { strategy: <node>(list: readonly node[]) => list } as const
const statusOf = (client: { readonly transport: { nodes(): readonly NodeStatus[] } }) => client.transport.nodes()
const quick = { intervalMs: 10 }

describe('a node that is killed', () => {
  it('fails no read', async () => {
    const all = await nodes(3)
    const client = clientOf(
      all.map(({ url }, i) => (i === 1 ? all[1]!.socketUrl : url)),
      { strategy: 'round-robin' },
    )
    const read = async (i: number) => {
      if (i === 20) await all[0]!.stop()
      if (i === 40) await all[1]!.stop()
      return client.getBalance({ address: '0x00000000000000000000000000000000000000aa' })
    }
    const balances = await Promise.all(Array.from({ length: 60 }, (_, i) => read(i)))
    expect(balances).toEqual(Array.from({ length: 60 }, () => 0n))
  })

  it('fails no send, and no transaction is included twice', async () => {
    const all = await nodes(3)
    const client = clientOf(
      all.map(({ url }) => url),
      { strategy: 'round-robin' },
    )
    const hashes: Hex[] = []
    for (let i = 0; i < 6; i += 1) {
      if (i === 2) await all[0]!.stop()
      if (i === 4) all[1]!.faults = { drop: 'after' }
      const serializedTransaction = await signed(2)
      expect(await client.sendRawTransaction({ serializedTransaction })).toBe(keccak256(serializedTransaction))
      hashes.push(keccak256(serializedTransaction))
    }
    for (const hash of hashes) expect(await direct().waitForTransactionReceipt({ hash })).toMatchObject({ status: 'success' })
  })

  it('opens its breaker, and is used again when it is back', async () => {
    const [one, other] = await nodes(2)
    const client = clientOf([one!.url, other!.url], { ...inOrder, idle: 60_000 })
    await client.getChainId()
    await one!.stop()
    await until('the breaker opens', async () => statusOf(client)[0]!.breaker !== 'closed', quick)
    await client.getChainId()
    expect(other!.count('eth_chainId')).toBe(1)
    await one!.listen()
    await until('the breaker closes', async () => statusOf(client)[0]!.breaker === 'closed', quick)
    await client.getChainId()
    expect(one!.count('eth_chainId')).toBe(2)
  })
})

it.each(['url', 'socketUrl'] as const)(
  'a frozen node: a read that waits for it is moved when health checks find out (%s)',
  async (url) => {
    const [frozen, good] = await nodes(2)
    frozen!.faults = { freeze: true }
    const healthCheck = { interval: 10, timeout: 1_000 }
    // Without the checks it would wait for the time limit of a request, and so does this test.
    const client = clientOf([frozen![url], good!.url], { ...inOrder, timeout: 600_000, healthCheck })
    expect(await client.getChainId()).toBe(31_337)
  },
)

it('a frozen node: a read goes on after its time limit', async () => {
  const [frozen, good] = await nodes(2)
  frozen!.faults = { freeze: true }
  const client = clientOf([frozen!.url, good!.url], { ...inOrder, timeout: 2_000, healthCheck: false })
  expect(await client.getChainId()).toBe(31_337)
})

it('all down: one error names what happened at each node', async () => {
  const [one, other] = await nodes(2)
  await one!.stop()
  other!.faults = { status: 502 }
  const client = clientOf([one!.url.replace('//', '//user:secret@'), other!.url], { healthCheck: false })
  const error = (await failureOf(client.getChainId())) as { walk(is: (error: unknown) => boolean): NodesFailedError }
  const failed = error.walk((cause) => cause instanceof NodesFailedError)
  expect(failed.errors.map(({ url }) => url).sort()).toEqual([one!.url, other!.url].sort())
  expect(failed.message).toContain(one!.url)
  expect(failed.message).toContain(other!.url)
  expect([failed.message, failed.errors[0]!.error.message].join()).not.toContain('secret')
  expect(refusalOf(error)).toBeUndefined()
  // Every breaker is open now, and still a node that is back is found.
  await one!.listen()
  expect(await client.getChainId()).toBe(31_337)
})

it('a node that asks to be left alone is asked last', async () => {
  const [busy, other] = await nodes(2)
  const data = { reason: 'rate-limited', scope: 'node', retryAfterMs: 60_000 }
  busy!.faults = { refuse: () => ({ code: -32005, message: 'too many requests', data }) }
  const client = clientOf([busy!.url, other!.url], { ...inOrder, healthCheck: false })
  for (let i = 0; i < 3; i += 1) await client.getChainId()
  expect([busy!.count('eth_chainId'), other!.count('eth_chainId')]).toEqual([1, 3])
})

it('the same refusal of all nodes is thrown as it is, and keeps its reason', async () => {
  const all = await nodes(2)
  const data = { reason: 'pool-full', scope: 'node' }
  for (const { faults } of all) faults.refuse = () => ({ code: -32005, message: 'the pool is full', data })
  const client = clientOf(
    all.map(({ url }) => url),
    { healthCheck: false },
  )
  const error = await failureOf(client.sendRawTransaction({ serializedTransaction: await signed(3) }))
  expect(refusalOf(error)).toMatchObject({ reason: 'pool-full', scope: 'node', code: -32005 })
})

describe('hedging', () => {
  it('asks a second node when the first is slow, and ends the request that lost', async () => {
    const [slow, fast] = await nodes(2)
    slow!.faults = { freeze: true }
    const client = clientOf([slow!.url, fast!.url], { ...inOrder, hedge: 20, timeout: 600_000, healthCheck: false })
    expect(await client.getChainId()).toBe(31_337)
    expect(slow!.count('eth_chainId')).toBe(1)
    await until('the connection of the loser is closed', async () => slow!.openConnections === 0, quick)
    expect(statusOf(client)[0]).toMatchObject({ inFlight: 0, breaker: 'closed' })
  })

  it('never sends a transaction to two nodes because one is slow', async () => {
    const [slow, fast] = await nodes(2)
    slow!.faults = { delayMs: 100 }
    const client = clientOf([slow!.url, fast!.url], { ...inOrder, hedge: 10, healthCheck: false })
    await client.sendRawTransaction({ serializedTransaction: await signed(4) })
    expect(fast!.count('eth_sendRawTransaction')).toBe(0)
  })
})

describe.each(['url', 'socketUrl'] as const)('abort (%s)', (url) => {
  it('ends a request with the reason, and asks no other node', async () => {
    const [frozen, other] = await nodes(2)
    frozen!.faults = { freeze: true }
    const client = clientOf([frozen![url], other![url]], { ...inOrder, healthCheck: false })
    const controller = new AbortController()
    const request = failureOf(client.request({ method: 'eth_chainId' }, { signal: controller.signal }))
    await until('the request arrives', async () => frozen!.count('eth_chainId') === 1, quick)
    const reason = new Error('the user left')
    controller.abort(reason)
    expect(await request).toBe(reason)
    expect(other!.count('eth_chainId')).toBe(0)
    expect(await failureOf(client.request({ method: 'eth_chainId' }, { signal: controller.signal }))).toBe(reason)
  })
})

it('a transaction that the network doubles is sent once', async () => {
  const [node] = await nodes(1)
  node!.faults = { double: true }
  const serializedTransaction = await signed(5)
  const hash = await clientOf([node!.url]).sendRawTransaction({ serializedTransaction })
  expect(await direct().waitForTransactionReceipt({ hash })).toMatchObject({ status: 'success' })
})

it('`already known` is success: the transaction is there', async () => {
  const [node] = await nodes(1)
  node!.faults = { refuse: () => ({ code: -32000, message: 'already known' }) }
  const serializedTransaction = await signed(6)
  expect(await clientOf([node!.url]).sendRawTransaction({ serializedTransaction })).toBe(keccak256(serializedTransaction))
})

it('what may change something is asked of one node, once', async () => {
  const all = await nodes(2)
  for (const { faults } of all) faults.drop = 'after'
  const client = clientOf(
    all.map(({ url }) => url),
    { healthCheck: false },
  )
  const before = await mine()
  expect(await failureOf(client.request({ method: 'evm_mine' } as never))).toBeInstanceOf(NodesFailedError)
  expect(all.map((one) => one.count('evm_mine')).sort()).toEqual([0, 1])
  expect(await direct().getBlockNumber()).toBe(BigInt(before) + 1n)
})

it('a filter stays with its node, and viem makes a new one when that node is lost', async () => {
  const all = await nodes(3)
  const client = clientOf(
    all.map(({ url }) => url),
    { strategy: 'round-robin', healthCheck: false },
  )
  const filter = await client.createBlockFilter()
  for (let i = 0; i < 3; i += 1) {
    const height = await mine()
    const { hash } = await direct().getBlock({ blockNumber: BigInt(height) })
    expect(await client.getFilterChanges({ filter })).toEqual([hash])
  }
  const home = all.find((one) => one.count('eth_newBlockFilter') === 1)!
  expect(home.count('eth_getFilterChanges')).toBe(3)
  await home.stop()
  const lost = await failureOf(client.getFilterChanges({ filter }))
  expect(lost).toBeInstanceOf(InvalidInputRpcError)
  expect(refusalOf(lost)).toMatchObject({ reason: 'filter-not-found', scope: 'node' })
})

describe('strategies', () => {
  const counts = async (strategy: NonNullable<Parameters<typeof cluster>[1]>['strategy'], reads: number, weights = [1, 1, 1]) => {
    const all = await nodes(3)
    // More than a busy machine adds to the others.
    all[2]!.faults = { delayMs: 400 }
    const client = clientOf(
      all.map(({ url }, i) => ({ url, weight: weights[i] })),
      { strategy, idle: 60_000 },
    )
    await client.getBlockNumber()
    await until('all latencies are known', async () => statusOf(client).every(({ latencyMs }) => latencyMs !== undefined), quick)
    for (let i = 0; i < reads; i += 1) await client.getChainId()
    return all.map((one) => one.count('eth_chainId'))
  }

  it('round-robin takes turns', async () => {
    expect(await counts('round-robin', 9)).toEqual([3, 3, 3])
  })

  it('fastest leaves a slow node alone', async () => {
    expect((await counts('fastest', 9))[2]).toBe(0)
  })

  it('weighted follows the weights', async () => {
    const [light, heavy] = await counts('weighted', 40, [1, 1_000_000, 1])
    expect(heavy).toBeGreaterThan(light!)
  })

  it('a function decides itself, and its nodes only are asked', async () => {
    const [, , third] = await counts((list) => list.filter((_, i) => i === 2), 3)
    expect(third).toBe(3)
  })
})

describe('clients', () => {
  it('of one transport have their own connections and heights', async () => {
    const [node] = await nodes(1)
    await mine()
    const transport = cluster([node!.socketUrl], QUICK)
    const [one, other] = [transport({}), transport({})]
    try {
      await one.request({ method: 'eth_blockNumber' })
      await other.request({ method: 'eth_chainId' })
      expect(node!.connections).toBe(2)
      expect(one.value!.minHeight()).toBeGreaterThan(0)
      expect(other.value!.minHeight()).toBeUndefined()
      one.value!.close()
      expect(await failureOf(one.request({ method: 'eth_chainId' }))).toMatchObject({ reason: 'closed' })
      expect(await other.request({ method: 'eth_chainId' })).toBe('0x7a69')
    } finally {
      one.value!.close()
      other.value!.close()
    }
  })

  it('refuse to be made of nothing, and of what is no URL', () => {
    expect(() => cluster([])).toThrow('at least one node')
    expect(() => cluster(['localhost:8545'])).toThrow('http://')
  })

  it('refuse a raw eth_subscribe, and say what to use', async () => {
    const [node] = await nodes(1)
    const client = clientOf([node!.socketUrl])
    const refused = await failureOf(client.request({ method: 'eth_subscribe', params: ['newHeads'] } as never))
    expect(refused).toBeInstanceOf(NotThroughClusterError)
  })
})
