import {
  type Block,
  Contract,
  ContractFactory,
  type ContractTransactionResponse,
  type EventLog,
  getCreateAddress,
  id,
  isError,
  JsonRpcProvider,
  keccak256,
  type LogDescription,
  NonceManager,
  parseEther,
  type Result,
  Signature,
  Transaction,
  type TransactionReceipt,
  type TransactionResponse,
  verifyTypedData,
  Wallet,
  WebSocketProvider,
} from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../e2e/watch.ts'
import { cuttable } from './cuttable.ts'
import { accountsOf, CHAIN_ID, failureOf, market, nobody, PERMIT, socketUrl, token, validators } from './stage.ts'

const [alice, bob] = accountsOf('ethers')
const here = validators[1]!
const provider = new JsonRpcProvider(here, undefined, { pollingInterval: 50, cacheTimeout: -1 })
const wallet = new Wallet(alice.key, provider)
afterAll(() => provider.destroy())

type Methods = Readonly<Record<string, Contract[string]>>
let shop: Contract & Methods

/** Ends a provider. Its unsubscriptions are answered before: `destroy` would reject them where nobody can catch it. */
async function end(watcher: JsonRpcProvider | WebSocketProvider): Promise<void> {
  await watcher.removeAllListeners()
  await watcher.getBlockNumber()
  await watcher.destroy()
}

const deploy = async (artifact: typeof market, ...args: unknown[]) => {
  const factory = new ContractFactory(artifact.abi as never, artifact.bytecode, wallet)
  const contract = await factory.deploy(...args)
  return (await contract.waitForDeployment()) as Contract & Methods
}

/** The receipt of a transaction that must succeed. */
async function mined(sent: Promise<TransactionResponse | ContractTransactionResponse>): Promise<TransactionReceipt> {
  const receipt = await (await sent).wait()
  expect(receipt).toMatchObject({ status: 1 })
  return receipt!
}

const parsed = ({ logs }: TransactionReceipt): readonly (LogDescription | null)[] =>
  logs.map((log) => shop.interface.parseLog(log))
const offer = async (name: string, price = 5n): Promise<bigint> =>
  parsed(await mined(shop['offer']!(name, price, [id(name)])))[0]!.args['id'] as bigint

beforeAll(async () => {
  const nonce = await provider.getTransactionCount(alice.address)
  shop = await deploy(market, 'Fish', 7n)
  expect(await shop.getAddress()).toBe(getCreateAddress({ from: alice.address, nonce }))
})

describe('ethers', () => {
  it('reads blocks with and without their transactions', async () => {
    const { blockNumber, hash } = await mined(wallet.sendTransaction({ to: nobody(10), value: 1n }))
    expect((await provider.getBlock(blockNumber))!.transactions).toContain(hash)
    const whole = (await provider.getBlock(blockNumber, true)) as Block
    expect(whole.prefetchedTransactions.find((one) => one.hash === hash)).toMatchObject({ from: alice.address, value: 1n })
    expect((await provider.getBlock(whole.hash!))!.number).toBe(blockNumber)
    expect((await provider.getNetwork()).chainId).toBe(BigInt(CHAIN_ID))
  })

  it.each([0, 1, 2])('estimates, sends and waits: type %i', async (type) => {
    const fees =
      type === 2 ? { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n } : { gasPrice: (await provider.getFeeData()).gasPrice }
    const request = { type, to: nobody(11), value: parseEther('1'), ...fees, ...(type === 1 ? { accessList: [] } : {}) }
    const gasLimit = await wallet.estimateGas(request)
    const before = await provider.getBalance(nobody(11))
    const receipt = await mined(wallet.sendTransaction({ ...request, gasLimit }))
    expect(receipt).toMatchObject({ type, gasUsed: gasLimit, from: alice.address })
    expect(await provider.getBalance(nobody(11))).toBe(before + parseEther('1'))
    expect(await provider.getTransaction(receipt.hash)).toMatchObject({ type, blockHash: receipt.blockHash })
    expect(await receipt.confirmations()).toBeGreaterThan(0)
  })

  it('waits for confirmations', async () => {
    const sent = await wallet.sendTransaction({ to: nobody(12), value: 1n })
    const receipt = await sent.wait(3)
    expect(await provider.getBlockNumber()).toBeGreaterThanOrEqual(receipt!.blockNumber + 2)
    expect(await provider.waitForTransaction(sent.hash, 2)).toMatchObject({ hash: sent.hash })
  })

  it('reads and writes structs, lists, negative and large numbers', async () => {
    expect([await shop['title']!(), await shop['fee']!()]).toEqual(['Fish', 7n])
    const index = await offer('Größe ß 🐟', 2n ** 255n)
    const found = (await shop['offers']!(index)) as Result
    expect(found.toObject()).toMatchObject({ seller: alice.address, price: 2n ** 255n, name: 'Größe ß 🐟' })
    expect((found['tags'] as Result).toArray()).toEqual([id('Größe ß 🐟')])
    expect(await shop['all']!()).toHaveLength(Number(index) + 1)
    const echoed = (await shop['echo']!(-(2n ** 255n), '0x00ff', true, [1, 2, 255])) as Result
    expect(echoed.toArray(true)).toEqual([-(2n ** 255n), '0x00ff', true, [1n, 2n, 255n]])
    await mined(shop['rate']!(-3n))
    expect(await shop['rating']!()).toBe(-3n)
  })

  it('decodes reasons and custom errors, before and after a transaction', async () => {
    const index = await offer('cod')
    const buy = shop.getFunction('buy')
    expect(await failureOf(buy.staticCall(index, { value: 4n }))).toMatchObject({
      code: 'CALL_EXCEPTION',
      revert: { name: 'WrongPrice', args: [index, 5n, 4n] },
    })
    expect(await failureOf(buy.estimateGas(10n ** 9n))).toMatchObject({
      code: 'CALL_EXCEPTION',
      reason: 'there is no such offer',
    })
    const sent = (await buy.send(index, { value: 4n, gasLimit: 2_000_000n })) as ContractTransactionResponse
    const failure = await failureOf(sent.wait())
    expect(failure).toMatchObject({ code: 'CALL_EXCEPTION', receipt: { status: 0, hash: sent.hash } })
    const raw = (await provider.send('eth_getTransactionReceipt', [sent.hash])) as { revertReason: string }
    expect(shop.interface.parseError(raw.revertReason)).toMatchObject({ name: 'WrongPrice', args: [index, 5n, 4n] })
  })

  it('finds past events by indexed values, also by the hash of a text', async () => {
    const from = await provider.getBlockNumber()
    const [one, two] = [await offer('ray'), await offer('ray')]
    await mined(shop['buy']!(two, { value: 5n }))
    const offered = (await shop.queryFilter(shop.filters['Offered']!(one), from)) as EventLog[]
    expect(offered.map(({ args }) => args.toArray())).toEqual([[one, alice.address, 'ray', 5n]])
    const bought = (await shop.queryFilter(shop.filters['Bought']!([one, two], null, 'ray'), from, 'latest')) as EventLog[]
    expect(bought).toMatchObject([{ args: [two, alice.address, { hash: id('ray') }] }])
    expect(await shop.queryFilter('Rated', from)).toEqual([])
    expect(await provider.getLogs({ address: shop.target as string, fromBlock: from })).toHaveLength(3)
  })

  it('sends many transactions in parallel with its nonce manager', async () => {
    const many = new NonceManager(new Wallet(bob.key, provider))
    const first = await provider.getTransactionCount(bob.address)
    const sent = await Promise.all(
      Array.from({ length: 12 }, (_, i) => many.sendTransaction({ to: nobody(13), value: i, gasLimit: 21_000 })),
    )
    expect(sent.map(({ nonce }) => nonce).sort((a, b) => a - b)).toEqual(sent.map((_, i) => first + i))
    const receipts = await Promise.all(sent.map((one) => one.wait()))
    expect(receipts.every((receipt) => receipt!.status === 1)).toBe(true)
  })

  it.each([
    ['repriced', { to: nobody(14), value: 1n, maxFeePerGas: 1n, maxPriorityFeePerGas: 1n }],
    ['cancelled', { to: bob.address, value: 0n }],
    ['replaced', { to: nobody(15), value: 2n }],
  ] as const)('sees that a waiting transaction was %s', async (reason, replacement) => {
    const sender = new Wallet(bob.key, provider)
    const nonce = (await provider.getTransactionCount(bob.address)) + 1
    const base = { type: 2, gasLimit: 21_000, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }
    const waiting = await sender.sendTransaction({ ...base, nonce, to: nobody(14), value: 1n })
    const failure = failureOf(waiting.wait())
    const by = await sender.sendTransaction({ ...base, ...replacement, nonce })
    await sender.sendTransaction({ ...base, nonce: nonce - 1, to: nobody(14), value: 0n })
    const error = (await failure) as Error
    if (!isError(error, 'TRANSACTION_REPLACED')) throw error
    expect(error).toMatchObject({ reason, cancelled: reason !== 'repriced', replacement: { hash: by.hash } })
    expect(error.receipt.status).toBe(1)
  })

  it('sends its requests in batches', async () => {
    const height = await provider.getBlockNumber()
    const [balances, blocks, title] = await Promise.all([
      Promise.all(Array.from({ length: 120 }, (_, i) => provider.getBalance(nobody(2_000 + i)))),
      Promise.all(Array.from({ length: 5 }, (_, i) => provider.getBlock(height - i))),
      shop['title']!(),
    ])
    expect(balances.every((balance) => balance === 0n)).toBe(true)
    expect(blocks.map((block) => block!.number)).toEqual([0, 1, 2, 3, 4].map((i) => height - i))
    expect(title).toBe('Fish')
  })

  it('signs a permit that another account uses', async () => {
    const gold = await deploy(token, 'Gold', 'AU', alice.address, 100n)
    const domain = { name: 'Gold', version: '1', chainId: CHAIN_ID, verifyingContract: await gold.getAddress() }
    const message = { owner: alice.address, spender: bob.address, value: 30n, nonce: 0n, deadline: 2n ** 40n }
    const signed = await wallet.signTypedData(domain, PERMIT, message)
    expect(verifyTypedData(domain, PERMIT, message, signed)).toBe(alice.address)
    const { v, r, s } = Signature.from(signed)
    const spending = gold.connect(new Wallet(bob.key, provider)) as Contract & Methods
    await mined(spending['permit']!(alice.address, bob.address, 30n, 2n ** 40n, v, r, s))
    await mined(spending['transferFrom']!(alice.address, nobody(16), 30n))
    expect(await gold['balanceOf']!(nobody(16))).toBe(30n)
  })

  it('sends what was signed offline', async () => {
    const raw = await new Wallet(alice.key).signTransaction({
      ...{ type: 2, chainId: CHAIN_ID, nonce: await provider.getTransactionCount(alice.address), gasLimit: 500_000 },
      ...{ to: await shop.getAddress(), data: shop.interface.encodeFunctionData('rate', [1n]) },
      ...{ maxFeePerGas: 0n, maxPriorityFeePerGas: 0n },
    })
    expect(Transaction.from(raw)).toMatchObject({ from: alice.address, hash: keccak256(raw) })
    const sent = await provider.broadcastTransaction(raw)
    expect(sent.hash).toBe(keccak256(raw))
    await mined(Promise.resolve(sent))
    expect((await provider.broadcastTransaction(raw)).hash).toBe(sent.hash)
  })

  it.each(['polls filters', 'polls logs', 'subscribes over WebSocket'])('%s for events and blocks', async (way) => {
    const options = { pollingInterval: 50, cacheTimeout: -1, staticNetwork: true }
    const watcher =
      way === 'subscribes over WebSocket'
        ? new WebSocketProvider(socketUrl(here))
        : new JsonRpcProvider(here, CHAIN_ID, { ...options, polling: way === 'polls logs' })
    const watched = shop.connect(watcher) as Contract
    const [changes, heights]: [bigint[], number[]] = [[], []]
    await watched.on('Rated', (change: bigint) => void changes.push(change))
    await watcher.on('block', (height: number) => void heights.push(height))
    await until('two heights', async () => heights.length > 1)
    await mined(shop['rate']!(2n))
    await mined(shop['rate']!(-2n))
    await until('two events', async () => changes.length >= 2)
    expect(changes).toEqual([2n, -2n])
    heights.forEach((height, i) => {
      if (i > 0) expect(height).toBe(heights[i - 1]! + 1)
    })
    await watched.removeAllListeners()
    await end(watcher)
  })

  it('goes on with a new WebSocket after its connection broke', async () => {
    const path = await cuttable(here)
    const heights: number[] = []
    const open = async () => {
      const socket = new WebSocketProvider(socketUrl(path.url))
      await socket.on('block', (height: number) => void heights.push(height))
      return socket
    }
    const first = await open()
    await until('a height', async () => heights.length > 0)
    const closed = new Promise<void>((resolve) => {
      ;(first.websocket as unknown as { onclose: () => void }).onclose = () => resolve()
    })
    path.cut()
    await closed
    const cutAt = heights.at(-1)!
    const second = await open()
    await until('a later height', async () => heights.at(-1)! > cutAt)
    // The first one has no connection to unsubscribe on.
    await end(second)
    await path.close()
  })
})
