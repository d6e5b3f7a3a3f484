import { JsonRpcProvider } from 'ethers'
import {
  type Address,
  createPublicClient,
  createWalletClient,
  encodeFunctionData,
  getContractAddress,
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
import { crypto } from '../../test/fixture.ts'
import { serveTestNode, type TestRpc } from '../../test/rpc.ts'
import { serveEach } from '../../test/serve-each.ts'
import type { CallRunner } from '../executor/call-runner.ts'

const token = readContract('token')
const [alice, bob] = testAccounts as [(typeof testAccounts)[0], (typeof testAccounts)[0]]
const ALICE = alice.address.toLowerCase() as Address
const BOB = bob.address.toLowerCase() as Address

const BANK = parseAbi([
  'function pay(address token, address to, uint256 amount)',
  'function read(address token, address owner) view returns (uint256)',
  'error Refused(uint256 n)',
  'function refuse()',
  'function spin()',
])
const BANK_SOURCE = `export default { functions: {
  pay(token, to, amount) { quoin.call(token, 'transfer(address,uint256)(bool)', [to, amount]) },
  read: (token, owner) => quoin.staticCall(token, 'balanceOf(address)(uint256)', [owner]),
  refuse() { quoin.revert('Refused', 7n) },
  spin() { for (;;); },
} }`

let node: TestNode
let rpc: TestRpc
let gold: Address
let bank: Address
/** Hashes of the transactions of block 2, in its order. */
let block2: readonly Hex[]

/** Block 1 has the token and the bank, block 2 three transactions of one sender: a transfer, a payment that fails, a transfer. */
serveEach(async (opened, served) => {
  node = opened
  rpc = served
  gold = getContractAddress({ from: alice.address, nonce: 0n }).toLowerCase() as Address
  bank = getContractAddress({ from: alice.address, nonce: 1n }).toLowerCase() as Address
  await deploy({
    abi: token.abi,
    bytecode: token.bytecode,
    args: ['Gold', 'GLD', alice.address, 1_000n],
    nonce: 0,
    gas: 9_000_000n,
  })
  await deploy({ abi: BANK, bytecode: toHex(containerOf(BANK_SOURCE, BANK)), nonce: 1, gas: 9_000_000n })
  await node.produce()
  const transfer = (amount: bigint, nonce: number) => send(gold, encoded(token.abi, 'transfer', BOB, amount), nonce)
  block2 = [await transfer(100n, 2), await send(bank, encoded(BANK, 'pay', gold, BOB, 5n), 3), await transfer(20n, 4)]
  await node.produce()
})

const chain = foundry
const openWallet = () => createWalletClient({ account: alice, chain, transport: http(rpc.url) }).extend(publicActions)
const deploy = (args: object) => openWallet().deployContract(args as never)
const client = () => createPublicClient({ chain, transport: http(rpc.url) })

const encoded = (abi: unknown, functionName: string, ...args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi, functionName, args } as never)
const send = (to: Address, data: Hex, nonce: number): Promise<Hex> =>
  openWallet().sendTransaction({ to, data, nonce, gas: 3_000_000n })

interface Frame {
  readonly type: string
  readonly from: Address
  readonly to?: Address
  readonly value?: Hex
  readonly gas: Hex
  readonly gasUsed: Hex
  readonly input: Hex
  readonly output?: Hex
  readonly error?: string
  readonly revertReason?: string
  readonly calls?: readonly Frame[]
  readonly logs?: readonly object[]
  readonly quoin?: { readonly reason: string; readonly detail?: string; readonly stack?: string }
}

const CALLS = { tracer: 'callTracer' } as const
const STATE = { tracer: 'prestateTracer' } as const

/** Through viem's transport, as its users ask for methods that viem does not have. */
const ask = async <T>(method: string, ...params: readonly unknown[]): Promise<T> =>
  (await client().request({ method, params } as never)) as T
const errorOf = async (method: string, ...params: readonly unknown[]) => (await rpc.call(method, ...params)).error

describe('callTracer', () => {
  it('shows a transaction as go-ethereum does, with the gas of its receipt', async () => {
    const receipt = await client().getTransactionReceipt({ hash: block2[0]! })
    const transaction = await client().getTransaction({ hash: block2[0]! })
    expect(await ask('debug_traceTransaction', block2[0], CALLS)).toEqual({
      type: 'CALL',
      from: ALICE,
      to: gold,
      value: '0x0',
      gas: toHex(transaction.gas),
      gasUsed: toHex(receipt.gasUsed),
      input: transaction.input,
      output: pad('0x1'),
    })
  })

  it('shows why a transaction failed, in the contract in which it did', async () => {
    const frame = await ask<Frame>('debug_traceTransaction', block2[1], CALLS)
    const receipt = (await rpc.call('eth_getTransactionReceipt', block2[1])).result as { revertReason: Hex; gasUsed: Hex }
    expect(frame).toMatchObject({ error: 'execution reverted', output: receipt.revertReason, gasUsed: receipt.gasUsed })
    expect(frame.revertReason).toBeUndefined()
    expect(frame.calls).toMatchObject([{ type: 'CALL', from: bank, to: gold, error: 'execution reverted', output: frame.output }])
    expect(frame.quoin?.stack).toMatch(/at pay .*:2:/)
    expect(frame.calls![0]!.quoin).toMatchObject({ reason: expect.stringContaining('ERC20InsufficientBalance') })
    expect(frame.calls![0]!.quoin?.stack).toContain('transfer')
  })

  it('has logs, and leaves out calls, on request', async () => {
    const logs = (await client().getTransactionReceipt({ hash: block2[2]! })).logs
    const logged = await ask<Frame>('debug_traceTransaction', block2[2], { ...CALLS, tracerConfig: { withLog: true } })
    expect(logged.logs).toEqual(
      logs.map(({ address, topics, data, logIndex }) => ({ address, topics, data, index: toHex(logIndex), position: '0x0' })),
    )
    expect(logs[0]?.logIndex).toBe(1)
    const top = await ask<Frame>('debug_traceTransaction', block2[1], { ...CALLS, tracerConfig: { onlyTopCall: true } })
    expect(top).not.toHaveProperty('calls')
  })

  it('shows creations, static calls and the end of the gas', async () => {
    const { transactions } = await client().getBlock({ blockNumber: 1n })
    const creation = await ask<Frame>('debug_traceTransaction', transactions[0], CALLS)
    expect(creation).toMatchObject({ type: 'CREATE', from: ALICE, to: gold, output: await client().getCode({ address: gold }) })
    const read = await ask<Frame>('debug_traceCall', { to: bank, data: encoded(BANK, 'read', gold, BOB) }, 'latest', CALLS)
    expect(read).toMatchObject({ output: pad('0x78'), calls: [{ type: 'STATICCALL', to: gold, output: pad('0x78') }] })
    expect(read.calls![0]).not.toHaveProperty('value')
    const spent = await ask<Frame>('debug_traceCall', { to: bank, data: encoded(BANK, 'spin'), gas: '0x7a120' }, 'latest', CALLS)
    expect(spent).toMatchObject({ gas: '0x7a120', gasUsed: '0x7a120', error: 'out of gas', quoin: { reason: 'out of gas' } })
    expect(spent).not.toHaveProperty('output')
    const failed = await ask<Frame>('debug_traceCall', { data: '0x6080' }, 'latest', CALLS)
    expect(failed).toMatchObject({ type: 'CREATE', error: 'execution reverted', revertReason: expect.stringContaining('0xef51') })
    expect(failed).not.toHaveProperty('to')
  })

  it('shows a block, by number, tag and hash', async () => {
    const { hash } = await client().getBlock({ blockNumber: 2n })
    const traces = await ask<readonly object[]>('debug_traceBlockByNumber', '0x2', CALLS)
    const singly = []
    for (const txHash of block2) singly.push({ txHash, result: await ask('debug_traceTransaction', txHash, CALLS) })
    expect(traces).toEqual(singly)
    expect(await ask('debug_traceBlockByHash', hash, CALLS)).toEqual(traces)
    expect(await ask('debug_traceBlockByNumber', 'latest', CALLS)).toEqual(traces)
    await node.produce()
    expect(await ask('debug_traceBlockByNumber', 'latest', CALLS)).toEqual([])
    // The state of later blocks is not seen.
    expect(await ask('debug_traceBlockByNumber', '0x2', CALLS)).toEqual(traces)
  })

  it('is read by ethers', async () => {
    const provider = new JsonRpcProvider(rpc.url, 31_337, { staticNetwork: true })
    const frame = (await provider.send('debug_traceTransaction', [block2[1], CALLS])) as Frame
    expect(frame.calls).toHaveLength(1)
    provider.destroy()
  })
})

describe('prestateTracer', () => {
  const KEY = toHex(`balance:${alice.address}`)
  const BOB_KEY = toHex(`balance:${bob.address}`)

  it('shows the accounts before a transaction, with storage as eth_getStorageAt and overrides have it', async () => {
    const state = await ask<Record<Address, { balance: Hex; nonce?: number; code?: Hex; storage?: Record<Hex, Hex> }>>(
      'debug_traceTransaction',
      block2[2],
      STATE,
    )
    expect(state[ALICE]).toMatchObject({ nonce: 4 })
    expect(state[gold]).toMatchObject({
      balance: '0x0',
      nonce: 1,
      code: await client().getCode({ address: gold }),
      storage: { [KEY]: pad('0x384'), [BOB_KEY]: pad('0x64') },
    })
    const before = await ask('eth_getStorageAt', gold, KEY, '0x1')
    expect(before).toBe(pad('0x3e8'))
    // What it shows can be given back as overrides.
    const balance = { to: gold, data: encoded(token.abi, 'balanceOf', BOB) }
    const overrides = { [gold]: { stateDiff: state[gold]!.storage } }
    expect(await ask('eth_call', balance, 'latest', overrides)).toBe(pad('0x64'))
  })

  it('shows what changed', async () => {
    const diff = await ask('debug_traceTransaction', block2[0], { ...STATE, tracerConfig: { diffMode: true, disableCode: true } })
    const { balance: pre } = (await ask<Record<Address, { balance: Hex }>>('debug_traceTransaction', block2[0], STATE))[ALICE]!
    const post = toHex(await client().getBalance({ address: ALICE, blockNumber: 2n }))
    // The gas is free on this chain.
    expect(post).toBe(pre)
    expect(diff).toEqual({
      post: { [ALICE]: { nonce: 3 }, [gold]: { storage: { [KEY]: pad('0x384'), [BOB_KEY]: pad('0x64') } } },
      pre: { [ALICE]: { balance: pre, nonce: 2 }, [gold]: { balance: '0x0', nonce: 1, storage: { [KEY]: pad('0x3e8') } } },
    })
    const failed = await ask('debug_traceTransaction', block2[1], { ...STATE, tracerConfig: { diffMode: true } })
    expect(failed).toEqual({ post: { [ALICE]: { nonce: 4 } }, pre: { [ALICE]: { balance: pre, nonce: 3 } } })
  })

  it('shows a created contract only after its transaction', async () => {
    const { transactions } = await client().getBlock({ blockNumber: 1n })
    const diff = await ask<{ pre: object; post: Record<Address, object> }>('debug_traceTransaction', transactions[1], {
      ...STATE,
      tracerConfig: { diffMode: true },
    })
    expect(diff.pre).not.toHaveProperty(bank)
    expect(diff.post[bank]).toEqual({ nonce: 1, code: await client().getCode({ address: bank }) })
    expect(await ask('debug_traceTransaction', transactions[1], STATE)).not.toHaveProperty(bank)
    const whole = await ask('debug_traceTransaction', transactions[1], { ...STATE, tracerConfig: { includeEmpty: true } })
    expect(whole).toHaveProperty(bank, { balance: '0x0' })
  })

  it('leaves out code and storage on request', async () => {
    const tracerConfig = { disableCode: true, disableStorage: true }
    expect(await ask('debug_traceTransaction', block2[0], { ...STATE, tracerConfig })).toHaveProperty(gold, {
      balance: '0x0',
      nonce: 1,
    })
  })
})

describe('debug_traceCall', () => {
  const transfer = (amount: bigint) => ({ from: BOB, to: gold, data: encoded(token.abi, 'transfer', ALICE, amount) })

  it('runs on the state after a block, or before one of its transactions', async () => {
    const errorAt = async (reference: unknown, options: object = {}) =>
      (await ask<Frame>('debug_traceCall', transfer(110n), reference, { ...CALLS, ...options })).error
    expect(await errorAt('latest')).toBeUndefined()
    expect(await errorAt('0x1')).toBe('execution reverted')
    expect(await errorAt('0x2', { txIndex: '0x2' })).toBe('execution reverted')
    const { hash } = await client().getBlock({ blockNumber: 2n })
    expect(await errorAt(hash)).toBeUndefined()
    const some = await ask<Frame>('debug_traceCall', transfer(100n), '0x2', { ...CALLS, txIndex: '0x1' })
    expect(some.error).toBeUndefined()
    expect(await errorOf('debug_traceCall', transfer(1n), '0x2', { ...CALLS, txIndex: '0x3' })).toMatchObject({
      code: -32000,
      message: 'transaction index 3 out of range for block 2, which has 3',
    })
  })

  it('takes overrides of state and block', async () => {
    const stateOverrides = { [gold]: { stateDiff: { [toHex(`balance:${bob.address}`)]: '0x0500' } } }
    const frame = await ask<Frame>('debug_traceCall', transfer(0x500n), 'latest', { ...CALLS, stateOverrides })
    expect(frame.error).toBeUndefined()
    const options = { ...STATE, stateOverrides, blockOverrides: { number: '0x99' } }
    expect(await ask('debug_traceCall', transfer(1n), 'latest', options)).toMatchObject({
      [gold]: { storage: { [toHex(`balance:${bob.address}`)]: pad('0x500') } },
    })
    expect(
      await errorOf('debug_traceCall', transfer(1n), 'latest', { ...CALLS, blockOverrides: { random: '0x1' } }),
    ).toMatchObject({ code: -32602, message: expect.stringContaining('random') })
  })
})

describe('what cannot be traced', () => {
  it.each([
    ['debug_traceBlockByNumber', ['0x0', CALLS], -32000, 'genesis is not traceable', 'not-traceable'],
    ['debug_traceBlockByNumber', ['earliest', CALLS], -32000, 'genesis is not traceable', 'not-traceable'],
    ['debug_traceBlockByNumber', ['pending', CALLS], -32000, 'pending block is not available', 'not-traceable'],
    ['debug_traceBlockByNumber', ['0x99', CALLS], -32001, 'block not found', 'block-not-found'],
    ['debug_traceBlockByHash', [pad('0x1'), CALLS], -32001, 'block not found', 'block-not-found'],
    ['debug_traceTransaction', [pad('0x1'), CALLS], -32000, 'transaction not found', 'transaction-not-found'],
    ['debug_traceCall', [{}, 'pending', CALLS], -32000, 'tracing on top of pending is not supported', 'not-traceable'],
  ])('%s %j is refused', async (method, params, code, message, reason) => {
    expect(await errorOf(method, ...params)).toMatchObject({ code, message, data: { reason } })
  })

  it.each([
    [undefined, /^no tracer: .* no EVM opcodes .* set tracer to callTracer or prestateTracer$/],
    [{}, /^no tracer/],
    [{ tracer: 'flatCallTracer' }, /^unknown tracer flatCallTracer: JavaScript tracers .* callTracer or prestateTracer$/],
    [{ tracer: '{fault: function() {}, result: function() {}}' }, /unknown tracer/],
    [{ tracer: 'callTracer', tracerConfig: { withLogs: true } }, /unknown field withLogs, allowed are onlyTopCall, withLog/],
    [{ tracer: 'callTracer', tracerConfig: { withLog: 1 } }, /tracerConfig.withLog/],
    [{ tracer: 'prestateTracer', tracerConfig: { diffMode: true, includeEmpty: true } }, /both diffMode and includeEmpty/],
    [{ tracer: 'callTracer', timeout: '5' }, /timeout must be a duration such as 500ms, 10s or 1m30s/],
    [{ tracer: 'callTracer', timeouts: '5s' }, /unknown field timeouts/],
  ])('options %j are refused', async (options, message) => {
    const params = options === undefined ? [] : [options]
    expect(await errorOf('debug_traceTransaction', block2[0], ...params)).toMatchObject({
      code: -32602,
      message: expect.stringMatching(message),
    })
  })

  it("takes go-ethereum's other options, which change nothing", async () => {
    const others = {
      reexec: 128,
      enableMemory: false,
      disableStack: true,
      disableStorage: true,
      tracerConfig: null,
      timeout: '1m2.5s',
    }
    expect(await ask('debug_traceTransaction', block2[0], { ...CALLS, ...others })).toMatchObject({ type: 'CALL' })
  })

  it('an answer that is too long is refused', async () => {
    const small = await serveTestNode(node, crypto, { responseBytesMax: 2_000 })
    expect((await small.call('debug_traceTransaction', block2[0], CALLS)).result).toBeDefined()
    expect((await small.call('debug_traceTransaction', block2[0], STATE)).error).toEqual({
      code: -32005,
      message: expect.stringMatching(/^trace too large: the answer exceeds 2000 bytes; trace one transaction/),
      data: { reason: 'answer-too-large', scope: 'chain' },
    })
    await small.server.close()
  })

  it('a trace that takes longer than its timeout is given up', async () => {
    let isAborted = false
    const run: CallRunner['run'] = (_kind, _request, signal) =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => {
          isAborted = true
          reject(signal.reason as Error)
        }),
      )
    const slow = await serveTestNode(
      { ...node, calls: { stats: node.calls.stats, close: () => node.calls.close(), run } },
      crypto,
    )
    expect((await slow.call('debug_traceTransaction', block2[0], { ...CALLS, timeout: '5ms' })).error).toEqual({
      code: -32000,
      message: 'execution timeout',
      data: { reason: 'timeout', scope: 'node' },
    })
    expect(isAborted).toBe(true)
    await slow.server.close()
  })
})
