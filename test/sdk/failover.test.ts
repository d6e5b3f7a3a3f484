import { keccak256 } from 'viem'
import { describe, expect, it } from 'vitest'
import type { Faults } from './proxy.ts'
import { failureOf, stage } from './stage.ts'

const { nodes, client: clientOf, signed, direct } = stage()

/** In the order of the list, so that a test knows who is asked first. */
const inOrder = { strategy: <node>(list: readonly node[]) => list, healthCheck: false } as const

const ways: readonly (readonly [string, 'url' | 'socketUrl'])[] = [
  ['HTTP', 'url'],
  ['WebSocket', 'socketUrl'],
]

describe.each(ways)('over %s', (way, url) => {
  const faults: readonly (readonly [string, Faults])[] = [
    ['ends the connection before it reads the request', { drop: 'before' }],
    ['ends the connection instead of answering', { drop: 'after' }],
    [
      'is full',
      { refuse: () => ({ code: -32005, message: 'too many requests', data: { reason: 'overloaded', scope: 'node' } }) },
    ],
    ['is full and does not say whose refusal it is', { refuse: () => ({ code: -32005, message: 'too many requests' }) }],
    ...(way === 'HTTP' ? [['is hidden by a proxy that fails', { status: 502 }] as const] : []),
  ]
  it.each(faults)('a read goes to the next node if one %s', async (_, fault) => {
    const [bad, good] = await nodes(2)
    bad!.faults = fault
    const client = clientOf([bad![url], good![url]], inOrder)
    expect(await client.getChainId()).toBe(31_337)
    expect([bad!.count('eth_chainId'), good!.count('eth_chainId')]).toEqual([1, 1])
  })

  it.each(faults)('a raw transaction goes to the next node if one %s, and is sent once', async (_, fault) => {
    const [bad, good] = await nodes(2)
    bad!.faults = fault
    const client = clientOf([bad![url], good![url]], inOrder)
    const raw = await signed(0)
    expect(await client.sendRawTransaction({ serializedTransaction: raw })).toBe(keccak256(raw))
    expect(good!.count('eth_sendRawTransaction')).toBe(1)
    expect(await direct().waitForTransactionReceipt({ hash: keccak256(raw) })).toMatchObject({ status: 'success' })
  })

  it('a synchronous send that was answered by nobody is answered with the receipt by the next node', async () => {
    const [bad, good] = await nodes(2)
    bad!.faults = { drop: 'after' }
    const client = clientOf([bad![url], good![url]], inOrder)
    const raw = await signed(1)
    const receipt = await client.sendRawTransactionSync({ serializedTransaction: raw })
    expect(receipt).toMatchObject({ transactionHash: keccak256(raw), status: 'success' })
  })

  it('what every node would refuse is thrown at once, as viem throws it', async () => {
    const [first, second] = await nodes(2)
    const client = clientOf([first![url], second![url]], inOrder)
    await failureOf(client.request({ method: 'eth_getBalance', params: ['0x12', 'latest'] }))
    expect(second!.count('eth_getBalance')).toBe(0)
  })
})
