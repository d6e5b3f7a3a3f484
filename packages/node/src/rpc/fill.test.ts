import type { Hex } from '@quoin/protocol'
import { createPublicClient, http, keccak256, parseTransaction, serializeTransaction } from 'viem'
import { foundry } from 'viem/chains'
import { describe, expect, it } from 'vitest'
import { type TestNode, testAccounts } from '../../test/chain.ts'
import type { TestRpc } from '../../test/rpc.ts'
import { serveEach } from '../../test/serve-each.ts'
import { fillTransaction, transactionRequest } from './fill.ts'
import { DEFAULT_RPC_LIMITS } from './limits.ts'

let node: TestNode
let rpc: TestRpc
const [alice, bob] = testAccounts as [(typeof testAccounts)[0], (typeof testAccounts)[0]]

serveEach((opened, served) => {
  node = opened
  rpc = served
})

const client = () => createPublicClient({ chain: foundry, transport: http(rpc.url) })
const base = { from: alice.address, to: bob.address, value: '0x5' } as const
interface Filled {
  readonly raw: Hex
  readonly tx: Readonly<Record<string, unknown>>
}
const fill = async (request: object) =>
  (await rpc.call('eth_fillTransaction', request)) as { result: Filled; error?: { code: number; message: string } }

describe('eth_fillTransaction', () => {
  it('fills what is missing, and viem signs and sends the result', async () => {
    const { raw, transaction } = await client().fillTransaction({ account: alice.address, to: bob.address, value: 5n })
    expect(transaction).toMatchObject({
      type: 'eip1559',
      nonce: 0,
      gas: 21_000n,
      chainId: 31_337,
      value: 5n,
      maxPriorityFeePerGas: 0n,
    })
    expect(parseTransaction(raw)).toMatchObject({
      type: 'eip1559',
      gas: 21_000n,
      chainId: 31_337,
      to: bob.address.toLowerCase(),
      value: 5n,
    })
    // What the sender signs the hash of.
    const signature = await alice.sign({ hash: keccak256(raw) })
    expect(signature).toMatch(/^0x/)
    const serializedTransaction = await alice.signTransaction(parseTransaction(raw) as never)
    const hash = await client().sendRawTransaction({ serializedTransaction: serializedTransaction as Hex })
    // The next nonce counts the pool.
    expect((await fill(base)).result.tx['nonce']).toBe('0x1')
    await node.produce()
    expect((await client().getTransactionReceipt({ hash })).status).toBe('success')
  })

  it.each([
    ['legacy', { gasPrice: '0x7' }, { type: '0x0', gasPrice: '0x7' }],
    ['legacy by its type', { type: '0x0' }, { type: '0x0', gasPrice: '0x0' }],
    ['eip2930', { gasPrice: '0x7', accessList: [{ address: bob.address, storageKeys: [] }] }, { type: '0x1', gasPrice: '0x7' }],
    [
      'eip1559',
      { maxFeePerGas: '0x9', maxPriorityFeePerGas: '0x2' },
      { type: '0x2', maxFeePerGas: '0x9', maxPriorityFeePerGas: '0x2', gasPrice: '0x9' },
    ],
    ['eip1559 with a tip', { maxPriorityFeePerGas: '0x2' }, { type: '0x2', maxFeePerGas: '0x2' }],
    [
      'what is given',
      { nonce: '0x5', gas: '0x8888', chainId: '0x7a69', data: '0x01' },
      { nonce: '0x5', gas: '0x8888', input: '0x01' },
    ],
    ['null', { nonce: null, gas: null, chainId: null, gasPrice: null, type: null }, { type: '0x2', nonce: '0x0', gas: '0x5208' }],
  ])('keeps %s, and its raw form is the one that viem makes', async (_, given, expected) => {
    const { result } = await fill({ ...base, ...given })
    expect(result.tx).toMatchObject({ from: alice.address.toLowerCase(), chainId: '0x7a69', ...expected })
    expect(serializeTransaction(parseTransaction(result.raw) as never)).toBe(result.raw)
    expect(parseTransaction(result.raw)).toMatchObject({
      chainId: 31_337,
      to: bob.address.toLowerCase(),
      value: 5n,
      gas: BigInt(result.tx['gas'] as Hex),
    })
  })

  it.each([
    [{ chainId: '0x1' }, /for chain id 1, but this chain has id 31337/],
    [{ maxFeePerGas: '0x1', maxPriorityFeePerGas: '0x2' }, /max priority fee per gas higher than max fee per gas/],
    [{ type: '0x2', gasPrice: '0x1' }, /use maxFeePerGas/],
    [{ type: '0x0', maxFeePerGas: '0x1' }, /use gasPrice/],
    [{ type: '0x0', accessList: [{ address: bob.address, storageKeys: [] }] }, /access list/],
    [{ type: '0x3' }, /transaction type not valid/],
    [{ authorizationList: [] }, /authorizationList, but/],
    [{ blobVersionedHashes: [] }, /blobVersionedHashes, but/],
    [{ nonce: '0x100000000' }, /above 4294967295/],
  ])('refuses a request that contradicts itself or the chain: %o', async (given, message) => {
    expect((await fill({ ...base, ...given })).error).toMatchObject({ code: -32602, message: expect.stringMatching(message) })
  })

  it('reports a failing estimate as eth_estimateGas does', async () => {
    const poor = { from: `0x${'9'.repeat(40)}`, to: bob.address, value: '0x5' }
    expect((await fill(poor)).error).toEqual((await rpc.call('eth_estimateGas', poor)).error)
  })

  it('leaves room for a rising base fee where gas is charged', async () => {
    const request = transactionRequest.read(base, DEFAULT_RPC_LIMITS)
    const known = { chainId: 31_337, baseFee: 100n, nonce: async () => 3, gas: async () => 21_000 }
    expect(await fillTransaction(request, known)).toMatchObject({
      type: 2,
      maxFeePerGas: 200n,
      maxPriorityFeePerGas: 0n,
      nonce: 3,
    })
    expect(await fillTransaction({ ...request, type: 0 }, known)).toMatchObject({ type: 0, maxFeePerGas: 100n })
    expect(await fillTransaction({ ...request, feeCap: 0n }, known)).toMatchObject({ maxFeePerGas: 0n })
    await expect(fillTransaction({ ...request, tip: 2n ** 256n - 1n }, known)).rejects.toThrow('exceed 256 bits together')
  })
})

describe('eth_createAccessList', () => {
  it('is empty, with the gas of the call, which any entry would raise', async () => {
    expect(await client().createAccessList({ account: alice, to: bob.address, value: 1n })).toEqual({
      accessList: [],
      gasUsed: 21_000n,
    })
    const listed = { ...base, accessList: [{ address: bob.address, storageKeys: [`0x${'00'.repeat(32)}`] }] }
    expect((await rpc.call('eth_createAccessList', listed, 'latest')).result).toEqual({ accessList: [], gasUsed: '0x5208' })
    expect(Number((await rpc.call('eth_estimateGas', listed)).result)).toBeGreaterThan(21_000)
  })

  it('reports why the call fails, if it runs', async () => {
    const creation = { from: alice.address, data: '0x60006000', gas: '0xf4240' }
    expect((await rpc.call('eth_createAccessList', creation)).result).toEqual({
      ...{ accessList: [], gasUsed: expect.stringMatching(/^0x/) },
      error: expect.stringMatching(/execution reverted|out of gas/),
    })
    expect((await rpc.call('eth_createAccessList', { ...base, value: '0xffffffffffffffffffff' })).error?.code).toBe(-32000)
  })
})
