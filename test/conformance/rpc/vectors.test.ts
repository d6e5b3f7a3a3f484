import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestAnswer } from '../../../packages/node/test/rpc.ts'
import { openScene, type Scene } from './scene.ts'

/**
 * The tests of ethereum/execution-apis whose outcome does not depend on their chain, rebuilt from their `.io` files (CC0-1.0, the commit of
 * `schemas.ts`): the same requests, and the outcome as far as it must be equal everywhere. Texts of errors are compared where clients
 * match them. The tests of eth_simulateV1 that run code of the EVM cannot be used.
 */
interface Vector {
  /** Folder and file. */
  readonly of: string
  readonly params: readonly unknown[]
  /** A part of the answer, or the code of the error. */
  readonly outcome: number | { readonly result: unknown }
  readonly text?: RegExp
  /** Where this chain differs, and why. */
  readonly ours?: { readonly outcome: Vector['outcome']; readonly because: string }
}

const ZERO = `0x${'0'.repeat(64)}`
const ONE = `0x${'0'.repeat(63)}1`
const NOT_FOUND = `0x${'0'.repeat(56)}deadbeef`
const NOBODY = '0xc1cadaffffffffffffffffffffffffffffffffff'
const [C0, C1, C2, C3] = ['c0', 'c1', 'c2', 'c3'].map((start) => `0x${start.padEnd(40, '0')}`) as [string, string, string, string]

const nothing = { result: null }
/** Theirs name no tracer, and get struct logs. This chain has none, so a tracer is named here. */
const tracer = { tracer: 'callTracer' }

const READS: readonly Vector[] = [
  ...['debug_getRawBlock', 'debug_getRawHeader', 'debug_getRawReceipts'].map((name) => ({
    ...{ of: `${name}/get-invalid-number`, params: ['2'], outcome: -32602 },
  })),
  { of: 'debug_getRawReceipts/get-genesis', params: ['0x0'], outcome: { result: [] } },
  { of: 'debug_getRawTransaction/get-invalid-hash', params: [`1${'0'.repeat(62)}1`], outcome: -32602 },
  { of: 'debug_traceBlockByNumber/trace-genesis', params: ['0x0', tracer], outcome: -32000, text: /^genesis is not traceable$/ },
  { of: 'debug_traceBlockByNumber/trace-block-invalid-number', params: ['3', tracer], outcome: -32602 },
  { of: 'debug_traceTransaction/trace-unknown-tx', params: [ONE, tracer], outcome: -32000, text: /^transaction not found$/ },
  {
    of: 'debug_traceBlockByHash/trace-block-not-found',
    params: [ONE, tracer],
    outcome: -32000,
    text: /not found/,
    ours: { outcome: -32001, because: 'the code for a missing block in all methods' },
  },
  { of: 'eth_getBlockByHash/get-block-by-empty-hash', params: [ZERO, true], outcome: nothing },
  { of: 'eth_getBlockByHash/get-block-by-notfound-hash', params: [NOT_FOUND, true], outcome: nothing },
  { of: 'eth_getBlockByNumber/get-block-notfound', params: ['0x3e8', true], outcome: nothing },
  {
    of: 'eth_getBlockByNumber/get-genesis',
    params: ['0x0', true],
    outcome: { result: { number: '0x0', parentHash: ZERO, transactions: [] } },
  },
  { of: 'eth_getBlockReceipts/get-block-receipts-0', params: ['0x0'], outcome: { result: [] } },
  { of: 'eth_getBlockReceipts/get-block-receipts-earliest', params: ['earliest'], outcome: { result: [] } },
  { of: 'eth_getBlockReceipts/get-block-receipts-empty', params: [ZERO], outcome: nothing },
  { of: 'eth_getBlockReceipts/get-block-receipts-future', params: ['0x37'], outcome: nothing },
  { of: 'eth_getBlockReceipts/get-block-receipts-not-found', params: [NOT_FOUND], outcome: nothing },
  { of: 'eth_getBlockTransactionCountByNumber/get-genesis', params: ['0x0'], outcome: { result: '0x0' } },
  { of: 'eth_getBalance/get-balance-unknown-account', params: [NOBODY, 'latest'], outcome: { result: '0x0' } },
  { of: 'eth_getCode/get-code-unknown-account', params: [NOBODY, 'latest'], outcome: { result: '0x' } },
  { of: 'eth_getTransactionCount/get-nonce-unknown-account', params: [NOBODY, 'latest'], outcome: { result: '0x0' } },
  {
    of: 'eth_getStorageAt/get-storage-unknown-account',
    params: [NOBODY, `0x01${'0'.repeat(62)}`, 'latest'],
    outcome: { result: ZERO },
  },
  { of: 'eth_getStorageAt/get-storage-invalid-key', params: [`0xaa${'0'.repeat(38)}`, '0xasdf', 'latest'], outcome: -32602 },
  {
    of: 'eth_getStorageAt/get-storage-invalid-key-too-large',
    params: [`0xaa${'0'.repeat(38)}`, `0x${'0'.repeat(65)}`, 'latest'],
    outcome: -32602,
    ours: { outcome: { result: ZERO }, because: 'keys have up to 128 bytes' },
  },
  { of: 'eth_getStorageValues/get-storage-values-empty-request', params: [{}, 'latest'], outcome: -32602 },
  {
    of: 'eth_getStorageValues/get-storage-values-unknown-account',
    params: [{ [NOBODY]: [`0x01${'0'.repeat(62)}`] }, 'latest'],
    outcome: { result: { [NOBODY]: [ZERO] } },
  },
  {
    of: 'eth_getLogs/filter-error-future-block-range',
    params: [{ fromBlock: '0x2', toBlock: '0x38' }],
    outcome: -32602,
    text: /^block range extends beyond current head block/,
  },
  {
    of: 'eth_getLogs/filter-error-invalid-blockHash-and-range',
    params: [{ blockHash: NOT_FOUND, fromBlock: '0x3', toBlock: '0x4' }],
    outcome: -32602,
  },
  {
    of: 'eth_getLogs/filter-error-reversed-block-range',
    params: [{ fromBlock: '0x32', toBlock: '0x2f' }],
    outcome: -32602,
    text: /^invalid block range params/,
  },
  { of: 'eth_getTransactionByHash/get-empty-tx', params: [ZERO], outcome: nothing },
  { of: 'eth_getTransactionByHash/get-notfound-tx', params: [NOT_FOUND], outcome: nothing },
  { of: 'eth_getTransactionReceipt/get-empty-tx', params: [ZERO], outcome: nothing },
  { of: 'eth_getTransactionReceipt/get-notfound-tx', params: [NOT_FOUND], outcome: nothing },
  { of: 'eth_syncing/check-syncing', params: [], outcome: { result: false } },
  {
    of: 'eth_estimateGas/estimate-simple-transfer',
    params: [{ from: `0xaa${'0'.repeat(38)}`, to: `0x01${'0'.repeat(38)}` }],
    outcome: { result: '0x5208' },
  },
  {
    of: 'eth_createAccessList/create-al-value-transfer',
    params: [{ from: C0, nonce: '0x0', to: `0x01${'0'.repeat(38)}`, value: '0x0' }, 'latest'],
    outcome: { result: { accessList: [], gasUsed: '0x5208' } },
  },
  {
    of: 'txpool_contentFrom/get-content-from-address',
    params: [`0x${'0'.repeat(40)}`],
    outcome: { result: { pending: {}, queued: {} } },
  },
]

interface Options {
  readonly traceTransfers?: boolean
  readonly validation?: boolean
  readonly block?: string
}

const simulation = (
  name: string,
  blockStateCalls: readonly object[],
  outcome: Vector['outcome'],
  { block = 'latest', ...more }: Options = {},
  rest: Pick<Vector, 'text' | 'ours'> = {},
): Vector => ({ of: `eth_simulateV1/ethSimulate-${name}`, params: [{ blockStateCalls, ...more }, block], outcome, ...rest })

const send = (from: string, to: string, value = '0x3e8') => ({ from, to, value })
const done = { status: '0x1', returnData: '0x', gasUsed: '0x5208', maxUsedGas: '0x5208', logs: [] }
const blocksWith = (...calls: readonly (readonly object[])[]) => ({ result: calls.map((list) => ({ calls: list })) })
const rich = (address: string, balance: string) => ({ [address]: { balance } })
const precompile = { outcome: -32602, because: 'all refused overrides have the code of an invalid parameter, as in eth_call' }
const noBlock = { outcome: -32001, because: 'the code of execution-apis for something that does not exist, in every method' }
const transferLog = (from: string, to: string, value: number) => ({
  address: `0x${'e'.repeat(40)}`,
  topics: [
    '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef',
    `0x${from.slice(2).padStart(64, '0')}`,
    `0x${to.slice(2).padStart(64, '0')}`,
  ],
  data: `0x${value.toString(16).padStart(64, '0')}`,
})

const SIMULATIONS: readonly Vector[] = [
  simulation('empty', [{}], blocksWith([])),
  simulation('empty-with-block-num-set-firstblock', [{}], { result: [{ number: '0x2', calls: [] }] }, { block: '0x1' }),
  simulation('empty-with-block-num-set-plus1', [{}], -32000, { block: '0x37' }, { ours: noBlock }),
  simulation(
    'make-call-with-future-block',
    [{ calls: [{ from: C0, to: C0 }] }],
    -32000,
    { block: '0x111', validation: true },
    { ours: noBlock },
  ),
  simulation('simple', [{ stateOverrides: rich(C0, '0x3e8'), calls: [send(C0, C1), send(C1, C2)] }], blocksWith([done, done])),
  simulation('only-from-to-transaction', [{ calls: [{ from: C0, to: C1 }] }], blocksWith([done]), { traceTransfers: true }),
  simulation(
    'simple-more-params-validate',
    [
      {
        blockOverrides: { baseFeePerGas: '0x0' },
        stateOverrides: rich(C0, '0x334500'),
        calls: [
          {
            ...{ from: C0, to: C1, gas: '0x52080', maxFeePerGas: '0x0', maxPriorityFeePerGas: '0x0', maxFeePerBlobGas: '0x0' },
            ...{ value: '0x0', nonce: '0x0', input: '0x' },
          },
        ],
      },
    ],
    blocksWith([done]),
    { validation: true },
  ),
  simulation(
    'transfer-over-BlockStateCalls',
    [
      { stateOverrides: rich(C0, '0x1388'), calls: [send(C0, C1, '0x7d0'), send(C0, C3, '0x7d0')] },
      { stateOverrides: rich(C3, '0x1388'), calls: [send(C1, C2), send(C3, C2)] },
    ],
    blocksWith([done, done], [done, done]),
  ),
  simulation(
    'check-that-nonce-increases',
    [
      {
        blockOverrides: { baseFeePerGas: '0x9' },
        stateOverrides: rich(C0, '0x4a817c800'),
        calls: ['0x0', '0x1', '0x2'].map((nonce) => ({ from: C0, to: C0, maxFeePerGas: '0xf', nonce })),
      },
    ],
    blocksWith([done, done, done]),
    { validation: true },
  ),
  simulation('transaction-too-high-nonce', [{ calls: [{ from: C1, to: C1, nonce: '0x64' }] }], blocksWith([done])),
  simulation(
    'transaction-too-low-nonce-38010',
    [{ stateOverrides: { [C0]: { nonce: '0xa' } }, calls: [{ from: C1, to: C1, nonce: '0x0' }] }],
    blocksWith([done]),
  ),
  simulation(
    'eth-send-should-produce-logs',
    [{ stateOverrides: rich(C0, '0x7d0'), calls: [send(C0, C1)] }],
    blocksWith([{ ...done, logs: [{ ...transferLog(C0, C1, 1_000), logIndex: '0x0', removed: false }] }]),
    { traceTransfers: true },
  ),
  simulation(
    'eth-send-should-not-produce-logs-by-default',
    [{ stateOverrides: rich(C0, '0x7d0'), calls: [send(C0, C1)] }],
    blocksWith([done]),
  ),
  simulation(
    'simple-no-funds',
    [{ calls: [send(C0, C1), send(C1, C2)] }],
    -38014,
    {},
    { text: /insufficient funds for gas \* price \+ value/ },
  ),
  simulation('gas-fees-and-value-error-38014', [{ calls: [send(C0, C1)] }], -38014),
  simulation(
    'instrict-gas-38013',
    [{ calls: [{ from: C1, to: C1, gas: '0x0' }] }],
    -38013,
    {},
    { text: /intrinsic gas too low/ },
  ),
  simulation(
    'basefee-too-low-with-validation-38012',
    [
      {
        blockOverrides: { baseFeePerGas: '0xa' },
        stateOverrides: rich(C0, '0x7d0'),
        calls: [{ from: C0, to: C1, maxFeePerGas: '0x0', maxPriorityFeePerGas: '0x0' }],
      },
    ],
    -38012,
    { validation: true },
    { text: /max fee per gas less than block base fee/ },
  ),
  simulation(
    'basefee-too-low-without-validation-38012',
    [
      {
        blockOverrides: { baseFeePerGas: '0xa' },
        stateOverrides: rich(C0, '0x7d0'),
        calls: [{ from: C1, to: C1, maxFeePerGas: '0x0', maxPriorityFeePerGas: '0x0' }],
      },
    ],
    blocksWith([done]),
  ),
  simulation('simple-no-funds-with-validation', [{ calls: [send(C0, C1)] }], -38012, { validation: true }),
  simulation(
    'big-block-state-calls-array',
    Array.from({ length: 300 }, () => ({})),
    -38026,
    {},
    { text: /^too many blocks/ },
  ),
  simulation(
    'block-num-order-38020',
    [{ blockOverrides: { number: '0x9a' } }, { blockOverrides: { number: '0x90' } }],
    -38020,
    {},
    {
      text: /^block numbers must be in order: 144 <= 154$/,
    },
  ),
  // Their times are in the past of this chain, which is refused in the same way.
  ...[
    ['block-timestamp-order-38021', '0x227'],
    ['block-timestamp-non-increment', '0x228'],
  ].map(([name, time]) =>
    simulation(
      name!,
      [{ blockOverrides: { time: '0x228' } }, { blockOverrides: { time } }],
      -38021,
      {},
      {
        text: /^block timestamps must be in order: /,
      },
    ),
  ),
  simulation(
    'move-to-address-itself-reference-38022',
    [{ stateOverrides: { ...rich(C0, '0x30d40'), [C1]: { movePrecompileToAddress: C1 } }, calls: [send(C0, C1, '0x1')] }],
    -32000,
    {},
    { ours: precompile },
  ),
  simulation(
    'try-to-move-non-precompile',
    [{ stateOverrides: { [C0]: { movePrecompileToAddress: C1 } } }],
    -32000,
    { validation: true },
    { ours: precompile },
  ),
]

describe('the tests of execution-apis that any chain can run', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene()
  })
  afterAll(() => scene.rpc.server.close())

  const outcomeOf = ({ result, error }: TestAnswer, wanted: Vector['outcome']) => {
    if (typeof wanted === 'number') expect(error ?? { result }).toMatchObject({ code: wanted })
    else if (wanted.result === null || typeof wanted.result !== 'object') expect(error ?? result).toBe(wanted.result)
    else expect(error ?? result).toMatchObject(wanted.result)
  }

  it.each([...READS, ...SIMULATIONS])('$of', async ({ of, params, outcome, text, ours }) => {
    const answer = await scene.rpc.call(of.split('/')[0]!, ...params)
    outcomeOf(answer, ours?.outcome ?? outcome)
    if (text !== undefined) expect(answer.error?.message).toMatch(text)
  })
})
