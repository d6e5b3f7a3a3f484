import {
  BaseError,
  ContractFunctionRevertedError,
  concat,
  createNonceManager,
  createPublicClient,
  createWalletClient,
  decodeErrorResult,
  encodeDeployData,
  encodeFunctionData,
  getContract,
  getContractAddress,
  type Hex,
  http,
  keccak256,
  type Log,
  parseEther,
  parseEventLogs,
  parseSignature,
  toHex,
  webSocket,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { jsonRpc } from 'viem/nonce'
import { beforeAll, describe, expect, it } from 'vitest'
import { until } from '../e2e/watch.ts'
import { cuttable } from './cuttable.ts'
import { accountsOf, CHAIN_ID, chain, failureOf, market, nobody, PERMIT, socketUrl, token, validators } from './stage.ts'

const [alice, bob] = accountsOf('viem')
const [here, elsewhere] = [validators[0]!, validators[1]!]
const transport = http(here, { retryCount: 0 })
const client = createPublicClient({ chain, transport, pollingInterval: 50, cacheTime: 0 })
const other = createPublicClient({ chain, transport: http(elsewhere), pollingInterval: 50, cacheTime: 0 })
const wallet = createWalletClient({ account: privateKeyToAccount(alice.key), chain, transport })

const mined = async (hash: Promise<Hex> | Hex) => client.waitForTransactionReceipt({ hash: await hash })
const nonceOf = (address: Hex) => client.getTransactionCount({ address })

let shop: Hex
beforeAll(async () => {
  const nonce = await nonceOf(alice.address)
  const receipt = await mined(wallet.deployContract({ ...market, args: ['Fish', 7n] }))
  expect(receipt.status).toBe('success')
  shop = receipt.contractAddress!
  expect(shop).toBe(getContractAddress({ from: alice.address, nonce: BigInt(nonce) }).toLowerCase())
})

const atShop = () => ({ address: shop, abi: market.abi })
const write = (functionName: string, args: readonly unknown[], rest: object = {}) =>
  wallet.writeContract({ ...atShop(), functionName, args, ...rest } as Parameters<typeof wallet.writeContract>[0])
const read = (functionName: string, args: readonly unknown[] = []) => client.readContract({ ...atShop(), functionName, args })
const offer = async (name: string, price = 5n) => {
  const receipt = await mined(write('offer', [name, price, [keccak256(toHex(name))]]))
  return (parseEventLogs({ abi: market.abi, logs: receipt.logs })[0] as unknown as { args: { id: bigint } }).args.id
}

describe('viem', () => {
  it('reads blocks with and without their transactions', async () => {
    const { blockNumber, transactionHash } = await mined(wallet.sendTransaction({ to: nobody(0), value: 1n }))
    expect((await client.getBlock({ blockNumber })).transactions).toContain(transactionHash)
    const whole = await client.getBlock({ blockNumber, includeTransactions: true })
    const [{ hash, from, value }] = whole.transactions.filter((one) => one.hash === transactionHash) as [
      (typeof whole.transactions)[number],
    ]
    expect({ hash, from, value }).toEqual({ hash: transactionHash, from: alice.address.toLowerCase(), value: 1n })
    expect(await client.getBlockTransactionCount({ blockNumber })).toBe(whole.transactions.length)
    expect(await client.getChainId()).toBe(CHAIN_ID)
  })

  it.each(['legacy', 'eip2930', 'eip1559'] as const)('estimates, sends and waits: type %s', async (type) => {
    const gas = await client.estimateGas({ account: alice.address, to: nobody(1), value: parseEther('1') })
    const before = await client.getBalance({ address: nobody(1) })
    const request = { type, to: nobody(1), value: parseEther('1'), gas } as Parameters<typeof wallet.sendTransaction>[0]
    const receipt = await mined(wallet.sendTransaction(request))
    expect(receipt).toMatchObject({ status: 'success', type, gasUsed: gas })
    expect(await client.getBalance({ address: nobody(1) })).toBe(before + parseEther('1'))
    // Final here is final everywhere, after the other node has it.
    expect(await other.waitForTransactionReceipt({ hash: receipt.transactionHash })).toEqual(receipt)
  })

  it('estimates fees from a history, and sends at once with them', async () => {
    const fees = await client.estimateFeesPerGas()
    const history = await client.getFeeHistory({ blockCount: 4, rewardPercentiles: [25, 75] })
    expect(history.baseFeePerGas).toHaveLength(history.gasUsedRatio.length + 1)
    const request = await wallet.prepareTransactionRequest({ to: nobody(2), value: 1n })
    expect(request).toMatchObject({ ...fees, type: 'eip1559', nonce: await nonceOf(alice.address) })
    expect(await wallet.sendTransactionSync({ to: nobody(2), value: 1n })).toMatchObject({ status: 'success' })
  })

  it('reads and writes structs, lists, negative and large numbers', async () => {
    const shopContract = getContract({ ...atShop(), client: { public: client, wallet } })
    expect(await Promise.all([read('title'), read('fee')])).toEqual(['Fish', 7n])
    const id = await offer('Größe ß 🐟', 2n ** 255n)
    const tags = [keccak256(toHex('Größe ß 🐟'))]
    const wanted = { seller: alice.address, price: 2n ** 255n, name: 'Größe ß 🐟', tags }
    expect(await shopContract.read['offers']!([id])).toEqual(wanted)
    expect(((await read('all')) as readonly unknown[]).at(Number(id))).toEqual(wanted)
    const values = [-(2n ** 255n), '0x00ff', true, [1, 2, 255]]
    expect(await read('echo', values)).toEqual(values)
    await mined(write('rate', [-3n]))
    expect(await read('rating')).toBe(-3n)
  })

  it('decodes reasons and custom errors, before and after a transaction', async () => {
    const id = await offer('cod')
    const buy = { ...atShop(), functionName: 'buy', account: bob.address } as const
    const wrong = (await failureOf(client.simulateContract({ ...buy, args: [id], value: 4n }))) as BaseError
    const reverted = (failure: BaseError) => failure.walk((cause) => cause instanceof ContractFunctionRevertedError)
    expect(reverted(wrong)).toMatchObject({ data: { errorName: 'WrongPrice', args: [id, 5n, 4n] } })
    const unknown = (await failureOf(client.simulateContract({ ...buy, args: [10n ** 9n] }))) as BaseError
    expect(reverted(unknown)).toMatchObject({ reason: 'there is no such offer' })
    const receipt = await mined(write('buy', [id], { value: 4n, gas: 2_000_000n }))
    expect(receipt.status).toBe('reverted')
    const { revertReason } = receipt as unknown as { revertReason: Hex }
    expect(decodeErrorResult({ abi: market.abi, data: revertReason })).toMatchObject({
      errorName: 'WrongPrice',
      args: [id, 5n, 4n],
    })
  })

  it('finds past events by indexed values, also by the hash of a text', async () => {
    const fromBlock = await client.getBlockNumber()
    const [one, two] = [await offer('ray'), await offer('ray')]
    await mined(write('buy', [two], { value: 5n }))
    const offered = await client.getContractEvents({ ...atShop(), eventName: 'Offered', args: { id: one }, fromBlock })
    expect(offered).toMatchObject([{ args: { id: one, seller: alice.address, name: 'ray', price: 5n } }])
    const bought = await client.getContractEvents({
      ...atShop(),
      eventName: 'Bought',
      args: { id: [one, two], name: 'ray' },
      fromBlock,
    })
    expect(bought).toMatchObject([{ args: { id: two, buyer: alice.address, name: keccak256(toHex('ray')) } }])
    expect(await client.getContractEvents({ ...atShop(), eventName: 'Rated', fromBlock })).toEqual([])
    const filter = await client.createContractEventFilter({ ...atShop(), eventName: 'Offered', fromBlock })
    expect(await client.getFilterLogs({ filter })).toHaveLength(2)
    const three = await offer('eel')
    expect(await client.getFilterChanges({ filter })).toMatchObject([{ args: { id: three, name: 'eel' } }])
    expect(await client.uninstallFilter({ filter })).toBe(true)
  })

  it('sends many transactions in parallel with its nonce manager', async () => {
    const account = privateKeyToAccount(bob.key, { nonceManager: createNonceManager({ source: jsonRpc() }) })
    const many = createWalletClient({ account, chain, transport })
    const first = await nonceOf(bob.address)
    const hashes = await Promise.all(
      Array.from({ length: 12 }, (_, i) => many.sendTransaction({ to: nobody(3), value: BigInt(i), gas: 21_000n })),
    )
    const receipts = await Promise.all(hashes.map((hash) => mined(hash)))
    expect(receipts.every(({ status }) => status === 'success')).toBe(true)
    const sent = await Promise.all(hashes.map((hash) => client.getTransaction({ hash })))
    expect(sent.map(({ nonce }) => nonce).sort((a, b) => a - b)).toEqual(hashes.map((_, i) => first + i))
  })

  it.each([
    ['repriced', { to: nobody(4), value: 1n }],
    ['cancelled', { to: bob.address, value: 0n }],
    ['replaced', { to: nobody(5), value: 2n }],
  ] as const)('sees that a waiting transaction was %s', async (reason, replacement) => {
    const account = privateKeyToAccount(bob.key)
    const nonce = (await nonceOf(bob.address)) + 1
    const send = (request: { to: Hex; value: bigint; nonce: number }) =>
      wallet.sendTransaction({ ...request, account, gas: 21_000n, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n })
    const hash = await send({ to: nobody(4), value: 1n, nonce })
    let seen: string | undefined
    const receipt = client.waitForTransactionReceipt({ hash, onReplaced: (found) => void (seen = found.reason) })
    const height = await client.getBlockNumber()
    // viem must have read the transaction before it can miss it.
    await until('three more blocks', async () => (await client.getBlockNumber()) >= height + 3n)
    const raised = reason === 'repriced' ? { maxFeePerGas: 1n, maxPriorityFeePerGas: 1n } : {}
    const by = await wallet.sendTransaction({
      ...{ account, nonce, gas: 21_000n, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n },
      ...replacement,
      ...raised,
    })
    expect(by).not.toBe(hash)
    await send({ to: nobody(4), value: 0n, nonce: nonce - 1 })
    expect(await receipt).toMatchObject({ transactionHash: by, status: 'success' })
    expect(seen).toBe(reason)
  })

  it('reads many contracts in one call, and many requests in one batch', async () => {
    const contracts = ['title', 'fee', 'count'].map((functionName) => ({ ...atShop(), functionName }))
    const results = await client.multicall({
      contracts: [...contracts, { ...atShop(), functionName: 'offers', args: [10n ** 9n] }],
    })
    expect(results.map(({ status }) => status)).toEqual(['success', 'success', 'success', 'failure'])
    expect(results.slice(0, 2).map(({ result }) => result)).toEqual(['Fish', 7n])
    const batched = createPublicClient({
      chain,
      transport: http(here, { batch: { batchSize: 50 } }),
      batch: { multicall: true },
    })
    const [height, balances, title] = await Promise.all([
      batched.getBlockNumber(),
      Promise.all(Array.from({ length: 20 }, (_, i) => batched.getBalance({ address: nobody(1_000 + i) }))),
      batched.readContract({ ...atShop(), functionName: 'title' }),
    ])
    expect(height).toBeGreaterThan(0n)
    expect(balances.every((balance) => balance === 0n)).toBe(true)
    expect(title).toBe('Fish')
  })

  it('signs a permit that another account uses', async () => {
    const { contractAddress } = await mined(wallet.deployContract({ ...token, args: ['Gold', 'AU', alice.address, 100n] }))
    const gold = { address: contractAddress!, abi: token.abi }
    const { domain } = await client.getEip712Domain({ address: gold.address })
    const message = { owner: alice.address, spender: bob.address, value: 30n, nonce: 0n, deadline: 2n ** 40n }
    const { name, version, chainId, verifyingContract } = domain
    const signed = {
      domain: { name, version, chainId, verifyingContract },
      types: PERMIT,
      primaryType: 'Permit',
      message,
    } as const
    const signature = await wallet.signTypedData(signed)
    expect(await client.verifyTypedData({ ...signed, address: alice.address, signature })).toBe(true)
    const { r, s, yParity } = parseSignature(signature)
    const spender = createWalletClient({ account: privateKeyToAccount(bob.key), chain, transport })
    const permit = [alice.address, bob.address, 30n, 2n ** 40n, 27 + yParity, r, s]
    await mined(spender.writeContract({ ...gold, functionName: 'permit', args: permit }))
    await mined(spender.writeContract({ ...gold, functionName: 'transferFrom', args: [alice.address, nobody(6), 30n] }))
    expect(await client.readContract({ ...gold, functionName: 'balanceOf', args: [nobody(6)] })).toBe(30n)
  })

  it('deploys through the deterministic deployment proxy, to the address that it computes', async () => {
    const proxy = '0x4e59b44847b379578588920cA78FbF26c0B4956C'
    // What Foundry compares before it uses the proxy.
    expect(keccak256((await client.getCode({ address: proxy }))!)).toBe(
      '0x2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989',
    )
    const salt = keccak256(toHex('viem'))
    const bytecode = encodeDeployData({ ...market, args: ['Crab', 9n] })
    const address = getContractAddress({ opcode: 'CREATE2', from: proxy, salt, bytecode })
    expect(await client.getCode({ address })).toBeUndefined()
    const request = { account: wallet.account, to: proxy, data: concat([salt, bytecode]) } as const
    expect((await client.call(request)).data).toBe(address.toLowerCase())
    const gas = await client.estimateGas(request)
    const receipt = await mined(wallet.sendTransaction({ ...request, gas }))
    expect(receipt).toMatchObject({ status: 'success', contractAddress: null })
    await other.waitForTransactionReceipt({ hash: receipt.transactionHash })
    for (const node of [client, other]) {
      expect(await node.getCode({ address })).toBe(market.bytecode)
      expect(await node.readContract({ address, abi: market.abi, functionName: 'title' })).toBe('Crab')
    }
    expect(await client.getTransactionCount({ address })).toBe(1)
    expect(String(await failureOf(client.call(request)))).toMatch(/contract address collision/)
    for (const [data, why] of [
      ['0x', /0 bytes, too few for a salt/],
      [`0x${'00'.repeat(31)}`, /31 bytes, too few for a salt/],
      [salt, /contract code rejected/],
      [concat([keccak256(salt), market.bytecode]), /arguments are malformed/],
    ] as const)
      expect(String(await failureOf(client.call({ ...request, data }))), data).toMatch(why)
  })

  it('sends what was signed offline, once however often it is sent', async () => {
    const data = encodeFunctionData({ abi: market.abi, functionName: 'rate', args: [1n] })
    const serializedTransaction = await privateKeyToAccount(alice.key).signTransaction({
      ...{ chainId: CHAIN_ID, nonce: await nonceOf(alice.address), to: shop, data, gas: 500_000n },
      ...{ maxFeePerGas: 0n, maxPriorityFeePerGas: 0n },
    })
    const hash = await client.sendRawTransaction({ serializedTransaction })
    expect(hash).toBe(keccak256(serializedTransaction))
    expect(await other.sendRawTransaction({ serializedTransaction })).toBe(hash)
    expect((await mined(hash)).status).toBe('success')
    expect(await client.sendRawTransaction({ serializedTransaction })).toBe(hash)
  })

  it.each(['polls filters', 'subscribes over WebSocket'])('%s for events and blocks', async (way) => {
    const socket = createPublicClient({ chain, transport: webSocket(socketUrl(here)), cacheTime: 0 })
    const watcher = (way === 'polls filters' ? client : socket) as typeof client
    const [logs, heights]: [Log[], bigint[]] = [[], []]
    const failures: Error[] = []
    const stop = [
      watcher.watchContractEvent({
        ...{ ...atShop(), eventName: 'Rated', onError: (failure) => void failures.push(failure) },
        onLogs: (found) => void logs.push(...found),
      }),
      watcher.watchBlockNumber({ emitMissed: true, onBlockNumber: (height) => void heights.push(height) }),
    ]
    // A watch gives no sign of its start: the chain may advance until its first height arrives.
    await until('the first height', async () => heights.length > 1)
    const hashes = [await write('rate', [2n]), await write('rate', [-2n])]
    await until('two events', async () => logs.length >= 2)
    for (const end of stop) end()
    expect(failures).toEqual([])
    expect(logs.map(({ transactionHash }) => transactionHash)).toEqual(hashes)
    expect(logs).toMatchObject([{ args: { change: 2n } }, { args: { change: -2n } }])
    heights.forEach((height, i) => {
      if (i > 0) expect(height).toBe(heights[i - 1]! + 1n)
    })
    ;(await socket.transport.getRpcClient()).close()
  })

  it('subscribes again after its connection broke', async () => {
    const path = await cuttable(here)
    const watcher = createPublicClient({
      chain,
      transport: webSocket(socketUrl(path.url), { reconnect: { attempts: 20, delay: 100 } }),
    })
    const heights: bigint[] = []
    const stop = watcher.watchBlockNumber({ onBlockNumber: (height) => void heights.push(height) })
    await until('a height', async () => heights.length > 0)
    path.cut()
    const cutAt = await client.getBlockNumber()
    await until('a later height', async () => heights.at(-1)! > cutAt + 2n)
    stop()
    ;(await watcher.transport.getRpcClient()).close()
    await path.close()
  })
})
