import { bytesToHex, Hash, utf8ToBytes } from '@quoin/protocol'
import { expect, it } from 'vitest'
import { type TestNode, testAccounts, testTransfers } from '../../test/chain.ts'
import { crypto } from '../../test/fixture.ts'
import type { TestRpc } from '../../test/rpc.ts'
import { serveEach } from '../../test/serve-each.ts'

let node: TestNode
let rpc: TestRpc
const [alice] = testAccounts as [(typeof testAccounts)[0]]

/** Every method that takes a block, with the parameters around it. */
const METHODS: readonly (readonly [string, (block: unknown) => readonly unknown[]])[] = [
  ['eth_getBalance', (block) => [alice.address, block]],
  ['eth_getTransactionCount', (block) => [alice.address, block]],
  ['eth_getCode', (block) => [alice.address, block]],
  ['eth_getStorageAt', (block) => [alice.address, '0x0', block]],
  ['eth_call', (block) => [{ to: alice.address }, block]],
  ['eth_estimateGas', (block) => [{ from: alice.address, to: alice.address }, block]],
  ['eth_getBlockReceipts', (block) => [block]],
]

serveEach(async (opened, served) => {
  node = opened
  rpc = served
  await node.produce(await testTransfers(alice, 0, 1))
  await node.produce(await testTransfers(alice, 1, 2))
})

it.each(METHODS)(
  '%s takes a block hash as text, as the object of EIP-1898, and the number, with one answer',
  async (name, params) => {
    for (const height of [0, 1, 2]) {
      const { hash } = node.store.header(height as never)!
      const number = `0x${height.toString(16)}`
      const expected = await rpc.call(name, ...params(number))
      expect(expected).toHaveProperty('result')
      for (const block of [hash, `0x${hash.slice(2).toUpperCase()}`, { blockHash: hash }, { blockNumber: number }])
        expect(await rpc.call(name, ...params(block)), JSON.stringify(block)).toEqual(expected)
    }
  },
)

it('the state at a hash is that of its block', async () => {
  const nonces = [0, 1, 2].map(async (height) => {
    const { hash } = node.store.header(height as never)!
    return (await rpc.call('eth_getTransactionCount', alice.address, hash)).result
  })
  expect(await Promise.all(nonces)).toEqual(['0x0', '0x1', '0x3'])
})

it.each(METHODS)('%s finds no block with an unknown hash, and names what a block may be', async (name, params) => {
  const unknown = await rpc.call(name, ...params(Hash(crypto.keccak256(utf8ToBytes('no block')))))
  // As the vectors of execution-apis: null for receipts, an error for state.
  if (name === 'eth_getBlockReceipts') expect(unknown.result).toBeNull()
  else
    expect(unknown.error).toEqual({
      code: -32001,
      message: 'block not found',
      data: { reason: 'block-not-found', scope: 'node', height: '0x2' },
    })
  for (const wrong of [
    'Latest',
    '0x',
    '0x01',
    `0x${'0'.repeat(63)}`,
    bytesToHex(new Uint8Array(33)),
    '2',
    5,
    true,
    { block: 1 },
  ]) {
    const { error } = await rpc.call(name, ...params(wrong))
    expect(error?.code, JSON.stringify(wrong)).toBe(-32602)
    expect(error?.message).toMatch(/a block number in hex or one of latest, .*finalized, a block hash|above 2\^53/)
  }
})

it('methods whose block is a number or tag refuse a hash', async () => {
  const { hash } = node.store.header(1 as never)!
  for (const [name, ...params] of [
    ['eth_getBlockByNumber', hash, false],
    ['eth_getBlockTransactionCountByNumber', hash],
    ['eth_feeHistory', '0x1', hash],
  ] as const)
    expect((await rpc.call(name, ...params)).error?.code, name).toBe(-32602)
})
