import { type Address, type Hex, unwrap } from '@quoin/protocol'
import { expect, it } from 'vitest'
import { type TestNode, testAccounts, testTransfers } from '../../test/chain.ts'
import { crypto } from '../../test/fixture.ts'
import { type TestRpc, testBackend, testCall } from '../../test/rpc.ts'
import { serveEach } from '../../test/serve-each.ts'
import type { JsonText } from './json-text.ts'
import { txpoolMethods } from './methods/txpool.ts'

let node: TestNode
let rpc: TestRpc
type Account = (typeof testAccounts)[0]
const [alice, bob, carol] = testAccounts as [Account, Account, Account]
const lower = ({ address }: { readonly address: Hex }) => address.toLowerCase() as Address

serveEach((opened, served) => {
  node = opened
  rpc = served
})

const result = async (method: string, ...params: unknown[]) => (await rpc.call(method, ...params)).result

async function fill(): Promise<void> {
  for (const raw of [
    ...(await testTransfers(alice, 0, 3)),
    ...(await testTransfers(bob, 0, 1)),
    ...(await testTransfers(bob, 2, 2)),
  ])
    unwrap(await node.pool.add(raw, 'rpc'))
}

it('an empty pool is shown as empty', async () => {
  const empty = { pending: {}, queued: {} }
  expect(await result('txpool_content')).toEqual(empty)
  expect(await result('txpool_inspect')).toEqual(empty)
  expect(await result('txpool_contentFrom', alice.address)).toEqual(empty)
})

it('the content is grouped by sender and nonce, pending apart from queued, each as eth_getTransactionByHash answers it', async () => {
  await fill()
  const content = (await result('txpool_content')) as Record<string, Record<Address, Record<string, { hash: Hex }>>>
  const nonces = Object.entries(content).map(([part, senders]) => [
    part,
    ...Object.entries(senders).map(([sender, transactions]) => [sender, Object.keys(transactions)]),
  ])
  expect(nonces).toEqual([
    ['pending', [lower(alice), ['0', '1', '2']], [lower(bob), ['0']]],
    ['queued', [lower(bob), ['2', '3']]],
  ])
  const status = (await result('txpool_status')) as Record<string, Hex>
  for (const [part, senders] of Object.entries(content)) {
    const all = Object.values(senders).flatMap((transactions) => Object.values(transactions))
    expect(Number(status[part])).toBe(all.length)
    for (const transaction of all) expect(await result('eth_getTransactionByHash', transaction.hash)).toEqual(transaction)
  }
  expect(await result('txpool_contentFrom', bob.address)).toEqual({
    pending: content['pending']![lower(bob)],
    queued: content['queued']![lower(bob)],
  })
  expect(await result('txpool_contentFrom', carol.address)).toEqual({ pending: {}, queued: {} })
})

it('the inspection has the text of go-ethereum', async () => {
  await fill()
  const creation = await carol.signTransaction({ type: 'eip1559', chainId: 31_337, gas: 60_000n, maxFeePerGas: 5n, data: '0x01' })
  await result('eth_sendRawTransaction', creation)
  const { pending, queued } = (await result('txpool_inspect')) as Record<string, Record<Address, Record<string, string>>>
  expect(pending![lower(carol)]).toEqual({ 0: 'contract creation: 0 wei + 60000 gas × 5 wei' })
  expect(queued![lower(bob)]!['3']).toBe(`${lower(alice)}: 1 wei + 21000 gas × 1 wei`)
})

it('a content that is too large is refused with what to ask instead, and its walk ends', async () => {
  await fill()
  const backend = testBackend(node, crypto)
  const { call, shared } = testCall(backend, { responseBytesMax: 1_000 })
  let taken = 0
  const counted: typeof backend = {
    ...backend,
    pool: {
      ...backend.pool,
      async *walk(sender, client) {
        for await (const one of backend.pool.walk(sender, client)) {
          taken++
          yield one
        }
      },
    },
  }
  await expect(txpoolMethods['txpool_content']!.run(counted, [], call)).rejects.toMatchObject({
    code: -32005,
    message:
      'response too large: it exceeds 1000 bytes, ask for one sender with txpool_contentFrom, or for counts with txpool_status',
  })
  expect(taken).toBe(2)
  const short = (await txpoolMethods['txpool_inspect']!.run(counted, [], call)) as JsonText
  expect(JSON.parse(short.pieces.join(''))).toHaveProperty('pending')
  await shared.close()
})

it('a large content comes in pieces, and others have their turn between transactions', async () => {
  for (const raw of await testTransfers(alice, 0, 200)) unwrap(await node.pool.add(raw, 'rpc'))
  const backend = testBackend(node, crypto)
  const { call, shared } = testCall(backend)
  let turns = 0
  const busy = {
    ...call,
    limits: call.limits,
    identity: call.identity,
    isSliceOver: () => true,
    nextTurn: async () => void turns++,
    hold: () => {},
  }
  const text = (await txpoolMethods['txpool_content']!.run(backend, [], busy as never)) as JsonText
  expect(turns).toBe(200)
  expect(text.pieces.length).toBeGreaterThan(3)
  const { pending } = JSON.parse(text.pieces.join('')) as { pending: Record<Address, object> }
  expect(Object.keys(pending[lower(alice)]!)).toHaveLength(200)
  await shared.close()
})
