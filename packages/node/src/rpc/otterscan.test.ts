import { type Address, bytesToHex, contractAddress, DEFAULT_PARAMETERS, Hash, hexToBytes, type Wei } from '@quoin/protocol'
import { JsonRpcProvider, TransactionResponse } from 'ethers'
import { createPublicClient, encodeDeployData, encodeFunctionData, getAddress, type Hex, http } from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { containerOf, readContract } from '../../../../test/contracts/contract.mjs'
import { openTestNode, type TestNode, testAccounts, testGenesis, testTransfers } from '../../test/chain.ts'
import { crypto, oneValidator as validators } from '../../test/fixture.ts'
import { serveTestNode, type TestRpc } from '../../test/rpc.ts'
import { BlockIndex } from '../store/block-index.ts'

/** The calls of Otterscan 2, in its order and with its parameters (src/useProvider.ts, useErigonHooks.ts, search/search.ts). */
const MIN_API_LEVEL = 8
const PAGE_SIZE = 25

const { abi, bytecode } = readContract('token')
const [alice, bob, carol] = testAccounts as [Account, Account, Account]
type Account = (typeof testAccounts)[0]
const chain = foundry

const factoryAbi = [
  {
    ...{ type: 'function', name: 'make', stateMutability: 'nonpayable' },
    inputs: [{ name: 'container', type: 'bytes' }],
    outputs: [{ name: '', type: 'address' }],
  },
  {
    ...{ type: 'function', name: 'makeAndFail', stateMutability: 'nonpayable' },
    inputs: [{ name: 'container', type: 'bytes' }],
    outputs: [],
  },
] as const
const factorySource = `export default { functions: {
  make: (container) => quoin.create(container),
  makeAndFail(container) { quoin.create(container); throw new Error('no') },
} }`
const childCode = bytesToHex(containerOf('export default {}', []))

let node: TestNode
let rpc: TestRpc
let provider: JsonRpcProvider
let token: Address
let factory: Address
let made: Hex
let failed: Hex
/** Alice's transactions in the order of their nonces. */
const sent: Hex[] = []

const lower = (text: string): Address => text.toLowerCase() as Address
const client = () => createPublicClient({ chain, transport: http(rpc.url) })

/** Signed transactions for the next block. */
let waiting: Uint8Array[] = []

async function send(transaction: { readonly to?: Hex; readonly data?: Hex; readonly value?: bigint }): Promise<Hex> {
  const gas = transaction.data === undefined ? 21_000n : 20_000_000n
  const signed = { ...transaction, type: 'legacy', chainId: 31_337, nonce: sent.length, gas, gasPrice: 10n } as const
  const raw = hexToBytes(await alice.signTransaction(signed))
  waiting.push(raw)
  const hash = bytesToHex(crypto.keccak256(raw))
  sent.push(hash)
  return hash
}

async function produce(): Promise<void> {
  await node.produce(waiting)
  waiting = []
}

const encode = (functionName: string, args: readonly unknown[], of: readonly unknown[] = abi): Hex =>
  encodeFunctionData({ abi: of, functionName, args } as never)

/** Blocks 1 and 2 deploy, block 3 uses the contracts, blocks 4 to 6 have 20 transfers from Alice to Bob each, block 7 is empty. */
beforeAll(async () => {
  const parameters = { ...DEFAULT_PARAMETERS, feePolicy: 'burn', initialBaseFee: 5n as Wei } as const
  node = await openTestNode({ crypto, validators, genesis: testGenesis(crypto, validators.set, { parameters }) })
  rpc = await serveTestNode(node, crypto)
  provider = new JsonRpcProvider(rpc.url, undefined, { staticNetwork: true })
  await send({ data: encodeDeployData({ abi, bytecode, args: ['Gold', 'GLD', alice.address, 1_000n] } as never) })
  await produce()
  await send({ data: bytesToHex(containerOf(factorySource, factoryAbi)) })
  await produce()
  token = contractAddress(crypto, lower(alice.address), 0)
  factory = contractAddress(crypto, lower(alice.address), 1)
  made = await send({ to: factory, data: encode('make', [childCode], factoryAbi) })
  failed = await send({ to: factory, data: encode('makeAndFail', [childCode], factoryAbi) })
  await send({ to: token, data: encode('transfer', [bob.address, 5n]) })
  await produce()
  for (let block = 0; block < 3; block++) {
    for (let i = 0; i < 20; i++) await send({ to: bob.address, value: 1n })
    await produce()
  }
  await produce()
})

afterAll(async () => {
  provider.destroy()
  await rpc.server.close()
})

interface Found {
  readonly txs: readonly { readonly hash: Hex; readonly blockNumber: Hex; readonly from: Hex; readonly to: Hex | null }[]
  readonly receipts: readonly { readonly transactionHash: Hex; readonly timestamp: number; readonly logs: readonly unknown[] }[]
  readonly firstPage: boolean
  readonly lastPage: boolean
}
const search = (direction: 'Before' | 'After', account: string, block: number, size = PAGE_SIZE): Promise<Found> =>
  provider.send(`ots_searchTransactions${direction}`, [getAddress(account), block, size])
const hashes = ({ txs }: Found) => txs.map(({ hash }) => hash)

describe('Otterscan', () => {
  it('connects, and shows the latest block on its home page', async () => {
    const latest = await provider.getBlockNumber()
    const header = await provider.send('erigon_getHeaderByNumber', [latest])
    expect(header).toMatchObject({ number: '0x7', hash: node.store.head.hash })
    expect('transactions' in header).toBe(false)
    expect(await provider.send('ots_getApiLevel', [])).toBeGreaterThanOrEqual(MIN_API_LEVEL)
    expect(await provider.send('erigon_getHeaderByNumber', [99])).toBeNull()
  })

  it('shows a block by number and by hash', async () => {
    const details = await provider.send('ots_getBlockDetails', [4])
    const { transactions: _, ...block } = await provider.send('eth_getBlockByNumber', ['0x4', false])
    expect(details).toEqual({
      block: { ...block, logsBloom: null, transactionCount: 20 },
      issuance: { blockReward: '0x0', uncleReward: '0x0', issuance: '0x0' },
      totalFees: await feesOf(4),
    })
    expect(details.totalFees).not.toBe('0x0')
    expect(await provider.send('ots_getBlockDetailsByHash', [block.hash])).toEqual(details)
    expect(await provider.send('ots_getBlockDetails', [99])).toBeNull()
    expect(await provider.send('ots_getBlockDetailsByHash', [Hash(new Uint8Array(32))])).toBeNull()
  })

  /** Fees by the receipts, computed another way than the node does. */
  async function feesOf(height: number): Promise<Hex> {
    const receipts: { readonly gasUsed: Hex; readonly effectiveGasPrice: Hex }[] = await provider.send('eth_getBlockReceipts', [
      `0x${height.toString(16)}`,
    ])
    const fees = receipts.reduce((sum, { gasUsed, effectiveGasPrice }) => sum + BigInt(gasUsed) * BigInt(effectiveGasPrice), 0n)
    return `0x${fees.toString(16)}`
  }

  it('lists the transactions of a block, last page first', async () => {
    const pages = [0, 1, 2].map((page) => provider.send('ots_getBlockTransactions', [5, page, 8]))
    const [first, second, third] = await Promise.all(pages)
    expect(first.fullblock).toMatchObject({ number: '0x5', transactionCount: 20, logsBloom: null })
    const block = await provider.send('eth_getBlockByNumber', ['0x5', true])
    expect([...third.fullblock.transactions, ...second.fullblock.transactions, ...first.fullblock.transactions]).toEqual(
      block.transactions,
    )
    expect([third, second, first].map(({ receipts }) => receipts.length)).toEqual([4, 8, 8])
    expect(first.receipts.at(-1)).toMatchObject({ transactionHash: sent[44], logs: null, logsBloom: null, status: '0x1' })
    const { fullblock } = await provider.send('ots_getBlockTransactions', [3, 0, PAGE_SIZE])
    expect(fullblock.transactions.map(({ input }: { readonly input: Hex }) => input.length)).toEqual([10, 10, 10])
    expect((await provider.send('ots_getBlockTransactions', [3, 9, PAGE_SIZE])).fullblock.transactions).toEqual([])
    await expect(provider.send('ots_getBlockTransactions', [3, 0, 26])).rejects.toThrow(/max allowed page size: 25/)
  })

  it('shows the transactions of an account from the newest one on, page by page', async () => {
    const first = await search('Before', alice.address, 0)
    expect(hashes(first)).toEqual(sent.slice(25, 65).toReversed())
    expect(first).toMatchObject({ firstPage: true, lastPage: false })
    const second = await search('Before', alice.address, Number(first.txs.at(-1)!.blockNumber))
    expect(hashes(second)).toEqual(sent.slice(0, 25).toReversed())
    expect(second).toMatchObject({ firstPage: false, lastPage: true })
  })

  it('shows them from the oldest one on too', async () => {
    const first = await search('After', alice.address, 0)
    expect(hashes(first)).toEqual(sent.slice(0, 25).toReversed())
    expect(first).toMatchObject({ firstPage: false, lastPage: true })
    const second = await search('After', alice.address, Number(first.txs[0]!.blockNumber))
    expect(hashes(second)).toEqual(sent.slice(25, 65).toReversed())
    expect(second).toMatchObject({ firstPage: true, lastPage: false })
  })

  it('shows receivers, contracts that were called, and contracts that were created', async () => {
    expect(hashes(await search('Before', bob.address, 0))).toEqual(sent.slice(25, 65).toReversed())
    expect(hashes(await search('Before', token, 0))).toEqual([sent[4], sent[0]])
    const child = contractAddress(crypto, factory, 1)
    expect(hashes(await search('Before', child, 0))).toEqual([made])
    const nobody = await search('Before', carol.address, 0)
    expect(nobody).toEqual({ txs: [], receipts: [], firstPage: true, lastPage: true })
  })

  it('gets what ethers reads: transactions, and receipts with the time of their block', async () => {
    const { txs, receipts } = await search('Before', token, 0)
    const [transaction] = txs.map(
      (raw) => new TransactionResponse(provider._wrapTransactionResponse(raw as never, chain as never), provider),
    )
    expect(transaction).toMatchObject({ hash: sent[4], blockNumber: 3, from: alice.address })
    const [{ timestamp, ...receipt }] = receipts as [Found['receipts'][number]]
    expect(receipt).toEqual(await provider.send('eth_getTransactionReceipt', [sent[4]]))
    expect(receipt.logs).toHaveLength(1)
    expect(timestamp).toBe((await provider.getBlock(3))!.timestamp)
  })

  it('navigates between the nonces of a sender', async () => {
    for (const [nonce, hash] of sent.entries())
      expect(await provider.send('ots_getTransactionBySenderAndNonce', [alice.address, nonce])).toBe(hash)
    expect(await provider.send('ots_getTransactionBySenderAndNonce', [alice.address, sent.length])).toBeNull()
    expect(await provider.send('ots_getTransactionBySenderAndNonce', [bob.address, 0])).toBeNull()
  })

  it('shows whether an address is a contract, and who created it', async () => {
    const [child, undone] = [contractAddress(crypto, factory, 1), contractAddress(crypto, factory, 2)]
    const hasCode = (account: string, block: unknown = 'latest') => provider.send('ots_hasCode', [account, block])
    expect(await Promise.all([token, factory, child].map((one) => hasCode(one)))).toEqual([true, true, true])
    expect(await Promise.all([hasCode(alice.address), hasCode(undone), hasCode(token, 0)])).toEqual([false, false, false])
    expect((await client().getTransactionReceipt({ hash: failed })).status).toBe('reverted')
    const creatorOf = (contract: string) => provider.send('ots_getContractCreator', [getAddress(contract)])
    expect(await creatorOf(token)).toEqual({ hash: sent[0], creator: lower(alice.address) })
    expect(await creatorOf(child)).toEqual({ hash: made, creator: factory })
    expect(await creatorOf(undone)).toBeNull()
    expect(await creatorOf(alice.address)).toBeNull()
  })
})

it('refuses a page that is too large for a response, and names the block', async () => {
  const small = await serveTestNode(node, crypto, { responseBytesMax: 20_000 })
  const { error } = await small.call('ots_searchTransactionsBefore', alice.address, 0, PAGE_SIZE)
  expect(error).toMatchObject({ code: -32005, message: expect.stringMatching(/block 6 has 20 transactions of this account/) })
  await small.server.close()
})

it('reads at most one record of the index per transaction of a page', async () => {
  let records = 0
  const kv = {
    get: node.kv.get.bind(node.kv),
    scan(range: Parameters<typeof node.kv.scan>[0]) {
      records += range.limit ?? Number.POSITIVE_INFINITY
      return node.kv.scan(range)
    },
  }
  const counted = await serveTestNode({ ...node, index: new BlockIndex(kv) }, crypto)
  await counted.call('ots_searchTransactionsBefore', alice.address, 0, 3)
  expect(records).toBe(4)
  await counted.server.close()
})

it('decodes only the receipts of a page, and not those of its blocks', async () => {
  let decoded = 0
  const store = new Proxy(node.store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...given: unknown[]) => {
        if (name === 'receipts') decoded++
        return member.apply(target, given)
      }
    },
  })
  const counted = await serveTestNode({ ...node, store }, crypto)
  const { result } = await counted.call('ots_searchTransactionsBefore', alice.address, 0, PAGE_SIZE)
  expect((result as Found).receipts).toHaveLength(40)
  expect((await counted.call('ots_getBlockTransactions', 3, 0, 2)).result).toMatchObject({ receipts: [{}, {}] })
  expect(decoded).toBe(0)
  expect((await counted.call('eth_getTransactionReceipt', made)).result).toMatchObject({ transactionHash: made })
  expect(decoded).toBe(1)
  await counted.server.close()
})

it('pays for the transactions of the blocks on its page, and the next call waits for it', async () => {
  const full = await openTestNode({ crypto, validators })
  await full.produce(await testTransfers(testAccounts[1]!, 0, 130))
  const limited = await serveTestNode(full, crypto, {}, { settings: { unitsPerSecond: 1, unitsBurst: 400 } })
  await limited.call('ots_searchTransactionsBefore', testAccounts[1]!.address, 0, 1)
  const { error } = await limited.call('debug_traceBlockByNumber', '0x1')
  // 80 for the page, and 2 for the block.
  expect(error).toMatchObject({ code: -32005, data: { retryAfterMs: 82_000 } })
  await limited.server.close()
})
