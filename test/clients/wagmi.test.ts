import {
  call,
  connect,
  createConfig,
  deployContract,
  disconnect,
  estimateFeesPerGas,
  estimateGas,
  getBalance,
  getBlock,
  getBlockNumber,
  getConnection,
  getContractEvents,
  getFeeHistory,
  getGasPrice,
  getTransaction,
  getTransactionConfirmations,
  getTransactionCount,
  getTransactionReceipt,
  mock,
  multicall,
  prepareTransactionRequest,
  readContract,
  readContracts,
  reconnect,
  sendCalls,
  sendTransaction,
  sendTransactionSync,
  signMessage,
  signTypedData,
  simulateContract,
  verifyMessage,
  verifyTypedData,
  waitForCallsStatus,
  waitForTransactionReceipt,
  watchBlockNumber,
  watchBlocks,
  watchContractEvent,
  watchPendingTransactions,
  writeContract,
} from '@wagmi/core'
import { createNonceManager, type Hex, http, type Log, parseEther, parseSignature, webSocket } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { jsonRpc } from 'viem/nonce'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../e2e/watch.ts'
import { accountsOf, CHAIN_ID, chain, dev, failureOf, market, nobody, PERMIT, socketUrl, token, validators } from './stage.ts'

const [alice, bob] = accountsOf('wagmi')
const here = validators[3]!
/** A page's configuration, with the network's URL. The mock connector asks this URL itself. */
const configOf = (url: string, transport = http(url)) =>
  createConfig({
    chains: [{ ...chain, rpcUrls: { default: { http: [url] } } }],
    connectors: [mock({ accounts: [alice.address, bob.address], features: { reconnect: true } })],
    transports: { [CHAIN_ID]: transport },
    pollingInterval: 50,
    cacheTime: 0,
    storage: null,
  })
type Config = ReturnType<typeof configOf>

async function deploy(
  config: Config,
  account: Parameters<typeof deployContract>[1]['account'],
  artifact = market,
  args: unknown[] = ['Fish', 7n],
) {
  const hash = await deployContract(config, { ...artifact, account, args } as never)
  return (await waitForTransactionReceipt(config, { hash })).contractAddress!
}

describe('wagmi with an account of its own, on the network', () => {
  const config = configOf(here)
  const account = privateKeyToAccount(alice.key, { nonceManager: createNonceManager({ source: jsonRpc() }) })
  let shop: { address: Hex; abi: typeof market.abi }
  beforeAll(async () => {
    shop = { address: await deploy(config, account), abi: market.abi }
  })

  const write = (functionName: string, args: readonly unknown[], rest: object = {}) =>
    writeContract(config, { ...shop, functionName, args, account, ...rest } as never)
  const read = (functionName: string, args: readonly unknown[] = []) =>
    readContract(config, { ...shop, functionName, args } as never) as Promise<unknown>
  const mined = async (hash: Promise<Hex> | Hex) => waitForTransactionReceipt(config, { hash: await hash })

  it('reads blocks, balances and fees', async () => {
    const { number, transactions } = await getBlock(config, { includeTransactions: true })
    expect(number).toBeLessThanOrEqual(await getBlockNumber(config))
    expect(Array.isArray(transactions)).toBe(true)
    expect(await getBalance(config, { address: nobody(30) })).toMatchObject({ value: 0n, decimals: 18, symbol: 'ETH' })
    expect(await estimateFeesPerGas(config)).toMatchObject({ maxFeePerGas: 0n, maxPriorityFeePerGas: 0n })
    expect(await getGasPrice(config)).toBe(0n)
    expect((await getFeeHistory(config, { blockCount: 3, rewardPercentiles: [50] })).reward).toHaveLength(3)
  })

  it.each(['legacy', 'eip2930', 'eip1559'] as const)('estimates, sends and waits: type %s', async (type) => {
    const gas = await estimateGas(config, { account: account.address, to: nobody(31), value: parseEther('1') })
    const prepared = await prepareTransactionRequest(config, { account, type, to: nobody(31), value: 1n } as never)
    expect(prepared).toMatchObject({ type, chainId: CHAIN_ID })
    const hash = await sendTransaction(config, { account, type, to: nobody(31), value: parseEther('1'), gas } as never)
    expect(await waitForTransactionReceipt(config, { hash, confirmations: 3 })).toMatchObject({ status: 'success', type })
    expect(await getTransaction(config, { hash })).toMatchObject({ type, value: parseEther('1') })
    const confirmations = await getTransactionConfirmations(config, { hash })
    expect(confirmations).toBeGreaterThanOrEqual(3n)
    const transactionReceipt = await getTransactionReceipt(config, { hash })
    expect(await getTransactionConfirmations(config, { transactionReceipt })).toBeGreaterThanOrEqual(confirmations)
  })

  it('sends and gets the receipt in one request', async () => {
    const receipt = await sendTransactionSync(config, { account, to: nobody(32), value: 1n })
    expect(receipt).toMatchObject({ status: 'success', to: nobody(32) })
  })

  it('simulates, writes, reads and finds the event', async () => {
    const fromBlock = await getBlockNumber(config)
    const args = ['Größe ß 🐟', 2n ** 255n, []] as const
    const { request, result } = await simulateContract(config, { ...shop, functionName: 'offer', args, account } as never)
    const { logs } = await mined(writeContract(config, request as never))
    expect(logs).toHaveLength(1)
    expect(await read('offers', [result])).toEqual({ seller: alice.address, price: 2n ** 255n, name: args[0], tags: [] })
    const [offered] = await getContractEvents(config, { ...shop, eventName: 'Offered', fromBlock } as never)
    expect(offered).toMatchObject({ args: { id: result, seller: alice.address, name: 'Größe ß 🐟', price: 2n ** 255n } })
  })

  it('decodes reasons and custom errors, before and after a transaction', async () => {
    await mined(write('offer', ['cod', 5n, []]))
    const id = ((await read('count')) as bigint) - 1n
    const buy = { ...shop, functionName: 'buy', account }
    const custom = (await failureOf(simulateContract(config, { ...buy, args: [id], value: 4n } as never))) as Error
    expect(custom.message).toContain(`WrongPrice(uint256 id, uint256 wanted, uint256 paid)`)
    expect(custom.message).toContain(`(${id}, 5, 4)`)
    const reason = (await failureOf(simulateContract(config, { ...buy, args: [10n ** 9n] } as never))) as Error
    expect(reason.message).toContain('there is no such offer')
    // wagmi calls a failed transaction again to find the reason.
    const late = (await failureOf(mined(write('buy', [10n ** 9n], { gas: 2_000_000n })))) as Error
    expect(late.message).toContain('there is no such offer')
  })

  it('reads many contracts in one call', async () => {
    const contracts = ['title', 'fee', 'count'].map((functionName) => ({ ...shop, functionName }))
    const wanted = [
      { status: 'success', result: 'Fish' },
      { status: 'success', result: 7n },
    ]
    expect((await readContracts(config, { contracts } as never)).slice(0, 2)).toMatchObject(wanted)
    const failing = [...contracts, { ...shop, functionName: 'offers', args: [10n ** 9n] }]
    const results = (await multicall(config, { contracts: failing } as never)) as readonly { status: string }[]
    expect(results.map(({ status }) => status)).toEqual(['success', 'success', 'success', 'failure'])
    expect((await call(config, { to: shop.address, data: '0x4a79d50c' })).data).toContain('46697368')
  })

  it('sends many transactions in parallel', async () => {
    const first = await getTransactionCount(config, { address: account.address })
    const hashes = await Promise.all(
      Array.from({ length: 12 }, (_, i) => sendTransaction(config, { account, to: nobody(33), value: BigInt(i), gas: 21_000n })),
    )
    await Promise.all(hashes.map((hash) => mined(hash)))
    expect(await getTransactionCount(config, { address: account.address })).toBe(first + 12)
  })

  it('signs a permit that another account uses', async () => {
    const gold = { address: await deploy(config, account, token, ['Gold', 'AU', alice.address, 100n]), abi: token.abi }
    const message = { owner: alice.address, spender: bob.address, value: 30n, nonce: 0n, deadline: 2n ** 40n }
    const domain = { name: 'Gold', version: '1', chainId: CHAIN_ID, verifyingContract: gold.address }
    const signed = { domain, types: PERMIT, primaryType: 'Permit', message } as const
    const signature = await signTypedData(config, { account, ...signed } as never)
    expect(await verifyTypedData(config, { address: alice.address, ...signed, signature } as never)).toBe(true)
    const { r, s, yParity } = parseSignature(signature)
    const spender = privateKeyToAccount(bob.key)
    const permit = [alice.address, bob.address, 30n, 2n ** 40n, 27 + yParity, r, s]
    await mined(writeContract(config, { ...gold, functionName: 'permit', args: permit, account: spender } as never))
    const move = { functionName: 'transferFrom', args: [alice.address, nobody(34), 30n], account: spender }
    await mined(writeContract(config, { ...gold, ...move } as never))
    expect(await readContract(config, { ...gold, functionName: 'balanceOf', args: [nobody(34)] } as never)).toBe(30n)
  })

  it.each(['over HTTP', 'over WebSocket'])('watches events, blocks and transactions %s', async (way) => {
    const watching = way === 'over HTTP' ? config : configOf(here, webSocket(socketUrl(here)) as never)
    const [logs, heights, blocks, pending]: [Log[], bigint[], bigint[], Hex[]] = [[], [], [], []]
    const failures: Error[] = []
    const onError = (failure: Error) => void failures.push(failure)
    const stop = [
      watchContractEvent(watching, {
        ...shop,
        eventName: 'Rated',
        onError,
        onLogs: (found: Log[]) => void logs.push(...found),
      } as never),
      watchBlockNumber(watching, { emitMissed: true, onError, onBlockNumber: (height) => void heights.push(height) }),
      watchBlocks(watching, { emitMissed: true, onError, onBlock: ({ number }) => void blocks.push(number!) }),
      watchPendingTransactions(watching, { onError, onTransactions: (hashes) => void pending.push(...hashes) }),
    ]
    await until('two heights', async () => heights.length > 1 && blocks.length > 1)
    const hashes = [await write('rate', [2n]), await write('rate', [-2n])]
    await until('the events', async () => logs.length >= 2 && hashes.every((hash) => pending.includes(hash)))
    for (const end of stop) end()
    expect(failures).toEqual([])
    expect(logs.map(({ transactionHash }) => transactionHash)).toEqual(hashes)
    for (const list of [heights, blocks])
      list.forEach((height, i) => {
        if (i > 0) expect(height).toBe(list[i - 1]! + 1n)
      })
  })
})

describe('wagmi with a wallet that keeps the keys, on a development chain', () => {
  const config = configOf(dev)
  afterAll(() => disconnect(config))

  it('connects, deploys, writes and waits', async () => {
    await connect(config, { connector: config.connectors[0]! })
    expect(getConnection(config)).toMatchObject({ address: alice.address, chainId: CHAIN_ID, status: 'connected' })
    const shop = { address: await deploy(config, undefined), abi: market.abi }
    const { request } = await simulateContract(config, { ...shop, functionName: 'rate', args: [5n] } as never)
    const receipt = await waitForTransactionReceipt(config, { hash: await writeContract(config, request as never) })
    expect(receipt).toMatchObject({ status: 'success', from: alice.address.toLowerCase() })
    expect(await readContract(config, { ...shop, functionName: 'rating' } as never)).toBe(5n)
    const hash = await sendTransaction(config, { to: nobody(35), value: parseEther('2') })
    expect(await waitForTransactionReceipt(config, { hash })).toMatchObject({ status: 'success' })
    expect((await getBalance(config, { address: nobody(35) })).value).toBe(parseEther('2'))
  })

  it('signs messages and typed data', async () => {
    const signature = await signMessage(config, { message: 'Grüße' })
    expect(await verifyMessage(config, { address: alice.address, message: 'Grüße', signature })).toBe(true)
    const typed = {
      domain: { name: 'Mail', chainId: CHAIN_ID },
      types: { Mail: [{ name: 'text', type: 'string' }] },
      primaryType: 'Mail',
      message: { text: 'Grüße' },
    } as const
    const signed = await signTypedData(config, typed)
    expect(await verifyTypedData(config, { ...typed, address: alice.address, signature: signed })).toBe(true)
  })

  it('sends several calls (EIP-5792) and waits for them', async () => {
    const { id } = await sendCalls(config, {
      calls: [
        { to: nobody(36), value: 1n },
        { to: nobody(36), value: 2n },
      ],
    })
    const { status, receipts } = await waitForCallsStatus(config, { id })
    expect({ status, count: receipts!.length }).toEqual({ status: 'success', count: 2 })
    expect((await getBalance(config, { address: nobody(36) })).value).toBe(3n)
  })

  it('connects again', async () => {
    await disconnect(config)
    expect(getConnection(config).status).toBe('disconnected')
    await connect(config, { connector: config.connectors[0]! })
    expect(await reconnect(config)).toMatchObject([{ accounts: [alice.address, bob.address] }])
  })
})
