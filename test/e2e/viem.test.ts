import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DEVELOPMENT_BALANCE, DEVELOPMENT_MNEMONIC } from '@quoin/platform'
import { Address, Hash, Height, nobleCrypto, unwrap, verifyAccountProof } from '@quoin/protocol'
import { HDNodeWallet, JsonRpcProvider } from 'ethers'
import { type Block, createPublicClient, fromRlp, type Hex, keccak256, parseEther, toHex, webSocket } from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { account, Network, publicClient, type Validator, walletClient } from './harness.ts'
import { Program, ROOT, run } from './program.ts'

let network: Network
beforeAll(async () => {
  network = await Network.start({ parameters: { blockIntervalMs: 100, heartbeatIntervalMs: 250 } })
})
afterAll(() => network.close())

const nobody = '0x00000000000000000000000000000000000000aa'

describe.each([0, 1, 2, 3])('stock viem against validator %i', (index) => {
  const here = (): Validator => network.validators[index]!
  const elsewhere = (): Validator => network.validators[(index + 1) % 4]!
  const wallet = () => walletClient(here().url, index)

  it('reads the chain', async () => {
    const { client } = here()
    expect(await client.getChainId()).toBe(foundry.id)
    const genesis = await client.getBlock({ blockNumber: 0n })
    expect(genesis).toMatchObject({ number: 0n, transactions: [], gasUsed: 0n, baseFeePerGas: 0n })
    const latest = await client.getBlock()
    expect(latest.number).toBeGreaterThanOrEqual(0n)
    expect((await client.getBlock({ blockHash: latest.hash })).stateRoot).toBe(latest.stateRoot)
    expect(await client.getBalance({ address: account(9).address })).toBe(DEVELOPMENT_BALANCE)
    expect(await client.getBalance({ address: nobody })).toBe(0n)
    expect(await client.getTransactionCount({ address: account(index).address })).toBe(0)
    expect(await client.getCode({ address: nobody })).toBeUndefined()
  })

  it('estimates gas and fees: gas is bounded and costs nothing', async () => {
    const { client } = here()
    expect(await client.estimateGas({ account: account(index), to: nobody, value: 1n })).toBe(21_000n)
    expect(await client.estimateFeesPerGas()).toEqual({ maxFeePerGas: 0n, maxPriorityFeePerGas: 0n })
    expect(await client.getGasPrice()).toBe(0n)
  })

  it('proves the state of a recent block to a client that has its header', async () => {
    const { client } = here()
    const request = (method: string, ...params: unknown[]) => client.request({ method, params } as never) as Promise<unknown>
    const latest = await client.getBlock()
    const raw = (await request('debug_getRawHeader', latest.hash)) as Hex
    expect(keccak256(raw)).toBe(latest.hash)
    const stateRoot = Hash((fromRlp(raw, 'hex') as readonly Hex[])[3]!)
    const block = { number: Height(Number(latest.number)), hash: Hash(latest.hash), stateRoot }
    const keys = [new Uint8Array(0), new Uint8Array(128)]
    for (const holder of [account(9).address, nobody]) {
      const address = Address(holder)
      const answer = await request(
        'quoin_getProof',
        address,
        keys.map((key) => toHex(key)),
        latest.hash,
      )
      const { account: proven, values } = unwrap(verifyAccountProof(nobleCrypto, { block, address, keys }, answer))
      expect([proven?.balance, values]).toEqual([holder === nobody ? undefined : DEVELOPMENT_BALANCE, [undefined, undefined]])
    }
  })

  it.each(['legacy', 'eip2930', 'eip1559'] as const)('sends a transaction of type %s, final on another node', async (type) => {
    const to = `0x${(0xbb00 + index).toString(16).padStart(40, '0')}` as const
    const before = await elsewhere().client.getBalance({ address: to })
    const nonce = await here().client.getTransactionCount({ address: account(index).address })
    const hash = await wallet().sendTransaction({ type, to, value: parseEther('1.5') } as Parameters<
      ReturnType<typeof wallet>['sendTransaction']
    >[0])
    const receipt = await elsewhere().client.waitForTransactionReceipt({ hash })
    expect(receipt).toMatchObject({ status: 'success', type, gasUsed: 21_000n, effectiveGasPrice: 0n, logs: [] })
    const { client } = elsewhere()
    expect(await client.getBalance({ address: to })).toBe(before + parseEther('1.5'))
    expect(await client.getTransactionCount({ address: account(index).address })).toBe(nonce + 1)
    const transaction = await client.getTransaction({ hash })
    expect(transaction).toMatchObject({ type, nonce, value: parseEther('1.5'), blockHash: receipt.blockHash })
    expect(transaction.from).toBe(account(index).address.toLowerCase())
    expect((await client.getBlock({ blockHash: receipt.blockHash })).transactions).toContain(hash)
  })

  it('sends a transaction that was signed before', async () => {
    const nonce = await here().client.getTransactionCount({ address: account(index).address })
    const serializedTransaction = await account(index).signTransaction({
      ...{ chainId: foundry.id, nonce, gas: 21_000n, to: nobody, value: 0n },
      ...{ maxFeePerGas: 0n, maxPriorityFeePerGas: 0n },
    })
    const hash = await here().client.sendRawTransaction({ serializedTransaction })
    expect(await elsewhere().client.waitForTransactionReceipt({ hash })).toMatchObject({ status: 'success' })
  })

  const watched = (client: ReturnType<typeof publicClient>, poll: boolean): Promise<readonly Block[]> =>
    new Promise((resolve, reject) => {
      const blocks: Block[] = []
      const stop = client.watchBlocks({
        ...{ poll: poll as true, emitMissed: true, pollingInterval: 50 },
        onBlock(block) {
          blocks.push(block)
          if (blocks.length < 4) return
          stop()
          resolve(blocks)
        },
        onError(failure) {
          stop()
          reject(failure)
        },
      })
    })

  const expectChain = (blocks: readonly Block[]): void => {
    blocks.forEach((block, i) => {
      if (i === 0) return
      expect(block.number).toBe(blocks[i - 1]!.number! + 1n)
      expect(block.parentHash).toBe(blocks[i - 1]!.hash)
    })
  }

  it('watches blocks over HTTP', async () => {
    expectChain(await watched(here().client, true))
  })

  it('watches blocks over WebSocket', async () => {
    const transport = webSocket(`ws://127.0.0.1:${here().rpcPort}`, { retryCount: 0, reconnect: false })
    const client = createPublicClient({ chain: foundry, transport })
    try {
      expectChain(await watched(client as unknown as ReturnType<typeof publicClient>, false))
    } finally {
      const { socket } = await client.transport.getRpcClient()
      socket.close()
    }
  })
})

it('ethers sends a transaction', async () => {
  const provider = new JsonRpcProvider(network.validators[0]!.url, undefined, { pollingInterval: 50 })
  try {
    const wallet = HDNodeWallet.fromPhrase(DEVELOPMENT_MNEMONIC, undefined, "m/44'/60'/0'/0/5").connect(provider)
    const sent = await wallet.sendTransaction({ to: nobody, value: 7n })
    const receipt = await sent.wait()
    expect(receipt).toMatchObject({ status: 1, hash: sent.hash, from: account(5).address })
    expect(await network.receipts(sent.hash as Hex)).toHaveLength(4)
  } finally {
    provider.destroy()
  }
})

it.each([
  ['README.md', 'A first transaction', /^success in block \d+, final\n$/],
  ['docs/contracts.md', 'Deploying', /^5n \{ by: '0xf39F\w+', count: 5n \}\nTooMuch \[ 10n \]\n$/],
])('%s, %s, does what it says', async (page, title, output) => {
  const text = await readFile(join(ROOT, page), 'utf8')
  const section = text.split(/^## /m).find((part) => part.startsWith(`${title}\n`))
  const code = /```[jt]s\n([\s\S]*?)```/.exec(section ?? '')?.[1]
  expect(code).toContain('http://127.0.0.1:8545')
  // A place where a script finds viem as in a user's own project.
  const directory = join(ROOT, 'node_modules', '.cache', 'quoin')
  const path = join(directory, `readme-${process.pid}.mjs`)
  await mkdir(directory, { recursive: true })
  await writeFile(path, code!.replaceAll('http://127.0.0.1:8545', network.validators[2]!.url))
  try {
    expect(await run(new Program(process.execPath, [path]))).toMatchObject({ code: 0, output: expect.stringMatching(output) })
  } finally {
    await rm(path)
  }
})

it('all four agree on every block and state root, and each recovered every sender once', async () => {
  const before = await network.agreement()
  expect(before).toBeGreaterThan(20)
  const metrics = await Promise.all(network.validators.map((validator) => validator.metrics()))
  expect(new Set(metrics.map(({ quoin_chain_transactions_total: total }) => total)).size).toBe(1)
  for (const node of metrics) expect(node['quoin_crypto_senders_recovered_total']).toBe(node['quoin_chain_transactions_total'])
})
