import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HttpProvider, eth as parts, Web3, WebSocketProvider } from 'web3'
import { until } from '../e2e/watch.ts'
import { cuttable } from './cuttable.ts'
import type { Artifact } from './setup.ts'
import { accountsOf, CHAIN_ID, failureOf, market, nobody, PERMIT, socketUrl, token, validators } from './stage.ts'

const [alice, bob] = accountsOf('web3')
const [here, elsewhere] = [validators[2]!, validators[3]!]
const FAST = { transactionPollingInterval: 50, transactionConfirmationBlocks: 3 }

const signing = (provider: string | WebSocketProvider): Web3 => {
  const web3 = new Web3(provider as HttpProvider | string)
  web3.setConfig(FAST)
  web3.eth.accounts.wallet.add(alice.key).add(bob.key)
  return web3
}
const web3 = signing(here)
const { eth, utils } = web3
const from = alice.address

/** A contract with the ABI of an artifact, whose functions are not known to the compiler. */
const contractAt = (owner: Web3, { abi }: Artifact, address?: string) => new owner.eth.Contract(abi as never, address)
type AnyContract = ReturnType<typeof contractAt>

async function deploy(artifact: Artifact, args: unknown[]): Promise<AnyContract> {
  const deployment = contractAt(web3, artifact).deploy({ data: artifact.bytecode, arguments: args as never })
  return (await deployment.send({ from, gas: String(await deployment.estimateGas({ from })) })) as AnyContract
}

let shop: AnyContract
const read = (name: string, ...args: unknown[]): Promise<unknown> => shop.methods[name]!(...args).call({ from })
const write = (name: string, args: unknown[], options: object = {}) => shop.methods[name]!(...args).send({ from, ...options })
const offer = async (name: string, price = 5n): Promise<bigint> => {
  const { events } = await write('offer', [name, price, [utils.keccak256(name)]])
  return events!['Offered']!.returnValues['id'] as bigint
}

beforeAll(async () => {
  shop = await deploy(market, ['Fish', 7n])
})

describe('web3.js', () => {
  it('reads blocks with and without their transactions', async () => {
    const receipt = await eth.sendTransaction({ from, to: nobody(20), value: 1n })
    expect((await eth.getBlock(receipt.blockNumber)).transactions).toContain(receipt.transactionHash)
    const { transactions } = await eth.getBlock(receipt.blockHash as string, true)
    const whole = transactions as readonly { hash: string; from: string; value: bigint }[]
    const [found] = whole.filter(({ hash }) => hash === receipt.transactionHash)
    expect(found).toMatchObject({ from: from.toLowerCase(), value: 1n })
    expect(await eth.getBlockTransactionCount(receipt.blockNumber)).toBe(BigInt(whole.length))
    expect(await eth.getBlockUncleCount(receipt.blockNumber)).toBe(0n)
    expect([await eth.getChainId(), await eth.net.getId()]).toEqual([BigInt(CHAIN_ID), BigInt(CHAIN_ID)])
    expect([await eth.isSyncing(), await eth.net.isListening(), await eth.net.getPeerCount()]).toEqual([false, true, 3n])
  })

  it.each([0, 1, 2])('estimates, sends and waits: type %i', async (type) => {
    const fees = type === 2 ? {} : { gasPrice: await eth.getGasPrice() }
    const request = {
      from,
      type,
      to: nobody(21),
      value: utils.toWei('1', 'ether'),
      ...fees,
      ...(type === 1 ? { accessList: [] } : {}),
    }
    const gas = await eth.estimateGas(request)
    const before = await eth.getBalance(nobody(21))
    const receipt = await eth.sendTransaction({ ...request, gas })
    expect(receipt).toMatchObject({ status: 1n, type: BigInt(type), gasUsed: gas })
    expect(await eth.getBalance(nobody(21))).toBe(before + 10n ** 18n)
    expect(await eth.getTransaction(receipt.transactionHash)).toMatchObject({ type: BigInt(type), blockHash: receipt.blockHash })
  })

  it('reads fees and their history', async () => {
    expect(await eth.calculateFeeData()).toMatchObject({ gasPrice: 0n, baseFeePerGas: 0n, maxPriorityFeePerGas: 0n })
    const { baseFeePerGas, reward } = (await eth.getFeeHistory(3, 'latest', [20, 80])) as unknown as Record<string, unknown[]>
    expect([baseFeePerGas!.length, reward!.length]).toEqual([4, 3])
  })

  it('reports each step of a transaction', async () => {
    const steps: [string, unknown][] = []
    const sent = eth.sendTransaction({ from, to: nobody(22), value: 1n, gas: 21_000 })
    const confirmed = new Promise<void>((resolve) => {
      sent
        .on('sending', () => void steps.push(['sending', undefined]))
        .on('sent', () => void steps.push(['sent', undefined]))
        .on('transactionHash', (hash) => void steps.push(['hash', hash]))
        .on('receipt', (receipt) => void steps.push(['receipt', receipt.transactionHash]))
        .on('confirmation', ({ confirmations }) => {
          steps.push(['confirmation', confirmations])
          if (confirmations === 3n) resolve()
        })
    })
    const { transactionHash } = await sent
    await confirmed
    const confirmations = [1n, 2n, 3n].map((count) => ['confirmation', count])
    const wanted = [
      ['sending', undefined],
      ['sent', undefined],
      ['hash', transactionHash],
      ['receipt', transactionHash],
    ]
    expect(steps).toEqual([...wanted, ...confirmations])
  })

  it('reads and writes structs, lists, negative and large numbers', async () => {
    expect([await read('title'), await read('fee')]).toEqual(['Fish', 7n])
    const index = await offer('Größe ß 🐟', 2n ** 255n)
    const wanted = { seller: from, price: 2n ** 255n, name: 'Größe ß 🐟', tags: [utils.keccak256('Größe ß 🐟')] }
    expect(await read('offers', index)).toMatchObject(wanted)
    expect(await read('all')).toHaveLength(Number(index) + 1)
    const echoed = await read('echo', -(2n ** 255n), '0x00ff', true, [1, 2, 255])
    expect(echoed).toMatchObject({ 0: -(2n ** 255n), 1: '0x00ff', 2: true, 3: [1n, 2n, 255n] })
    await write('rate', [-3])
    expect(await read('rating')).toBe(-3n)
  })

  it('decodes reasons and custom errors, before and after a transaction', async () => {
    const index = await offer('cod')
    const buy = (id: bigint) => shop.methods['buy']!(id)
    const decoded = { errorName: 'WrongPrice', errorArgs: { id: index, wanted: 5n, paid: 4n } }
    expect(await failureOf(buy(index).call({ from, value: '4' }))).toMatchObject({ cause: decoded })
    expect(await failureOf(buy(10n ** 9n).call({ from }))).toMatchObject({
      cause: { message: expect.stringContaining('there is no such offer') },
    })
    // A contract's transaction is sent without a call before; afterwards its reason is looked for if that is switched on.
    const missing = { reason: expect.stringContaining('there is no such offer') }
    shop.handleRevert = true
    const sent = buy(10n ** 9n).send({ from, gas: '2000000' }) as PromiseLike<unknown>
    expect(await failureOf(sent)).toMatchObject({ ...missing, receipt: { status: 0n, logs: [] } })
    // Any other transaction is called before it is sent.
    const request = { from, to: shop.options.address!, data: buy(10n ** 9n).encodeABI(), gas: 2_000_000 }
    const nonce = await eth.getTransactionCount(from)
    expect(await failureOf(eth.sendTransaction(request) as PromiseLike<unknown>)).toMatchObject(missing)
    expect(await eth.getTransactionCount(from)).toBe(nonce)
  })

  it('finds past events by indexed values, also by the hash of a text', async () => {
    const fromBlock = await eth.getBlockNumber()
    const [one, two] = [await offer('ray'), await offer('ray')]
    await write('buy', [two], { value: '5' })
    const past = (name: string, filter: object = {}) => shop.getPastEvents(name as never, { filter, fromBlock } as never)
    expect(await past('Offered', { id: one })).toMatchObject([
      { event: 'Offered', returnValues: { id: one, seller: from, name: 'ray', price: 5n } },
    ])
    expect(await past('Bought', { id: [one, two], name: 'ray' })).toMatchObject([
      { returnValues: { id: two, buyer: from, name: utils.keccak256('ray') } },
    ])
    expect(await past('Rated')).toEqual([])
    expect(await past('allEvents')).toHaveLength(3)
    const logs = await eth.getPastLogs({ address: shop.options.address!, fromBlock })
    expect(logs).toHaveLength(3)
  })

  it('sends many transactions in parallel', async () => {
    const first = await eth.getTransactionCount(bob.address)
    const receipts = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        eth.sendTransaction({ from: bob.address, to: nobody(23), value: i, gas: 21_000, nonce: first + BigInt(i) }),
      ),
    )
    expect(receipts.every(({ status }) => status === 1n)).toBe(true)
    expect(await eth.getTransactionCount(bob.address)).toBe(first + 12n)
  })

  it('replaces a waiting transaction', async () => {
    const nonce = (await eth.getTransactionCount(bob.address)) + 1n
    const sign = async (request: object) => {
      const base = { chainId: CHAIN_ID, gas: 21_000, maxFeePerGas: 0, maxPriorityFeePerGas: 0, to: nobody(24), value: 1 }
      return (await eth.accounts.signTransaction({ ...base, nonce, ...request }, bob.key)) as {
        rawTransaction: string
        transactionHash: string
      }
    }
    const [waiting, cancel, before] = [
      await sign({}),
      await sign({ to: bob.address, value: 0 }),
      await sign({ nonce: nonce - 1n }),
    ]
    const provider = eth.currentProvider as unknown as HttpProvider
    const send = ({ rawTransaction }: { rawTransaction: string }) =>
      provider.request({ method: 'eth_sendRawTransaction', params: [rawTransaction], id: 1, jsonrpc: '2.0' } as never)
    await send(waiting)
    expect(await eth.getTransaction(waiting.transactionHash)).toMatchObject({ nonce })
    const cancelled = eth.sendSignedTransaction(cancel.rawTransaction)
    await eth.sendSignedTransaction(before.rawTransaction)
    expect(await cancelled).toMatchObject({ status: 1n, transactionHash: cancel.transactionHash })
    expect(await failureOf(eth.getTransaction(waiting.transactionHash))).toMatchObject({ name: 'TransactionNotFound' })
  })

  it('sends requests in batches', async () => {
    const batch = new web3.BatchRequest()
    const balances = Array.from({ length: 30 }, (_, i) =>
      batch.add({ method: 'eth_getBalance', params: [nobody(3_000 + i), 'latest'] }),
    )
    const failing = batch.add({ method: 'eth_call', params: [{ to: shop.options.address, data: '0x12345678' }, 'latest'] })
    const failure = failureOf(failing)
    expect(await batch.execute()).toHaveLength(31)
    expect(await Promise.all(balances)).toEqual(balances.map(() => '0x0'))
    expect(await failure).toMatchObject({ code: 3 })
  })

  it('signs a permit that another account uses', async () => {
    const gold = await deploy(token, ['Gold', 'AU', from, 100n])
    const EIP712Domain = ['name:string', 'version:string', 'chainId:uint256', 'verifyingContract:address'].map((member) => {
      const [name, type] = member.split(':') as [string, string]
      return { name, type }
    })
    const encoded = parts.abi.getEncodedEip712Data({
      types: { EIP712Domain, ...PERMIT },
      primaryType: 'Permit',
      domain: { name: 'Gold', version: '1', chainId: CHAIN_ID, verifyingContract: gold.options.address! },
      message: { owner: from, spender: bob.address, value: '30', nonce: '0', deadline: String(2n ** 40n) },
    } as never)
    const { v, r, s } = parts.accounts.signRaw(encoded, alice.key)
    const permit = [from, bob.address, 30n, 2n ** 40n, Number(v), r, s]
    await gold.methods['permit']!(...permit).send({ from: bob.address })
    await gold.methods['transferFrom']!(from, nobody(25), 30n).send({ from: bob.address })
    expect(await gold.methods['balanceOf']!(nobody(25)).call()).toBe(30n)
  })

  it('sends what was signed offline, and finds it at another node', async () => {
    const signed = await eth.accounts.signTransaction(
      {
        ...{
          chainId: CHAIN_ID,
          nonce: await eth.getTransactionCount(from),
          gas: 500_000,
          maxFeePerGas: 0,
          maxPriorityFeePerGas: 0,
        },
        ...{ to: shop.options.address!, data: shop.methods['rate']!(1).encodeABI() },
      },
      alice.key,
    )
    expect(eth.accounts.recoverTransaction(signed.rawTransaction)).toBe(from)
    const receipt = await eth.sendSignedTransaction(signed.rawTransaction)
    expect(receipt).toMatchObject({ status: 1n, transactionHash: signed.transactionHash })
    const other = new Web3(elsewhere)
    await until('the receipt', async () => (await other.eth.getBlockNumber()) >= BigInt(receipt.blockNumber))
    expect(await other.eth.getTransactionReceipt(receipt.transactionHash)).toEqual(receipt)
  })
})

describe('web3.js over WebSocket', () => {
  const open: WebSocketProvider[] = []
  const connect = (url: string): Web3 => {
    const provider = new WebSocketProvider(socketUrl(url), {}, { autoReconnect: true, delay: 50, maxAttempts: 50 })
    open.push(provider)
    return signing(provider)
  }
  afterAll(() => {
    for (const provider of open) provider.disconnect()
  })

  it('subscribes to blocks, logs and events', async () => {
    const socket = connect(here)
    const [heights, logs, changes, hashes]: [bigint[], string[], bigint[], string[]] = [[], [], [], []]
    const heads = await socket.eth.subscribe('newBlockHeaders')
    heads.on('data', ({ number }) => void heights.push(number as bigint))
    const all = await socket.eth.subscribe('logs', { address: shop.options.address! })
    all.on('data', (log) => void logs.push((log as { transactionHash: string }).transactionHash))
    const pending = await socket.eth.subscribe('newPendingTransactions')
    pending.on('data', (hash) => void hashes.push(hash as string))
    const rated = contractAt(socket, market, shop.options.address).events['Rated']!({ filter: { change: 2n } } as never)
    rated.on('data', ({ returnValues }) => void changes.push(returnValues['change'] as bigint))
    await until('a height', async () => heights.length > 0)
    const sent = [await write('rate', [2]), await write('rate', [-2]), await write('rate', [2])].map((one) => one.transactionHash)
    await until('the events', async () => logs.length >= 3 && changes.length >= 2)
    expect(logs).toEqual(sent)
    expect(changes).toEqual([2n, 2n])
    for (const hash of sent) expect(hashes).toContain(hash)
    heights.forEach((height, i) => {
      if (i > 0) expect(height).toBe(heights[i - 1]! + 1n)
    })
    await socket.eth.clearSubscriptions()
  })

  it('sends and waits for confirmations by its subscription', async () => {
    const socket = connect(here)
    const sent = socket.eth.sendTransaction({ from: bob.address, to: nobody(26), value: 1n })
    const confirmed = new Promise<bigint>((resolve) => {
      sent.on('confirmation', ({ confirmations }) => {
        if (confirmations === 3n) resolve(confirmations)
      })
    })
    expect(await sent).toMatchObject({ status: 1n })
    expect(await confirmed).toBe(3n)
  })

  it('connects again after its connection broke, and subscribes again', async () => {
    const path = await cuttable(here)
    const socket = connect(path.url)
    const heights: bigint[] = []
    const follow = async () => {
      const heads = await socket.eth.subscribe('newBlockHeaders')
      heads.on('data', ({ number }) => void heights.push(number as bigint))
    }
    await follow()
    await until('a height', async () => heights.length > 0)
    const again = new Promise<void>((resolve) => {
      ;(socket.provider as WebSocketProvider).on('connect', () => resolve())
    })
    path.cut()
    await again
    const cutAt = await eth.getBlockNumber()
    await follow()
    await until('a later height', async () => heights.at(-1)! > cutAt)
    open.splice(open.indexOf(socket.provider as WebSocketProvider), 1)[0]!.disconnect()
    await path.close()
  })
})
