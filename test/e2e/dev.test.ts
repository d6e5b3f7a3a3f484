import { once } from 'node:events'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { genesisToJson, nobleCrypto } from '@quoin/protocol'
import { ContractFactory, getBigInt, JsonRpcProvider } from 'ethers'
import {
  createPublicClient,
  createTestClient,
  getContract,
  type Hex,
  http,
  type Log,
  parseEther,
  publicActions,
  walletActions,
  webSocket,
} from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { devnetGenesis } from '../../packages/cli/src/devnet/genesis.ts'
import { readContract } from '../contracts/contract.mjs'
import { account, temporaryDirectory, walletClient } from './harness.ts'
import { freePorts } from './ports.ts'
import { Program, type ProgramOptions, quoin, ROOT, run, startQuoin } from './program.ts'
import { until } from './watch.ts'

const token = readContract('token')
const SUPPLY = 10n ** 24n
const [alice, bob, carol] = [account(0).address, account(1).address, account(2).address]

/** A development node in its own process. */
interface Dev {
  readonly program: Program
  readonly port: number
  readonly url: string
  /** From the start of the process to its first answer. */
  readonly readyMs: number
}

async function startDev(args: readonly string[] = [], options: ProgramOptions = {}): Promise<Dev> {
  const begun = performance.now()
  const program = startQuoin(['dev', '--port', '0', ...args], { ...options, ipc: true })
  const { rpcPort: port } = await program.message<{ kind: 'ready'; rpcPort: number }>('ready')
  const url = `http://127.0.0.1:${port}`
  const body = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'
  await (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).json()
  return { program, port, url, readyMs: performance.now() - begun }
}

const testClient = (url: string) =>
  createTestClient({ mode: 'anvil', chain: foundry, transport: http(url, { retryCount: 0 }), pollingInterval: 50, cacheTime: 0 })
    .extend(publicActions)
    .extend(walletActions)

let dev: Dev
let client: ReturnType<typeof testClient>

beforeAll(async () => {
  dev = await startDev()
  client = testClient(dev.url)
})
afterAll(() => dev.program.end('SIGKILL'))

async function deploy(): Promise<Hex> {
  const hash = await walletClient(dev.url, 0).deployContract({ ...token, args: ['Token', 'TKN', alice, SUPPLY] })
  return (await client.waitForTransactionReceipt({ hash })).contractAddress!
}
const tokenAt = (address: Hex) =>
  getContract({ address, abi: token.abi, client: { public: client, wallet: walletClient(dev.url, 0) } })
const give = (address: Hex, to: Hex, value: bigint): Promise<Hex> => tokenAt(address).write['transfer']!([to, value])

describe('with stock viem', () => {
  it('answers soon after its start, and says what it serves', async () => {
    console.log(`quoin dev: RPC answers after ${dev.readyMs.toFixed(0)} ms`)
    // The output of a program and its messages arrive on different channels, so the output may be later.
    for (const text of [
      alice.toLowerCase(),
      'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
      'test junk',
      dev.url,
    ])
      await dev.program.shows(new RegExp(text))
    expect(await client.getChainId()).toBe(31_337)
  })

  it('moves money, and makes and calls contracts, at once', async () => {
    const hash = await walletClient(dev.url, 0).sendTransaction({ to: bob, value: parseEther('1') })
    expect((await client.getTransactionReceipt({ hash })).status).toBe('success')
    expect(await client.getBalance({ address: bob })).toBe(parseEther('10001'))
    const address = await deploy()
    await give(address, bob, 5n)
    expect(await tokenAt(address).read['balanceOf']!([bob])).toBe(5n)
    await expect(tokenAt(address).simulate['transfer']!([bob, SUPPLY], { account: bob })).rejects.toThrow(
      'ERC20InsufficientBalance',
    )
    await dev.program.shows(new RegExp(`${hash}  block 1  21,000 gas  ok`))
  })

  it('goes back, and subscriptions go on', async () => {
    const address = await deploy()
    const socket = createPublicClient({ chain: foundry, transport: webSocket(dev.url.replace('http', 'ws')) })
    const [heads, logs]: [bigint[], Log[]] = [[], []]
    const stop = [
      socket.watchBlockNumber({ onBlockNumber: (number) => void heads.push(number) }),
      socket.watchContractEvent({ address, abi: token.abi, onLogs: (found) => void logs.push(...found) }),
    ]
    // Subscriptions are created without an answer to wait for: a call on the same socket is answered after them.
    const height = await socket.getBlockNumber({ cacheTime: 0 })
    const id = await client.snapshot()
    const first = await give(address, bob, 7n)
    await until('the first log', async () => logs.length === 1)
    await client.revert({ id })
    expect(await client.getBlockNumber()).toBe(height)
    expect(await client.getLogs({ address, fromBlock: 0n })).toHaveLength(1)
    expect(await tokenAt(address).read['balanceOf']!([bob])).toBe(0n)
    const second = await give(address, bob, 7n)
    expect(second).toBe(first)
    await give(address, carol, 8n)
    await until('the logs after', async () => logs.length === 3 && heads.length === 3)
    expect(logs.map(({ transactionHash, blockNumber }) => [transactionHash, blockNumber])).toMatchObject([
      [first, height + 1n],
      [second, height + 1n],
      [expect.any(String), height + 2n],
    ])
    expect(heads).toEqual([height + 1n, height + 1n, height + 2n])
    expect(await tokenAt(address).read['balanceOf']!([bob], { blockNumber: height })).toBe(0n)
    expect(await tokenAt(address).read['balanceOf']!([carol], { blockNumber: height + 1n })).toBe(0n)
    for (const end of stop) end()
    await (await socket.transport.getRpcClient()).close()
  })

  it('keeps the time that it is given', async () => {
    const { timestamp } = await client.getBlock()
    await client.increaseTime({ seconds: 3_600 })
    await client.mine({ blocks: 1 })
    const later = await client.getBlock()
    expect(later.timestamp - timestamp).toBeGreaterThanOrEqual(3_600n)
    await client.setNextBlockTimestamp({ timestamp: later.timestamp + 86_400n })
    await client.sendTransaction({ account: alice, to: bob, value: 1n })
    expect((await client.getBlock()).timestamp).toBe(later.timestamp + 86_400n)
  })

  it('sends from any impersonated account, and sets any balance', async () => {
    const whale = '0x000000000000000000000000000000000000beef'
    await client.setBalance({ address: whale, value: parseEther('3') })
    await client.impersonateAccount({ address: whale })
    const hash = await client.sendTransaction({ account: whale, to: carol, value: parseEther('2') })
    expect(await client.getTransaction({ hash })).toMatchObject({ from: whale, value: parseEther('2') })
    await client.stopImpersonatingAccount({ address: whale })
    await expect(client.sendTransaction({ account: whale, to: carol, value: 1n })).rejects.toThrow('has no key for')
    expect(await client.getBalance({ address: whale })).toBe(parseEther('1'))
  })
})

describe('with stock ethers', () => {
  it('signs by itself, deploys, calls and goes back', async () => {
    const provider = new JsonRpcProvider(dev.url, undefined, { polling: true, pollingInterval: 50, cacheTimeout: -1 })
    const signer = await provider.getSigner(3)
    const id = (await provider.send('evm_snapshot', [])) as string
    const before = await provider.getBlockNumber()
    const deployed = await new ContractFactory(token.abi as never, token.bytecode, signer).deploy(
      'Token',
      'TKN',
      await signer.getAddress(),
      SUPPLY,
    )
    await deployed.waitForDeployment()
    const contract = deployed as typeof deployed &
      Readonly<Record<'transfer' | 'balanceOf', (...args: unknown[]) => Promise<never>>>
    const sent: { wait(): Promise<{ status: number }> } = await contract.transfer(bob, 9n)
    expect((await sent.wait()).status).toBe(1)
    expect(getBigInt(await contract.balanceOf(bob))).toBe(9n)
    await expect(deployed.getFunction('transfer').staticCall(bob, 2n * SUPPLY)).rejects.toMatchObject({
      code: 'CALL_EXCEPTION',
      revert: { name: 'ERC20InsufficientBalance' },
    })
    expect(await provider.send('evm_revert', [id])).toBe(true)
    expect(await provider.getBlockNumber()).toBe(before)
    expect(await signer.signMessage('hello')).toBe(await account(3).signMessage({ message: 'hello' }))
    provider.destroy()
  })
})

describe('the command', () => {
  it('applies its settings, makes blocks by the clock, and stops on request', async () => {
    const other = await startDev(['--chain-id', '4711', '--accounts', '12', '--balance', '3', '--block-time', '50', '--quiet'])
    const reader = createPublicClient({ transport: http(other.url), cacheTime: 0 })
    expect(await reader.getChainId()).toBe(4_711)
    expect(await reader.getBalance({ address: account(11).address })).toBe(parseEther('3'))
    await until('three blocks', async () => (await reader.getBlockNumber()) >= 3n)
    await other.program.shows(/\n/)
    expect(other.program.output).toBe(`quoin dev serves chain 4711 at ${other.url}\n`)
    expect(await other.program.end('SIGINT')).toEqual({ code: 0, signal: null })
  })

  // With a channel: as a program starts it that waits for its end.
  it.each([false, true])('says that its port is in use and what to do, and ends (channel: %s)', async (ipc) => {
    const port = await freePorts(1)
    const taken = createServer().listen(port, '127.0.0.1')
    await once(taken, 'listening')
    const { code, output } = await quoin(['dev', '--port', String(port)], { ipc })
    taken.close()
    expect(code).toBe(1)
    expect(output).toBe(
      `quoin: port ${port} is in use by another process (a devnet, anvil or another quoin dev?): stop that process, or choose another port with --port\n`,
    )
  })

  it.each([
    [['--port', '70000'], 'must be an integer from 0 to 65535'],
    [['--accounts', '0'], 'must be an integer from 1 to 1000'],
    [['--block-time', 'fast'], 'must be a non-negative integer'],
  ])('refuses %j', async (args, message) => {
    const { code, output } = await quoin(['dev', ...args])
    expect(code).toBe(1)
    expect(output).toContain(message)
  })
})

it('runs as a library, with the code of docs/dev-node.md', async () => {
  const page = await readFile(join(ROOT, 'docs', 'dev-node.md'), 'utf8')
  const blocks = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!)
  expect(blocks).toHaveLength(1)
  // Without TypeScript's syntax, and from the repository's root, where its imports are found as in a project.
  const { code, output } = await run(new Program(process.execPath, ['--input-type=module', '--eval', blocks[0]!]))
  expect({ code, output }).toEqual({ code: 0, output: '31337 0n\n' })
})

describe('a genesis of a development chain', () => {
  it('is refused by nodes of real chains', async () => {
    const directory = await temporaryDirectory()
    const genesis = { ...(await devnetGenesis(nobleCrypto, { validators: 1, blockTimeMs: 500, p2pPort: 1 })), simulated: true }
    const [path, dataDir] = [join(directory, 'simulated.json'), join(directory, 'node')]
    await writeFile(path, JSON.stringify(genesisToJson(genesis)))
    const refused =
      /this genesis belongs to a development chain \(quoin dev\): its accounts are public, .* Create the genesis of a real chain/
    expect(await quoin(['init', '--data-dir', dataDir, '--development', '--genesis', path])).toMatchObject({
      code: 1,
      output: expect.stringMatching(refused),
    })
    expect(await quoin(['init', '--data-dir', dataDir, '--development'])).toMatchObject({ code: 0 })
    await writeFile(join(dataDir, 'genesis.json'), JSON.stringify(genesisToJson(genesis)))
    expect(await quoin(['start', '--data-dir', dataDir])).toMatchObject({ code: 1, output: expect.stringMatching(refused) })
    await rm(directory, { recursive: true })
  })
})
