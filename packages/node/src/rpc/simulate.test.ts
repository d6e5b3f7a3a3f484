import {
  type Address,
  createPublicClient,
  createWalletClient,
  encodeFunctionData,
  ethAddress,
  FeeCapTooLowError,
  type Hex,
  http,
  InsufficientFundsError,
  maxUint256,
  NonceTooLowError,
  numberToHex,
  pad,
  parseAbi,
  toHex,
  zeroAddress,
} from 'viem'
import { foundry } from 'viem/chains'
import { describe, expect, it } from 'vitest'
import { containerOf, readContract } from '../../../../test/contracts/contract.mjs'
import { openTestNode, type TestNode, testAccounts } from '../../test/chain.ts'
import { crypto, oneValidator } from '../../test/fixture.ts'
import { serveTestNode, type TestRpc } from '../../test/rpc.ts'
import { serveEach } from '../../test/serve-each.ts'
import type { CallRunner } from '../executor/call-runner.ts'
import { DEFAULT_RPC_LIMITS } from './limits.ts'

const token = readContract('token')
const [alice, bob] = testAccounts as [(typeof testAccounts)[0], (typeof testAccounts)[0]]
const stranger: Address = `0x${'9'.repeat(40)}`

const SPEAKER = parseAbi(['function complain()', 'function spin()', 'function time() view returns (uint256, uint256)'])
const SPEAKER_SOURCE = `export default { functions: {
  complain() { throw new Error('out of stock') },
  spin() { for (;;); },
  time: () => [quoin.block.number, quoin.block.timestamp],
} }`

let node: TestNode
let rpc: TestRpc
let address: Address

/** Block 1 has the token. */
serveEach(async (opened, served) => {
  node = opened
  rpc = served
  const wallet = createWalletClient({ account: alice, chain: foundry, transport: http(rpc.url) })
  const hash = await wallet.deployContract({
    abi: token.abi,
    bytecode: token.bytecode,
    args: ['Gold', 'GLD', alice.address, 1_000n],
  } as never)
  await node.produce()
  address = (await client().getTransactionReceipt({ hash })).contractAddress as Address
})

const client = () => createPublicClient({ chain: foundry, transport: http(rpc.url) })

type Blocks = readonly Readonly<Record<string, unknown>>[]
interface Simulated {
  readonly number: Hex
  readonly hash: Hex
  readonly parentHash: Hex
  readonly timestamp: Hex
  readonly baseFeePerGas: Hex
  readonly gasUsed: Hex
  readonly transactions: readonly unknown[]
  readonly calls: readonly {
    readonly status: Hex
    readonly returnData: Hex
    readonly gasUsed: Hex
    readonly logs: readonly Readonly<Record<string, unknown>>[]
    readonly error?: { readonly code: number; readonly message: string; readonly data?: Hex }
  }[]
}

const ask = (blockStateCalls: Blocks, more: object = {}, block: unknown = 'latest') =>
  rpc.call('eth_simulateV1', { blockStateCalls, ...more }, block)

async function simulated(...args: Parameters<typeof ask>): Promise<readonly Simulated[]> {
  const { result, error } = await ask(...args)
  if (error !== undefined) throw new Error(`${error.code} ${error.message}`)
  return result as readonly Simulated[]
}

const transfer = (to: Address, amount: bigint) => ({
  from: alice.address,
  to: address,
  input: encodeFunctionData({ abi: token.abi, functionName: 'transfer', args: [to, amount] } as never),
})

describe('viem', () => {
  it('simulates calls of a contract one after the other, with overrides and errors', async () => {
    const read = { to: address, abi: token.abi, functionName: 'balanceOf', args: [bob.address] } as const
    const send = (amount: bigint) => ({ to: address, abi: token.abi, functionName: 'transfer', args: [bob.address, amount] })
    const { results } = await client().simulateCalls({
      account: alice.address,
      calls: [send(10n), read, send(5_000n), read] as unknown[] as readonly unknown[],
    })
    expect(results.map(({ status, result, error }) => [status, result ?? error?.name])).toEqual([
      ['success', true],
      ['success', 10n],
      ['failure', 'ContractFunctionExecutionError'],
      ['success', 10n],
    ])
    expect(results[2]?.error).toMatchObject({ cause: { data: { errorName: 'ERC20InsufficientBalance' } } })
    expect(results[0]?.logs?.map((log) => log.address)).toEqual([address])
    expect(await client().readContract({ address, abi: token.abi, functionName: 'balanceOf', args: [bob.address] })).toBe(0n)
  })

  it('simulates blocks with their own time, number and state', async () => {
    const bytecode = toHex(containerOf(SPEAKER_SOURCE, SPEAKER))
    const time = { to: stranger, abi: SPEAKER, functionName: 'time' } as const
    const blocks = await client().simulateBlocks({
      blocks: [
        {
          blockOverrides: { number: 2n, time: 1_800_000_000n },
          stateOverrides: [{ address: stranger, code: bytecode }],
          calls: [time],
        },
        { calls: [time] },
      ],
      returnFullTransactions: true,
    })
    expect(blocks.map(({ number, timestamp, calls }) => [number, timestamp, calls.map((call) => call.result)])).toEqual([
      [2n, 1_800_000_000n, [[2n, 1_800_000_000n]]],
      [3n, 1_800_000_001n, [[3n, 1_800_000_001n]]],
    ])
    expect(blocks[0]?.transactions[0]).toMatchObject({
      from: zeroAddress,
      to: stranger,
      nonce: 0,
      blockNumber: 2n,
      typeHex: '0x2',
    })
  })

  it('gets transfers of money as logs', async () => {
    const [block] = await client().simulateBlocks({
      blocks: [{ calls: [{ account: alice.address, to: bob.address, value: 7n }] }],
      traceTransfers: true,
    })
    expect(block?.calls[0]?.logs).toMatchObject([{ address: ethAddress, data: pad('0x07'), blockHash: block?.hash, logIndex: 0 }])
  })

  it('knows what ended the simulation', async () => {
    const one = (call: object, more: object = {}) =>
      client()
        .simulateBlocks({
          blocks: [{ calls: [{ account: alice.address, to: bob.address, ...call }], ...more }],
          validation: true,
        } as never)
        .then(
          () => undefined,
          (failure: unknown) => failure,
        )
    expect(await one({ nonce: 0 })).toBeInstanceOf(NonceTooLowError)
    expect(await one({ value: maxUint256 })).toBeInstanceOf(InsufficientFundsError)
    expect(await one({ maxFeePerGas: 1n }, { blockOverrides: { baseFeePerGas: 9n } })).toBeInstanceOf(FeeCapTooLowError)
  })
})

describe('eth_simulateV1', () => {
  it('makes a block that follows its parent', async () => {
    const [first, second] = await simulated([{ calls: [transfer(bob.address, 1n)] }, {}])
    const { header, hash } = node.store.head
    expect(first).toMatchObject({ number: '0x2', parentHash: hash, baseFeePerGas: '0x0', uncles: [], stateRoot: pad('0x') })
    expect(second).toMatchObject({ number: '0x3', parentHash: first?.hash, gasUsed: '0x0', transactions: [], calls: [] })
    expect(first?.calls).toMatchObject([{ status: '0x1', returnData: pad('0x01'), gasUsed: first?.gasUsed }])
    expect(Number(first?.timestamp)).toBe(Math.floor(header.timeMs / 1000) + 1)
    expect(first?.calls[0]?.logs).toMatchObject([
      {
        ...{
          address,
          blockHash: first?.hash,
          blockNumber: '0x2',
          blockTimestamp: first?.timestamp,
          logIndex: '0x0',
          removed: false,
        },
        ...{ transactionHash: first?.transactions[0], transactionIndex: '0x0' },
      },
    ])
  })

  it('shows whole transactions with empty signatures', async () => {
    const calls = [{ ...transfer(bob.address, 1n), gasPrice: '0x0' }, transfer(bob.address, 2n)]
    const [block] = await simulated([{ calls }], { returnFullTransactions: true })
    expect(block?.transactions).toMatchObject([
      { type: '0x0', nonce: '0x1', r: '0x0', s: '0x0', from: alice.address.toLowerCase(), blockHash: block?.hash },
      { type: '0x2', nonce: '0x2', r: '0x0', s: '0x0', yParity: '0x0', transactionIndex: '0x1', maxFeePerGas: '0x0' },
    ])
  })

  it('tells a revert from gas that is used up', async () => {
    const code = toHex(containerOf(SPEAKER_SOURCE, SPEAKER))
    const call = (functionName: 'complain' | 'spin') => ({
      to: stranger,
      input: encodeFunctionData({ abi: SPEAKER, functionName }),
    })
    const [block] = await simulated([
      { stateOverrides: { [stranger]: { code } }, calls: [call('complain'), { ...call('spin'), gas: '0x30d40' }] },
    ])
    expect(block?.calls).toMatchObject([
      {
        ...{ status: '0x0', returnData: '0x', logs: [] },
        error: { code: 3, message: 'execution reverted: out of stock', data: expect.stringMatching(/^0x08c379a0/) },
      },
      {
        ...{ status: '0x0', returnData: '0x', gasUsed: '0x30d40' },
        error: { code: -32015, message: expect.stringMatching(/^vm execution error: out of gas: spin used up/) },
      },
    ])
    expect(block?.calls[1]?.error).not.toHaveProperty('data')
  })

  it('runs on a past block, by number and by hash', async () => {
    const { hash } = node.store.header(0 as never)!
    const balance = {
      to: address,
      input: encodeFunctionData({ abi: token.abi, functionName: 'balanceOf', args: [alice.address] } as never),
    }
    for (const [block, value] of [
      ['latest', numberToHex(1_000, { size: 32 })],
      ['earliest', '0x'],
      [{ blockHash: hash }, '0x'],
      [hash, '0x'],
    ] as const)
      expect((await simulated([{ calls: [balance] }], {}, block))[0]?.calls[0]?.returnData).toBe(value)
    expect((await ask([{}], {}, '0xff')).error).toMatchObject({ code: -32001, message: 'block not found' })
  })

  const sender = { from: alice.address, to: bob.address }

  it.each<[string, Blocks, object, number, RegExp]>([
    ['no blocks', [], {}, -32602, /blockStateCalls is empty/],
    ['an unknown member', [{ call: [] }], {}, -32602, /0 has the unknown field call/],
    ['an unknown option', [{}], { validate: true }, -32602, /unknown field validate/],
    ['a flag that is none', [{}], { validation: 1 }, -32602, /validation must be true or false/],
    ['a call that is none', [{ calls: [{ to: '0x12' }] }], {}, -32602, /blockStateCalls\.0\.calls\.0\.to must be an address/],
    ['blobs', [{ calls: [{ ...sender, blobVersionedHashes: [] }] }], {}, -32602, /not supported/],
    ['another chain', [{ calls: [{ ...sender, chainId: '0x1' }] }], {}, -32602, /this chain has id 31337/],
    ['two prices', [{ calls: [{ ...sender, type: '0x2', gasPrice: '0x1' }] }], {}, -32602, /use maxFeePerGas/],
    [
      'a moved precompile',
      [{ stateOverrides: { [bob.address]: { movePrecompileToAddress: stranger } } }],
      {},
      -32602,
      /not a precompile/,
    ],
    [
      'a tip above the fee',
      [{ calls: [{ ...sender, maxPriorityFeePerGas: '0x1' }] }],
      {},
      -32602,
      /max priority fee per gas higher/,
    ],
    ['withdrawals', [{ blockOverrides: { withdrawals: [] } }], {}, -32602, /"withdrawals" is not supported/],
    ['301 blocks', Array.from({ length: 301 }, () => ({})), {}, -38026, /^too many blocks/],
    ['a gap of 300 blocks', [{ blockOverrides: { number: '0x12e' } }], {}, -38026, /^too many blocks/],
    [
      '1,001 calls',
      [{ calls: Array.from({ length: 501 }, () => ({})) }, { calls: Array.from({ length: 500 }, () => ({})) }],
      {},
      -38026,
      /^too many calls/,
    ],
    ['numbers out of order', [{ blockOverrides: { number: '0x1' } }], {}, -38020, /^block numbers must be in order: 1 <= 1$/],
    [
      'times out of order',
      [{ blockOverrides: { time: '0x1' } }],
      {},
      -38021,
      /^block timestamps must be in order: 1 <= 1700000000$/,
    ],
    ['a low nonce', [{ calls: [{ ...sender, nonce: '0x0' }] }], { validation: true }, -38010, /^nonce too low/],
    ['a high nonce', [{ calls: [{ ...sender, nonce: '0x9' }] }], { validation: true }, -38011, /^nonce too high/],
    [
      'a low fee',
      [{ blockOverrides: { baseFeePerGas: '0xa' }, calls: [sender] }],
      { validation: true },
      -38012,
      /^max fee per gas less than block base fee/,
    ],
    ['no gas', [{ calls: [{ ...sender, gas: '0x0' }] }], {}, -38013, /^intrinsic gas too low/],
    ['no money', [{ calls: [{ from: stranger, to: bob.address, value: '0x3e8' }] }], {}, -38014, /^insufficient funds/],
    [
      'no room',
      [{ blockOverrides: { gasLimit: '0x5208' }, calls: [{ ...sender, gas: '0x5209' }] }],
      {},
      -38015,
      /^block gas limit reached/,
    ],
  ])('refuses %s', async (_, blocks, more, code, message) => {
    expect((await ask(blocks, more)).error).toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it('gives all calls together as much gas as one eth_call', async () => {
    const code = toHex(containerOf(SPEAKER_SOURCE, SPEAKER))
    const spin = { to: stranger, input: encodeFunctionData({ abi: SPEAKER, functionName: 'spin' }) }
    const state = { stateOverrides: { [stranger]: { code } } }
    const [block] = await simulated([{ ...state, calls: [spin] }])
    expect(block?.gasUsed).toBe(numberToHex(DEFAULT_RPC_LIMITS.callGasMax))
    expect((await ask([{ ...state, calls: [spin] }, { calls: [sender] }])).error).toMatchObject({
      code: -38026,
      message: 'the calls of the simulation use too much gas: only 0 gas is left for them (call 0 of block 3)',
    })
  })

  it('fills gaps between blocks with empty ones', async () => {
    const blocks = await simulated([{ blockOverrides: { number: '0x5' }, calls: [sender] }, {}])
    expect(blocks.map(({ number, timestamp, calls }) => [number, Number(timestamp) - 1_700_000_000, calls.length])).toEqual([
      ['0x2', 1, 0],
      ['0x3', 2, 0],
      ['0x4', 3, 0],
      ['0x5', 4, 1],
      ['0x6', 5, 0],
    ])
  })

  it('shares its limits of overrides between blocks', async () => {
    const accounts = (first: number, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [pad(numberToHex(first + i), { size: 20 }), { balance: '0x1' }]))
    expect(await simulated([{ stateOverrides: accounts(1, 600) }, { stateOverrides: accounts(1, 424) }])).toHaveLength(2)
    expect((await ask([{ stateOverrides: accounts(1, 600) }, { stateOverrides: accounts(1, 425) }])).error).toMatchObject({
      code: -32602,
      message: expect.stringContaining('blockStateCalls.1.stateOverrides has 425 accounts, the limit is 424'),
    })
  })

  it('refuses an answer that would be longer than others may be', async () => {
    const small = await serveTestNode(node, crypto, { responseBytesMax: 100_000 })
    const answer = (blockStateCalls: readonly unknown[]) => small.call('eth_simulateV1', { blockStateCalls })
    const blocks = Array.from({ length: 50 }, () => ({}))
    expect((await answer([{}])).error).toBeUndefined()
    expect((await answer([...blocks, { calls: [sender] }])).error).toMatchObject({
      code: -38026,
      message: expect.stringContaining('answer'),
    })
    await small.server.close()
  })
})

it('a simulation without an outcome has the code of execution-apis', async () => {
  const opened = await openTestNode({ crypto, validators: oneValidator })
  const codes: unknown[] = []
  for (const code of ['timeout', 'overloaded', 'fault'] as const) {
    const run = (async () => ({ ok: false, error: { code, message: code } })) as CallRunner['run']
    const served = await serveTestNode({ ...opened, calls: { ...opened.calls, run } }, crypto)
    codes.push((await served.call('eth_simulateV1', { blockStateCalls: [{}] })).error?.code)
    await served.server.close()
  }
  expect(codes).toEqual([-32016, -32005, -32000])
})
