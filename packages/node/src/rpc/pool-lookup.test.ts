import { bytesToHex, type Hash, type Hex, unwrap } from '@quoin/protocol'
import { keccak256 } from 'viem'
import { describe, expect, it } from 'vitest'
import { type TestNode, testAccounts, testTransfers } from '../../test/chain.ts'
import { crypto } from '../../test/fixture.ts'
import { type TestRpc, testBackend, testCall } from '../../test/rpc.ts'
import { serveEach } from '../../test/serve-each.ts'
import type { RpcBackend } from './backend.ts'
import { transactionMethods } from './methods/transactions.ts'

let node: TestNode
let rpc: TestRpc
const [alice, bob] = testAccounts as [(typeof testAccounts)[0], (typeof testAccounts)[0]]

serveEach((opened, served) => {
  node = opened
  rpc = served
})

const signed = (changes: object) =>
  alice.signTransaction({
    ...{ type: 'legacy', chainId: 31_337, to: bob.address, gas: 21_000n, gasPrice: 1n, value: 1n, nonce: 0 },
    ...changes,
  } as never)

/** What the node says of a transaction: block number, `pending`, or nothing. */
async function told(hash: Hex): Promise<unknown> {
  const { result } = (await rpc.call('eth_getTransactionByHash', hash)) as { result: { blockNumber: Hex | null } | null }
  const receipt = (await rpc.call('eth_getTransactionReceipt', hash)).result
  expect(receipt === null).toBe((result?.blockNumber ?? null) === null)
  return result === null ? 'nothing' : (result.blockNumber ?? 'pending')
}

const nextNonce = async () => (await rpc.call('eth_getTransactionCount', alice.address, 'pending')).result

describe('eth_getTransactionByHash knows a transaction of the pool or of the chain, and no other', () => {
  it.each([
    ['insufficient funds', { value: 10n ** 28n }],
    ['nonce too high', { nonce: 100_000 }],
    ['exceeds', { gas: 10n ** 9n }],
  ])('not one that was refused: %s', async (_, changes) => {
    const raw = await signed(changes)
    expect((await rpc.call('eth_sendRawTransaction', raw)).error?.code).toBe(-32003)
    // Its sender was recovered, so the node could know it.
    expect(node.pool.verified(keccak256(raw) as Hash)).toBeDefined()
    expect(await told(keccak256(raw))).toBe('nothing')
    expect(await nextNonce()).toBe('0x0')
  })

  it('not one whose nonce was used', async () => {
    await node.produce(await testTransfers(alice, 0, 1))
    const raw = await signed({ value: 9n })
    expect((await rpc.call('eth_sendRawTransaction', raw)).error?.message).toContain('nonce too low')
    expect(await told(keccak256(raw))).toBe('nothing')
  })

  it('not one that was replaced, before and after the other is final', async () => {
    const [first, second] = [await signed({ value: 1n }), await signed({ value: 2n })]
    for (const raw of [first, second]) expect(await rpc.call('eth_sendRawTransaction', raw)).toHaveProperty('result')
    expect([await told(keccak256(first)), await told(keccak256(second))]).toEqual(['nothing', 'pending'])
    expect(await nextNonce()).toBe('0x1')
    await node.produce()
    expect([await told(keccak256(first)), await told(keccak256(second))]).toEqual(['nothing', '0x1'])
  })

  it('not one that was dropped', async () => {
    const raw = await signed({})
    await rpc.call('eth_sendRawTransaction', raw)
    expect(await told(keccak256(raw))).toBe('pending')
    node.pool.drop([keccak256(raw) as Hash])
    expect(await told(keccak256(raw))).toBe('nothing')
    expect(await nextNonce()).toBe('0x0')
    // It may be sent again.
    expect((await rpc.call('eth_sendRawTransaction', raw)).result).toBe(keccak256(raw))
    expect(await told(keccak256(raw))).toBe('pending')
  })
})

it('a transaction that becomes final while the pool is asked is found', async () => {
  const [raw] = await testTransfers(alice, 0, 1)
  unwrap(await node.pool.add(raw!, 'rpc'))
  const backend = testBackend(node, crypto)
  const { call, shared } = testCall(backend)
  const racing: RpcBackend = {
    ...backend,
    pool: {
      ...backend.pool,
      async get(hash) {
        await node.produce()
        return backend.pool.get(hash)
      },
    },
  }
  const hash = keccak256(bytesToHex(raw!))
  const found = await transactionMethods['eth_getTransactionByHash']!.run(racing, [hash], call)
  expect(found).toMatchObject({ hash, blockNumber: '0x1' })
  await shared.close()
})
