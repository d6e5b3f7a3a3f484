import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Program, run } from '../e2e/program.ts'
import { until } from '../e2e/watch.ts'
import { failureOf, stage } from './stage.ts'

const { nodes, client: clientOf, mine } = stage()

/** Bugs that users of viem's own transports report, on a cluster. */
describe('viem', () => {
  const quick = { intervalMs: 10 }
  const inOrder = { strategy: <node>(list: readonly node[]) => list, healthCheck: false } as const

  it('#3771: a subscription whose socket is lost says so, and a new one goes on at another node', async () => {
    const [one, other] = await nodes(2)
    const client = clientOf([one!.socketUrl, other!.socketUrl], inOrder)
    const heads: unknown[] = []
    const errors: Error[] = []
    const subscription = {
      params: ['newHeads'],
      onData: ({ result }: { readonly result: unknown }) => heads.push((result as { readonly number: string }).number),
      onError: (error: Error) => errors.push(error),
    }
    await client.transport.subscribe(subscription)
    const first = await mine()
    await until('the first head', async () => heads.length === 1, quick)
    await one!.stop()
    await until('the error', async () => errors.length === 1, quick)
    const { unsubscribe } = await client.transport.subscribe(subscription)
    const second = await mine()
    await until('the second head', async () => heads.length === 2, quick)
    await unsubscribe()
    expect(heads).toEqual([first, second].map((height) => `0x${height.toString(16)}`))
    expect([errors.length, client.transport.minHeight()]).toEqual([1, second])
  })

  it('#3771: a watch action outlives the node that it asked', async () => {
    const all = await nodes(2)
    const client = clientOf(
      all.map(({ socketUrl }) => socketUrl),
      inOrder,
    )
    const seen: bigint[] = []
    const unwatch = client.watchBlockNumber({ onBlockNumber: (height) => seen.push(height), pollingInterval: 10 })
    const first = BigInt(await mine())
    await until('the first height', async () => seen.includes(first), quick)
    await all[0]!.stop()
    const second = BigInt(await mine())
    await until('the second height', async () => seen.includes(second), quick)
    unwatch()
    expect(seen).toEqual([...seen].sort((a, b) => Number(a - b)))
  })

  it.each(['url', 'socketUrl'] as const)('#3663: what looks after the nodes does not keep a process alive (%s)', async (url) => {
    const all = await nodes(2)
    const height = await mine()
    const program = fileURLToPath(new URL('ends.mjs', import.meta.url))
    const { code, output } = await run(new Program(process.execPath, [program, ...all.map((node) => node[url])]))
    expect({ code, output }).toEqual({ code: 0, output: `${height}\n` })
  })

  it('#4378: a closed client stays closed, and its sockets with it', async () => {
    const [node] = await nodes(1)
    const [closed, other] = [clientOf([node!.socketUrl], { idle: 60_000 }), clientOf([node!.socketUrl], { idle: 60_000 })]
    const height = await mine()
    await Promise.all([closed.getChainId(), other.getChainId()])
    expect(node!.openConnections).toBe(2)
    closed.transport.close()
    await until('one connection is left', async () => node!.openConnections === 1, quick)
    expect(await failureOf(closed.getChainId())).toMatchObject({ reason: 'closed' })
    expect(await other.getBlockNumber()).toBe(BigInt(height))
    expect(node!.connections).toBe(2)
  })

  it('#3804: a node that is down is not flooded with connections', async () => {
    const [node] = await nodes(1)
    const client = clientOf([node!.socketUrl], { retryCount: 0 })
    node!.faults = { drop: 'before' }
    for (let i = 1; i <= 5; i += 1) {
      await failureOf(client.getChainId())
      expect(node!.connections).toBe(i)
    }
    node!.faults = {}
    await Promise.all(Array.from({ length: 5 }, () => client.getChainId()))
    expect(node!.connections).toBe(6)
  })
})
