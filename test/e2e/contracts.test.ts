import { CODE_REGISTRY_ABI, CODE_REGISTRY_ADDRESS, MULTICALL_ADDRESS } from '@quoin/execution/contract'
import { DEVELOPMENT_MNEMONIC } from '@quoin/platform'
import { bytesToHex } from '@quoin/protocol'
import { ContractFactory, HDNodeWallet, JsonRpcProvider } from 'ethers'
import {
  type Abi,
  BaseError,
  ContractFunctionRevertedError,
  createPublicClient,
  getContract,
  getContractAddress,
  type Hex,
  http,
  type Log,
  type PublicClient,
  parseAbi,
  parseSignature,
  webSocket,
} from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { containerOf, readContract } from '../contracts/contract.mjs'
import { builds } from '../standards/harness.ts'
import { account, Network, type Validator, walletClient } from './harness.ts'

const token = readContract('token')
const SUPPLY = 10n ** 24n

let network: Network
let address: Hex
let deployment: Hex

beforeAll(async () => {
  network = await Network.start({ parameters: { blockIntervalMs: 100, heartbeatIntervalMs: 250 } })
  const holder = account(0).address
  deployment = await wallet(0).deployContract({ ...token, args: ['Token', 'TKN', holder, SUPPLY] })
  const receipt = await network.validators[1]!.client.waitForTransactionReceipt({ hash: deployment })
  expect(receipt).toMatchObject({
    status: 'success',
    contractAddress: getContractAddress({ from: holder, nonce: 0n }).toLowerCase(),
  })
  address = receipt.contractAddress!
})
afterAll(() => network.close())

const wallet = (index: number) => walletClient(network.validators[index % 4]!.url, index)
const here = (index: number): Validator => network.validators[index]!
const balanceOf = (index: number, owner: Hex) =>
  here(index).client.readContract({ address, abi: token.abi, functionName: 'balanceOf', args: [owner] }) as Promise<bigint>

/** The receipt of a transaction, which is the same on all four nodes. */
async function receiptOnAll(hash: Hex) {
  const receipts = await Promise.all(network.validators.map(({ client }) => client.waitForTransactionReceipt({ hash })))
  for (const receipt of receipts) expect(receipt).toEqual(receipts[0])
  return receipts[0]!
}

/** The name and arguments of the custom error with which an action fails, as viem decodes them. */
async function revertOf(action: Promise<unknown>) {
  const error = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  const reverted = error instanceof BaseError ? error.walk((cause) => cause instanceof ContractFunctionRevertedError) : undefined
  if (!(reverted instanceof ContractFunctionRevertedError)) throw new Error('it did not revert', { cause: error })
  return reverted
}

describe('a token that viem deployed', () => {
  it('is the same contract on every node', async () => {
    const receipt = await receiptOnAll(deployment)
    expect(receipt.logs).toHaveLength(1)
    for (const { client } of network.validators) {
      expect(await client.getCode({ address })).toBe(token.bytecode)
      expect(await client.readContract({ address, abi: token.abi, functionName: 'name' })).toBe('Token')
      expect(await client.readContract({ address, abi: token.abi, functionName: 'decimals' })).toBe(18)
    }
  })

  it('moves: simulated, written, read, and logged, with the same gas on every node', async () => {
    const { client } = here(2)
    const to = `0x${'d1'.repeat(20)}` as const
    const args = [to, 1_000n] as const
    const { request, result } = await client.simulateContract({
      account: account(0),
      address,
      abi: token.abi,
      functionName: 'transfer',
      args,
    })
    expect(result).toBe(true)
    const hash = await wallet(0).writeContract(request)
    const receipt = await receiptOnAll(hash)
    expect(receipt.status).toBe('success')
    expect(receipt.gasUsed).toBe(
      await client.estimateContractGas({
        account: account(0),
        address,
        abi: token.abi,
        functionName: 'transfer',
        args,
        blockNumber: receipt.blockNumber - 1n,
      }),
    )
    for (const index of [0, 1, 2, 3]) expect(await balanceOf(index, to)).toBe(1_000n)
    const contract = getContract({ address, abi: token.abi, client: here(3).client })
    const events = (await contract.getEvents.Transfer!({ to } as never, { fromBlock: 0n })) as readonly (Log & { args: object })[]
    expect(events).toMatchObject([{ args: { to: expect.stringMatching(/^0xd1d1/i), value: 1_000n }, transactionHash: hash }])
  })

  it('refuses with its own errors, decoded, before and after it is sent', async () => {
    const poor = account(5)
    const call = { address, abi: token.abi, functionName: 'transfer', args: [account(0).address, 5n] } as const
    const reverted = await revertOf(here(1).client.simulateContract({ ...call, account: poor }))
    expect(reverted.data).toMatchObject({ errorName: 'ERC20InsufficientBalance', args: [poor.address, 0n, 5n] })
    const hash = await wallet(5).writeContract({ ...call, gas: 500_000n })
    const receipt = await receiptOnAll(hash)
    expect(receipt).toMatchObject({ status: 'reverted', logs: [] })
    const { input, to } = await here(0).client.getTransaction({ hash })
    const again = here(0).client.call({ account: poor, to: to!, data: input, blockNumber: receipt.blockNumber })
    await expect(again).rejects.toThrow(/ERC20InsufficientBalance|execution reverted/)
  })

  /** Sends three transfers while a client watches; returns what it saw of them. */
  async function watch(client: PublicClient, to: Hex) {
    const seen: Log[] = []
    const watched = new Promise<void>((resolve, reject) => {
      const stop = client.watchContractEvent({
        ...{ address, abi: token.abi, eventName: 'Transfer', args: { to } as never, onError: reject },
        onLogs(logs) {
          seen.push(...logs)
          if (seen.length < 3) return
          stop()
          resolve()
        },
      })
    })
    // The watch gives no sign when it is active; transfers sent before that are missed.
    await client.getBlockNumber()
    const hashes: Hex[] = []
    for (const value of [1n, 2n, 3n]) {
      const hash = await wallet(0).writeContract({ address, abi: token.abi, functionName: 'transfer', args: [to, value] })
      hashes.push(hash)
      await receiptOnAll(hash)
    }
    await watched
    expect(seen.map((log) => log.transactionHash)).toEqual(hashes)
  }

  it('is watched by polling', () => watch(here(1).client as PublicClient, account(6).address))

  it('is watched over a WebSocket', async () => {
    const transport = webSocket(here(1).url.replace('http', 'ws'), { retryCount: 0, reconnect: false })
    const client = createPublicClient({ chain: foundry, transport })
    try {
      await watch(client as PublicClient, account(7).address)
    } finally {
      const { socket } = await client.transport.getRpcClient()
      socket.close()
    }
  })

  it('works with ethers as well', async () => {
    const provider = new JsonRpcProvider(here(2).url, undefined, { pollingInterval: 50, cacheTimeout: -1, staticNetwork: true })
    try {
      const signer = HDNodeWallet.fromPhrase(DEVELOPMENT_MNEMONIC, '', `m/44'/60'/0'/0/8`).connect(provider)
      const factory = new ContractFactory(token.abi as never, token.bytecode, signer)
      const contract = await factory.deploy('Other', 'OTH', signer.address, 77n)
      await contract.waitForDeployment()
      const read = contract as unknown as {
        symbol(): Promise<string>
        balanceOf(a: string): Promise<bigint>
        transfer: { staticCall(a: string, v: bigint): Promise<boolean> }
      }
      expect(await read.symbol()).toBe('OTH')
      expect(await read.balanceOf(signer.address)).toBe(77n)
      await expect(read.transfer.staticCall(account(0).address, 78n)).rejects.toMatchObject({
        revert: { name: 'ERC20InsufficientBalance' },
      })
      expect(await contract.queryFilter('Transfer' as never)).toHaveLength(1)
    } finally {
      provider.destroy()
    }
  })
})

describe('a deployment that fails is in a block, and says why', () => {
  const source = 'export default {\n  functions: {\n    f() { return 1n },\n  },\n  functions.g\n}'
  it.each([
    ['a source that does not parse', bytesToHex(containerOf(source, [])), /SyntaxError.*line 5/],
    ['bytes that are not a container', '0x6001600255', /begins with 0x6001/],
    [
      'an abi that does not match the module',
      bytesToHex(containerOf('export default {}', parseAbi(['function f()']))),
      /the abi has f\(\)/,
    ],
    ['arguments that are missing', token.bytecode, /arguments are malformed/],
  ] as const)('%s', async (_, data, reason) => {
    const client = wallet(9)
    const hash = await client.sendTransaction({ data: data as Hex, gas: 5_000_000n } as never)
    expect(await receiptOnAll(hash)).toMatchObject({ status: 'reverted', contractAddress: null })
    await expect(here(0).client.call({ account: account(9), data: data as Hex })).rejects.toThrow(reason)
  })
})

describe('an upgrade', () => {
  it('through the native contract replaces the code on every node; the former stays readable', async () => {
    const abi = parseAbi(['function version() view returns (uint256)'])
    const codeOf = (version: string) =>
      bytesToHex(
        containerOf(`export default { migrate() {}, functions: { version: () => ${version} } }`, abi, {
          upgradeAuthority: { kind: 'deployer' },
        }),
      )
    const [one, two] = [codeOf('1n'), codeOf('2n')]
    const created = await receiptOnAll(await wallet(3).deployContract({ abi, bytecode: one }))
    const target = created.contractAddress!
    const native = { address: CODE_REGISTRY_ADDRESS, abi: CODE_REGISTRY_ABI as Abi }
    const stranger = here(0).client.simulateContract({
      ...native,
      account: account(4),
      functionName: 'upgrade',
      args: [target, two, '0x'],
    })
    expect((await revertOf(stranger)).reason).toMatch(/is not the authority/)
    const hash = await wallet(3).writeContract({ ...native, functionName: 'upgrade', args: [target, two, '0x'] })
    const { status, blockNumber } = await receiptOnAll(hash)
    expect(status).toBe('success')
    for (const { client } of network.validators) {
      expect(await client.readContract({ address: target, abi, functionName: 'version' })).toBe(2n)
      expect(await client.readContract({ address: target, abi, functionName: 'version', blockNumber: blockNumber - 1n })).toBe(1n)
      expect(await client.getCode({ address: target })).toBe(two)
      expect(await client.readContract({ ...native, functionName: 'codeVersion', args: [target, 1n] })).toMatchObject([
        expect.any(String),
        created.blockNumber,
        one,
      ])
    }
  })
})

describe('a standard contract of the kit', () => {
  it('is signed for by a wallet, moved by another, and read in one call, with the same receipts on every node', async () => {
    const [preset] = await builds('packages/contracts/src/standards/presets/token.ts')
    const [owner, spender] = [account(6), account(7)]
    const gold = { ...preset!, abi: preset!.abi as Abi }
    const created = await receiptOnAll(
      await wallet(6).deployContract({ ...gold, args: ['Gold', 'AU', owner.address, 100n] } as never),
    )
    const contract = { address: created.contractAddress!, abi: gold.abi }
    const deadline = 2n ** 40n
    const signature = await wallet(6).signTypedData({
      domain: { name: 'Gold', version: '1', chainId: foundry.id, verifyingContract: contract.address },
      types: {
        Permit: [
          { name: 'owner', type: 'address' },
          { name: 'spender', type: 'address' },
          { name: 'value', type: 'uint256' },
          { name: 'nonce', type: 'uint256' },
          { name: 'deadline', type: 'uint256' },
        ],
      },
      primaryType: 'Permit',
      message: { owner: owner.address, spender: spender.address, value: 30n, nonce: 0n, deadline },
    })
    const { r, s, yParity } = parseSignature(signature)
    const permit = [owner.address, spender.address, 30n, deadline, 27 + yParity, r, s]
    const permitted = await wallet(7).writeContract({ ...contract, functionName: 'permit', args: permit })
    expect(await receiptOnAll(permitted)).toMatchObject({ status: 'success', logs: [expect.anything()] })
    const moved = await wallet(7).writeContract({
      ...contract,
      functionName: 'transferFrom',
      args: [owner.address, spender.address, 12n],
    })
    expect(await receiptOnAll(moved)).toMatchObject({ status: 'success' })
    for (const { url } of network.validators) {
      const chain = { ...foundry, contracts: { multicall3: { address: MULTICALL_ADDRESS } } }
      const client = createPublicClient({ chain, transport: http(url), batch: { multicall: true } })
      const read = (functionName: string, ...args: readonly Hex[]) => client.readContract({ ...contract, functionName, args })
      const answers = [
        read('balanceOf', owner.address),
        read('balanceOf', spender.address),
        read('allowance', owner.address, spender.address),
        read('nonces', owner.address),
      ]
      expect(await Promise.all(answers)).toEqual([88n, 12n, 18n, 1n])
    }
  })
})

it('contracts outlive a restart of every validator', async () => {
  await Promise.all(network.validators.map((validator) => validator.kill()))
  await Promise.all(network.validators.map((validator) => validator.start()))
  const to = `0x${'e7'.repeat(20)}` as const
  const hash = await wallet(0).writeContract({ address, abi: token.abi, functionName: 'transfer', args: [to, 9n] })
  expect(await receiptOnAll(hash)).toMatchObject({ status: 'success' })
  for (const index of [0, 1, 2, 3]) expect(await balanceOf(index, to)).toBe(9n)
})
