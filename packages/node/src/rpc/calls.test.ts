import { Contract, JsonRpcProvider } from 'ethers'
import {
  type Address,
  BaseError,
  ContractFunctionRevertedError,
  createPublicClient,
  createWalletClient,
  encodeFunctionData,
  type Hex,
  http,
  pad,
  parseAbi,
  publicActions,
  toHex,
} from 'viem'
import { foundry } from 'viem/chains'
import { describe, expect, it } from 'vitest'
import { containerOf, readContract } from '../../../../test/contracts/contract.mjs'
import { type TestNode, testAccounts } from '../../test/chain.ts'
import type { TestRpc } from '../../test/rpc.ts'
import { serveEach } from '../../test/serve-each.ts'

const token = readContract('token')
const [alice, bob] = testAccounts as [(typeof testAccounts)[0], (typeof testAccounts)[0]]
const SUPPLY = 1_000n

let node: TestNode
let rpc: TestRpc
let address: Address

/** Block 1 has the token, block 2 a transfer of 100 from alice to bob. */
serveEach(async (opened, served) => {
  node = opened
  rpc = served
  address = await deploy(token.abi, token.bytecode, ['Gold', 'GLD', alice.address, SUPPLY])
  await included(wallet().writeContract({ address, abi: token.abi, functionName: 'transfer', args: [bob.address, 100n] }))
})

const client = () => createPublicClient({ chain: foundry, transport: http(rpc.url) })
const wallet = (account = alice) =>
  createWalletClient({ account, chain: foundry, transport: http(rpc.url) }).extend(publicActions)

/** Sends a transaction, puts it into its own block, and returns the receipt. */
async function included(sending: Promise<Hex>) {
  const hash = await sending
  await node.produce()
  const receipt = await client().getTransactionReceipt({ hash })
  expect(receipt.status).toBe('success')
  return receipt
}

async function deploy(abi: typeof token.abi, bytecode: Hex, args: readonly unknown[] = []): Promise<Address> {
  const { contractAddress } = await included(wallet().deployContract({ abi, bytecode, args } as never))
  if (contractAddress === null || contractAddress === undefined) throw new Error('no address')
  return contractAddress
}

const balanceOf = (owner: Address, rest: object = {}) =>
  client().readContract({ address, abi: token.abi, functionName: 'balanceOf', args: [owner], ...rest })

const WORD = pad('0x07')

const balanceCall = (owner: Address) => ({
  to: address,
  data: encodeFunctionData({ abi: token.abi, functionName: 'balanceOf', args: [owner] }),
})

describe('eth_call', () => {
  it('reads a contract with viem: now, at past blocks by number and by hash', async () => {
    expect(await balanceOf(bob.address)).toBe(100n)
    expect(await balanceOf(bob.address, { blockNumber: 1n })).toBe(0n)
    expect(await balanceOf(alice.address, { blockNumber: 1n })).toBe(SUPPLY)
    expect(await balanceOf(bob.address, { blockTag: 'pending' })).toBe(100n)
    const { hash } = await client().getBlock({ blockNumber: 1n })
    const { result } = await rpc.call('eth_call', balanceCall(bob.address), { blockHash: hash, requireCanonical: true })
    expect(result).toBe(pad('0x0'))
    const { data } = await client().call({ ...balanceCall(bob.address), blockTag: 'earliest' })
    expect(data).toBeUndefined()
    expect((await rpc.call('eth_call', balanceCall(bob.address), '0xff')).error?.code).toBe(-32001)
  })

  it('reads a contract with ethers', async () => {
    const provider = new JsonRpcProvider(rpc.url, 31_337, { staticNetwork: true })
    const contract = new Contract(address, token.abi as never, provider)
    expect(await contract['symbol']!()).toBe('GLD')
    expect(await contract['balanceOf']!(bob.address)).toBe(100n)
    await expect(contract['transfer']!.staticCall(bob.address, 5n, { from: `0x${'9'.repeat(40)}` })).rejects.toMatchObject({
      code: 'CALL_EXCEPTION',
      revert: { name: 'ERC20InsufficientBalance' },
    })
    provider.destroy()
  })

  it('simulates without changing state, and viem decodes a custom error', async () => {
    const transfer = { address, abi: token.abi, functionName: 'transfer', account: alice } as const
    const { result, request } = await client().simulateContract({ ...transfer, args: [bob.address, 900n] })
    expect(result).toBe(true)
    expect(await balanceOf(bob.address)).toBe(100n)
    await included(wallet().writeContract(request as never))
    expect(await balanceOf(bob.address)).toBe(1_000n)
    const failure = await client()
      .simulateContract({ ...transfer, args: [bob.address, 1n] })
      .then(
        () => undefined,
        (error: unknown) => error,
      )
    const revert =
      failure instanceof BaseError ? failure.walk((error) => error instanceof ContractFunctionRevertedError) : undefined
    expect((revert as ContractFunctionRevertedError).data).toMatchObject({
      errorName: 'ERC20InsufficientBalance',
      args: [alice.address, 0n, 1n],
    })
  })

  it('uses the error messages that clients match', async () => {
    const speaker = parseAbi(['function speak()', 'function custom()', 'function spin()', 'error Custom(uint256 code)'])
    const source = `export default { functions: {
      speak() { throw new Error('out of stock') },
      custom() { quoin.revert('Custom', 7n) },
      spin() { for (;;); },
    } }`
    const bytecode = toHex(containerOf(source, speaker))
    const to = await deploy(speaker as never, bytecode)
    const call = (functionName: 'speak' | 'custom' | 'spin', more: object = {}) =>
      rpc.call('eth_call', { to, data: encodeFunctionData({ abi: speaker, functionName }), ...more }, 'latest')
    expect((await call('speak')).error).toEqual({
      code: 3,
      message: 'execution reverted: out of stock',
      data: expect.stringMatching(/^0x08c379a0/),
    })
    expect((await call('custom')).error).toEqual({
      code: 3,
      message: 'execution reverted',
      data: expect.stringMatching(/^0x[0-9a-f]{8}0{63}7$/),
    })
    expect((await call('spin', { gas: '0xf4240' })).error).toEqual({
      code: -32000,
      message: expect.stringMatching(
        /^out of gas: the call used all of its 1000000 gas: spin used up the 9\d{5} gas of its call$/,
      ),
      data: { reason: 'out-of-gas', scope: 'chain' },
    })
    expect((await call('speak', { value: '0x1' })).error).toMatchObject({
      code: -32000,
      message: expect.stringMatching(/^insufficient funds/),
      data: { reason: 'insufficient-funds', scope: 'chain' },
    })
    expect((await call('speak', { gas: '0x5208' })).error).toMatchObject({
      message: expect.stringMatching(/^intrinsic gas too low/),
    })
  })

  it('answers a large batch, each call separately and in order', async () => {
    const batch = Array.from({ length: 100 }, (_, id) => ({
      ...{ jsonrpc: '2.0', id, method: 'eth_call' },
      params: [balanceCall(id % 2 === 0 ? alice.address : bob.address), 'latest'],
    }))
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(rpc.url, { method: 'POST', headers, body: JSON.stringify(batch) })
    const answers = (await response.json()) as { readonly result: Hex }[]
    expect(answers.map(({ result }) => BigInt(result))).toEqual(batch.map((_, id) => (id % 2 === 0 ? 900n : 100n)))
  })

  it('ignores nonce, fees and gas beyond the cap', async () => {
    const call = {
      ...balanceCall(bob.address),
      from: bob.address,
      nonce: '0x63',
      gasPrice: '0xffffffffff',
      gas: `0x${'f'.repeat(20)}`,
    }
    expect((await rpc.call('eth_call', call, 'latest')).result).toBe(pad('0x64'))
  })

  it('takes overrides of state and block', async () => {
    const abi = parseAbi([
      'function look(address who) view returns (uint256 balance, uint256 number, uint256 time)',
      'function word() view returns (uint256)',
    ])
    const source = `export default { functions: {
      look(who) { return [quoin.balanceOf(who), quoin.block.number, quoin.block.timestamp] },
      word() { return quoin.load('uint256', new Uint8Array(32).fill(1)) },
    } }`
    const code = toHex(containerOf(source, abi))
    const somewhere = `0x${'5a'.repeat(20)}` as const
    const slot = `0x${'01'.repeat(32)}` as const
    const look = await client().readContract({
      ...{ address: somewhere, abi, functionName: 'look', args: [bob.address] },
      stateOverride: [
        { address: somewhere, code },
        { address: bob.address, balance: 12_345n },
      ],
      blockOverrides: { number: 99n, time: 1_800_000_000n },
    } as never)
    expect(look).toEqual([12_345n, 99n, 1_800_000_000n])
    const word = await client().readContract({
      ...{ address: somewhere, abi, functionName: 'word' },
      stateOverride: [{ address: somewhere, code, stateDiff: [{ slot, value: pad('0x0102') }] }],
    } as never)
    expect(word).toBe(0x0102n)
    // The token's own keys are strings.
    const key = toHex(`balance:${bob.address}`)
    const balance = await rpc.call('eth_call', balanceCall(bob.address), 'latest', {
      [address]: { stateDiff: { [key]: '0x2a' } },
    })
    expect(balance.result).toBe(pad('0x2a'))
  })

  it('refuses returned data that is too large to be sent', async () => {
    const code = toHex(
      containerOf(
        'export default { fallback: () => new Uint8Array(2_000_000), functions: {} }',
        parseAbi(['fallback() external']),
      ),
    )
    const somewhere = `0x${'5a'.repeat(20)}` as const
    const overrides = { [somewhere]: { code } }
    const call = { to: somewhere, data: '0x01' }
    const message = 'returned data too large: the call returned 2000000 bytes, at most 1048576 are sent'
    expect((await rpc.call('eth_call', call, 'latest', overrides)).error).toMatchObject({ code: -32005, message })
    expect((await rpc.call('eth_estimateGas', call, 'latest', overrides)).error).toBeUndefined()
  })

  it.each([
    ['both storages', { state: {}, stateDiff: {} }, /both state and stateDiff/],
    ['EVM code', { code: '0x6080' }, /0xef51/],
    ['an unknown field', { movePrecompileToAddress: `0x${'1'.repeat(40)}` }, /movePrecompileToAddress/],
    ['a key that is too long', { state: { [`0x${'00'.repeat(129)}`]: '0x' } }, /at most 128 bytes/],
    ['a nonce beyond 32 bits', { nonce: '0x100000000' }, /above 4294967295/],
  ])('refuses an override of %s', async (_, override, message) => {
    const { error } = await rpc.call('eth_call', balanceCall(bob.address), 'latest', { [address]: override })
    expect(error).toMatchObject({ code: -32602, message: expect.stringMatching(message) })
  })

  it.each([
    [{ random: WORD }, /has the unknown field random, allowed are number, time, .*prevRandao/],
    [{ prevRandao: '0x01' }, /prevRandao must be 32 bytes in hex, or a hex quantity/],
    [{ difficulty: 1 }, /difficulty/],
    // go-ethereum's words.
    [{ beaconRoot: WORD }, /^block override "beaconRoot" is not supported for this RPC method$/],
    [{ withdrawals: [] }, /^block override "withdrawals" is not supported for this RPC method$/],
  ])('refuses block overrides with an invalid or unknown member: %o', async (override, message) => {
    const { error } = await rpc.call('eth_call', balanceCall(bob.address), 'latest', {}, override)
    expect(error).toMatchObject({ code: -32602, message: expect.stringMatching(message) })
  })

  it('takes block overrides that no contract can read, as go-ethereum does', async () => {
    const unread = { prevRandao: WORD, difficulty: '0x5', blobBaseFee: '0x0' }
    const { result } = await rpc.call('eth_call', balanceCall(bob.address), 'latest', {}, unread)
    expect(result).toBe(pad('0x64'))
  })

  it('takes null for an optional member as absent', async () => {
    const names = [
      'from',
      'gas',
      'gasPrice',
      'maxFeePerGas',
      'maxPriorityFeePerGas',
      'value',
      'input',
      'accessList',
      'nonce',
      'chainId',
    ]
    const nothing = Object.fromEntries(names.map((name) => [name, null]))
    const call = { ...nothing, ...balanceCall(bob.address) }
    const account = { balance: null, nonce: null, code: null, state: null, stateDiff: {}, movePrecompileToAddress: null }
    const block = {
      number: null,
      time: null,
      gasLimit: null,
      feeRecipient: null,
      baseFeePerGas: null,
      prevRandao: null,
      beaconRoot: null,
    }
    for (const method of ['eth_call', 'eth_estimateGas']) {
      const plain = await rpc.call(method, balanceCall(bob.address))
      expect(plain).toHaveProperty('result')
      expect(await rpc.call(method, call, null, { [address]: account }, block)).toEqual(plain)
      expect(await rpc.call(method, call, null, null, null)).toEqual(plain)
    }
  })

  it.each([
    [{ data: '0x01', input: '0x02' }, /data and input/],
    [{ gasPrice: '0x1', maxFeePerGas: '0x1' }, /both gasPrice/],
  ])('refuses a call that contradicts itself: %o', async (call, message) => {
    expect((await rpc.call('eth_call', call)).error).toMatchObject({ code: -32602, message: expect.stringMatching(message) })
  })
})

describe('eth_estimateGas', () => {
  it('is the gas that the transaction uses, for calls, deployments and transfers', async () => {
    const data = encodeFunctionData({ abi: token.abi, functionName: 'transfer', args: [bob.address, 1n] })
    const gas = await client().estimateGas({ account: alice, to: address, data })
    const receipt = await included(wallet().sendTransaction({ to: address, data, gas }))
    expect(receipt.gasUsed).toBe(gas)
    expect(await client().estimateGas({ account: alice, to: bob.address, value: 1n })).toBe(21_000n)
  })

  it('reverts as the call does, and takes overrides', async () => {
    const data = encodeFunctionData({ abi: token.abi, functionName: 'transfer', args: [alice.address, 5n] })
    const call = { from: `0x${'9'.repeat(40)}`, to: address, data }
    expect((await rpc.call('eth_estimateGas', call)).error).toMatchObject({ code: 3, data: expect.stringMatching(/^0xe450d38c/) })
    const key = toHex(`balance:0x${'9'.repeat(40)}`)
    const { result } = await rpc.call('eth_estimateGas', call, 'latest', { [address]: { stateDiff: { [key]: '0x05' } } })
    expect(Number(result)).toBeGreaterThan(21_000)
  })

  it('names the allowance if it is not enough', async () => {
    const data = encodeFunctionData({ abi: token.abi, functionName: 'transfer', args: [bob.address, 1n] })
    const { error } = await rpc.call('eth_estimateGas', { from: alice.address, to: address, data, gas: '0x7530' })
    expect(error).toEqual({
      code: -32000,
      message: 'gas required exceeds allowance (30000)',
      data: { reason: 'out-of-gas', scope: 'chain' },
    })
  })
})
