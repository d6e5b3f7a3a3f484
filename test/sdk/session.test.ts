import { describe, expect, it } from 'vitest'
import { BehindError, streamBlocks } from '../../packages/sdk/src/index.ts'
import { until } from '../e2e/watch.ts'
import { failureOf, stage } from './stage.ts'

const { nodes, client: clientOf, mine } = stage()

const inOrder = { strategy: <node>(list: readonly node[]) => list, healthCheck: false, retryDelay: 1 } as const
const ADDRESS = '0x00000000000000000000000000000000000000aa'

describe.each([
  ['says that it is behind', true],
  ['does not know minHeight', false],
])('a node that is behind and %s', (_, knowsMinHeight) => {
  it('never shows a height below one that was seen', async () => {
    const height = await mine(3)
    const [node, behind] = await nodes(2)
    const client = clientOf([behind!.url, node!.url], { ...inOrder, strategy: 'round-robin' })
    // The first answer comes from the node that is behind, which is no lie yet.
    behind!.faults = { head: height - 2, knowsMinHeight }
    const heights: bigint[] = []
    for (let i = 0; i < 8; i += 1) heights.push(await client.getBlockNumber(), (await client.getBlock()).number)
    expect(heights).toEqual([...heights].sort((a, b) => Number(a - b)))
    expect(heights.at(-1)).toBe(BigInt(height))
  })

  it('is no help when it is alone: the error has its height', async () => {
    const height = await mine(3)
    const [node] = await nodes(1)
    const client = clientOf([node!.url], inOrder)
    await client.getBlockNumber()
    node!.faults = { head: height - 1, knowsMinHeight }
    const error = await failureOf(client.getBlockNumber())
    expect(error).toBeInstanceOf(BehindError)
    expect(error).toMatchObject({ reason: 'behind', height: height - 1, minHeight: height })
  })
})

it('every read names the highest height that was seen; a send does not', async () => {
  const [one, other] = await nodes(2)
  const client = clientOf([one!.url, other!.url], { ...inOrder, strategy: 'round-robin' })
  await client.getBalance({ address: ADDRESS })
  const height = await mine()
  await client.getBlockNumber()
  await client.getBalance({ address: ADDRESS })
  const raw = '0x02'
  await failureOf(client.sendRawTransaction({ serializedTransaction: raw }))
  const asked = [...one!.arrived, ...other!.arrived].map(({ method, minHeight }) => [method, minHeight])
  expect(asked).toContainEqual(['eth_getBalance', undefined])
  expect(asked).toContainEqual(['eth_getBalance', `0x${height.toString(16)}`])
  expect(asked).toContainEqual(['eth_sendRawTransaction', undefined])
})

it('a block that one node lacks and another has shown is read from the other', async () => {
  const height = await mine(3)
  const [node, behind] = await nodes(2)
  const client = clientOf([node!.url, behind!.url], { ...inOrder, strategy: (list) => order.map((i) => list[i]!) })
  let order = [0, 1]
  await client.getBlockNumber()
  order = [1, 0]
  const refusals = [
    { code: -32001, message: 'block not found' },
    { code: -32602, message: `block ${height} is beyond the head` },
    { code: -32001, message: 'block not found', data: { reason: 'block-not-found', scope: 'node', height: height - 1 } },
  ]
  for (const refusal of refusals) {
    behind!.faults = { refuse: () => refusal }
    expect(await client.getBalance({ address: ADDRESS, blockNumber: BigInt(height) })).toBe(0n)
  }
  // No node has shown this block, so that no other node is asked.
  const before = node!.count('eth_getBalance')
  behind!.faults = { refuse: () => refusals[0] }
  await failureOf(client.getBalance({ address: ADDRESS, blockNumber: BigInt(height) + 100n }))
  expect(node!.count('eth_getBalance')).toBe(before)
})

it('an absurd height of one node among three is not believed', async () => {
  const height = await mine()
  const [one, other, liar] = await nodes(3)
  let order = [0]
  const client = clientOf([one!.url, other!.url, liar!.url], { ...inOrder, strategy: (list) => order.map((i) => list[i]!) })
  for (const i of [0, 1]) {
    order = [i]
    await client.getBlockNumber()
  }
  liar!.faults = { claims: 1_000_000_000 }
  order = [2, 0, 1]
  expect(await client.getBlockNumber()).toBe(BigInt(height))
  expect(client.transport.minHeight()).toBe(height)
})

it('a height that is too high, and believed, holds reads and no stream that has begun', async () => {
  const [node, liar] = await nodes(2)
  const client = clientOf([node!.url, liar!.url], { ...inOrder, strategy: (list) => order.map((i) => list[i]!) })
  let order = [0, 1]
  const blocks = streamBlocks(client)[Symbol.asyncIterator]()
  const first = blocks.next()
  await until('the stream waits', async () => node!.count('quoin_getStream') === 2, { intervalMs: 5 })
  const height = await mine()
  expect((await first).value!.number).toBe(BigInt(height))
  liar!.faults = { claims: height + 40 }
  order = [1, 0]
  expect(await client.getBlockNumber()).toBe(BigInt(height + 40))
  // The honest node alone.
  order = [0]
  expect(await failureOf(client.getBalance({ address: ADDRESS }))).toMatchObject({ reason: 'behind' })
  // The first of these was asked for before the lie.
  for (const above of [1, 2, 3]) {
    const next = blocks.next()
    await mine()
    expect((await next).value!.number).toBe(BigInt(height + above))
  }
  await blocks.return(undefined)
})
