import { Address, Hash, type Hex } from '@quoin/protocol'
import { fromRlp, hexToBytes, keccak256, toRlp } from 'viem'
import { beforeAll, describe, expect, it } from 'vitest'
import { appendBlock } from '../../test/blocks.ts'
import { openTestNode, type TestNode, testAccounts } from '../../test/chain.ts'
import { crypto, fourValidators as validators } from '../../test/fixture.ts'
import { serveTestNode, type TestRpc } from '../../test/rpc.ts'

let node: TestNode
let rpc: TestRpc
/** One transaction of each type, in block 1. */
let raws: readonly Hex[]
const [alice, bob] = testAccounts as [(typeof testAccounts)[0], (typeof testAccounts)[0]]
const TYPES = ['legacy', 'eip2930', 'eip1559'] as const
const TOPIC = Hash(new Uint8Array(32).fill(7))

const sign = (type: (typeof TYPES)[number], nonce: number) => {
  const fees = type === 'eip1559' ? { maxFeePerGas: 2n, maxPriorityFeePerGas: 1n } : { gasPrice: 1n }
  const accessList = type === 'legacy' ? {} : { accessList: [{ address: bob.address, storageKeys: [TOPIC] }] }
  return alice.signTransaction({
    ...{ type, nonce, chainId: 31_337, to: bob.address, gas: 40_000n, value: 1n },
    ...fees,
    ...accessList,
  } as never) as Promise<Hex>
}

beforeAll(async () => {
  node = await openTestNode({ crypto, validators })
  rpc = await serveTestNode(node, crypto)
  raws = await Promise.all(TYPES.map(sign))
  const log = { address: Address(new Uint8Array(20).fill(9)), topics: [TOPIC], data: new Uint8Array(70).fill(3) }
  await appendBlock(
    node,
    crypto,
    raws.map((raw, i) => ({ raw: hexToBytes(raw), logs: i === 1 ? [] : [log, log].slice(i >> 1) })),
  )
  await appendBlock(node, crypto, [])
  return () => rpc.server.close()
})

const result = async (method: string, ...params: readonly unknown[]) => (await rpc.call(method, ...params)).result

describe("blocks and receipts in Ethereum's binary forms", () => {
  it("the header's hash is the block's hash", async () => {
    for (const height of [0, 1, 2]) {
      const { hash } = node.store.header(height as never)!
      const number = `0x${height}`
      expect(keccak256((await result('debug_getRawHeader', number)) as Hex)).toBe(hash)
      expect(await result('debug_getRawHeader', hash)).toBe(await result('debug_getRawHeader', number))
    }
    expect((await rpc.call('debug_getRawHeader', '0x99')).error).toMatchObject({ code: -32001, message: 'block not found' })
    expect((await rpc.call('debug_getRawHeader', '2')).error?.code).toBe(-32602)
  })

  it('a block is its header, its transactions and no uncles', async () => {
    const [header, transactions, uncles, ...rest] = fromRlp(
      (await result('debug_getRawBlock', '0x1')) as Hex,
      'hex',
    ) as readonly (readonly Hex[])[]
    expect(toRlp(header!)).toBe(await result('debug_getRawHeader', '0x1'))
    // A typed transaction is a byte string, a legacy one a list.
    expect(transactions!.map((item) => (typeof item === 'string' ? item : toRlp(item)))).toEqual(raws)
    expect([uncles, rest]).toEqual([[], []])
    const [, none] = fromRlp((await result('debug_getRawBlock', 'latest')) as Hex, 'hex') as readonly unknown[]
    expect(none).toEqual([])
  })

  it('a large block comes in pieces, with items of every length of RLP', async () => {
    const data = (bytes: number): Hex => `0x${'5a'.repeat(bytes)}`
    const sizes = [0, 200, 70_000, 250_000, 250_000]
    const large = await Promise.all(
      sizes.map((bytes, i) =>
        alice.signTransaction({
          type: 'eip1559',
          chainId: 31_337,
          nonce: 3 + i,
          to: bob.address,
          gas: 21_000n,
          data: data(bytes),
        }),
      ),
    )
    await appendBlock(
      node,
      crypto,
      large.map((raw) => ({ raw: hexToBytes(raw) })),
    )
    const [header, transactions] = fromRlp(
      (await result('debug_getRawBlock', '0x3')) as Hex,
      'hex',
    ) as readonly (readonly Hex[])[]
    expect(keccak256(toRlp(header!))).toBe(node.store.header(3 as never)!.hash)
    expect(transactions).toEqual(large)
  })

  it('a receipt has the fields of eth_getTransactionReceipt', async () => {
    interface Receipt {
      readonly type: Hex
      readonly status: Hex
      readonly cumulativeGasUsed: Hex
      readonly logsBloom: Hex
      readonly logs: readonly { readonly address: Hex; readonly topics: readonly Hex[]; readonly data: Hex }[]
    }
    const receipts = (await result('eth_getBlockReceipts', '0x1')) as readonly Receipt[]
    const integer = (value: Hex): Hex => (value === '0x0' ? '0x' : `0x${value.length % 2 === 0 ? '' : '0'}${value.slice(2)}`)
    const expected = receipts.map(({ type, status, cumulativeGasUsed, logsBloom, logs }) => {
      const list = logs.map(({ address, topics, data }) => [address, [...topics], data] as const)
      const fields = toRlp([integer(status), integer(cumulativeGasUsed), logsBloom, list] as never)
      return type === '0x0' ? fields : `0x0${type.slice(2)}${fields.slice(2)}`
    })
    expect(await result('debug_getRawReceipts', '0x1')).toEqual(expected)
    expect(await result('debug_getRawReceipts', '0x0')).toEqual([])
    expect(receipts.map(({ logs }) => logs.length)).toEqual([2, 0, 1])
  })
})

it('a transaction is given as it was sent, final or pending, by hash and by position', async () => {
  const { hash: block } = node.store.header(1 as never)!
  for (const [index, raw] of raws.entries()) {
    const at = `0x${index}`
    for (const name of ['eth_getRawTransactionByHash', 'debug_getRawTransaction'])
      expect(await result(name, keccak256(raw))).toBe(raw)
    expect(await result('eth_getRawTransactionByBlockHashAndIndex', block, at)).toBe(raw)
    expect(await result('eth_getRawTransactionByBlockNumberAndIndex', '0x1', at)).toBe(raw)
  }
  const pending = await bob.signTransaction({ type: 'eip1559', chainId: 31_337, nonce: 0, to: alice.address, gas: 21_000n })
  const hash = await result('eth_sendRawTransaction', pending)
  expect(await result('eth_getRawTransactionByHash', hash)).toBe(pending)
  node.pool.drop([hash as Hash])
  const ask = ([method, ...params]: readonly [string, ...unknown[]]) => result(method, ...params)
  for (const request of [
    ['eth_getRawTransactionByHash', hash],
    ['eth_getRawTransactionByBlockNumberAndIndex', '0x1', '0x9'],
    ['eth_getRawTransactionByBlockNumberAndIndex', '0x99', '0x0'],
    ['eth_getRawTransactionByBlockHashAndIndex', hash, '0x0'],
  ] as const)
    expect(await ask(request)).toBeNull()
})
