import {
  Address,
  nobleCrypto as crypto,
  emptyBloom,
  Hash,
  type Header,
  type Height,
  headerHash,
  hexToBytes,
  LIMITS,
  merkleRoot,
  type Nonce,
  type TimeMs,
  U32_MAX,
  U256_MAX,
  type Wei,
  ZERO_HASH,
} from '@quoin/protocol'
import { bytesToHex, decodeEventLog, decodeFunctionResult, encodeFunctionData, erc20Abi, type Hex } from 'viem'
import { describe, expect, it } from 'vitest'
import { CallWorld } from '../../test/call-world.ts'
import { abiOf, creationOf, OTHER, USER } from '../../test/contracts.ts'
import type { SimulatedCall } from './block-plan.ts'
import type { BlockOverrides, StateOverrides } from './overrides.ts'
import type { SimulatedBlock } from './simulated-block.ts'
import { type SimulationOutcome, type SimulationRequest, simulate } from './simulation.ts'
import { NATIVE_CURRENCY } from './transfer-log.ts'

const LINES = [
  'function set(uint256 n)',
  'function get() view returns (uint256)',
  'function where() view returns (uint256, uint256, uint256, address, uint256, uint256)',
  'function refuse(uint256 n)',
  'function spin()',
  'function pay() payable',
  'function forward(address to, bool fails) payable',
  'event Noted(uint256 n)',
  'error Refused(uint256 n)',
]
const ABI = abiOf(LINES)
const SOURCE = `export default { functions: {
  set(n) { quoin.store('uint256', 'n', n); quoin.emit('Noted', n) },
  get() { return quoin.load('uint256', 'n') },
  where() { const b = quoin.block; return [b.number, b.timestamp, b.milliseconds, b.proposer, b.gasLimit, b.baseFee] },
  refuse(n) { quoin.revert('Refused', n) },
  spin() { for (;;); },
  pay() {},
  forward(to, fails) {
    quoin.emit('Noted', 1n)
    quoin.transfer(to, 3n)
    try { quoin.call(quoin.self, 'inner(address,bool)', [to, fails], { value: 1n }) } catch {}
    quoin.emit('Noted', 2n)
  },
} }`

/** A container whose every answer is too large to be sent. */
const LARGE_ANSWER = creationOf(
  'export default { fallback: () => new Uint8Array(2_000_000), functions: {} }',
  abiOf(['fallback() external']),
)

const dataOf = (functionName: string, args: readonly unknown[] = []) =>
  hexToBytes(encodeFunctionData({ abi: ABI, functionName, args } as never) as Hex)

function world() {
  const made = new CallWorld()
  const contract = made.commit((contracts) => {
    contracts.fund(USER, 1_000_000n)
    return contracts.deploy(LINES, SOURCE)
  })
  return { made, to: contract.address }
}

const call = (to: Address | undefined, more: Partial<SimulatedCall> = {}): SimulatedCall => ({
  ...{ type: 2, from: USER, to, data: new Uint8Array(0), value: 0n as Wei, accessList: [], gas: undefined, nonce: undefined },
  ...{ maxFeePerGas: 0n as Wei, maxPriorityFeePerGas: 0n as Wei },
  ...more,
})

interface Block {
  readonly calls?: readonly SimulatedCall[]
  readonly block?: BlockOverrides
  readonly state?: StateOverrides
}

function baseOf(made: CallWorld, height = made.height): SimulationRequest['base'] {
  const { number, timeMs, proposer, gasLimit } = made.blockAt(height)
  const root = Hash(merkleRoot(crypto, []))
  const header: Header = {
    ...{ parentHash: ZERO_HASH, miner: proposer, stateRoot: ZERO_HASH, transactionsRoot: root, receiptsRoot: root },
    ...{ logsBloom: emptyBloom(), number, gasLimit: gasLimit as Header['gasLimit'], gasUsed: 0 as Header['gasUsed'], timeMs },
    baseFeePerGas: 1_000n as Wei,
    extra: { executionVersion: ZERO_HASH, validatorsHash: ZERO_HASH, nextValidatorsHash: Hash(`0x${'5'.repeat(64)}`) },
    genesisDigest: undefined,
  }
  return { header, hash: headerHash(crypto, header) }
}

const run = (made: CallWorld, blocks: readonly Block[], more: Partial<SimulationRequest> = {}): Promise<SimulationOutcome> =>
  simulate(made.host, {
    base: baseOf(made),
    blocks: blocks.map(({ calls = [], block = {}, state = new Map() }) => ({
      calls,
      blockOverrides: block,
      stateOverrides: state,
    })),
    ...{ isValidated: false, recordsTransfers: false, gasMax: 50_000_000, answerBytesMax: 1_000_000 },
    ...more,
  })

async function blocksOf(...args: Parameters<typeof run>): Promise<readonly SimulatedBlock[]> {
  const outcome = await run(...args)
  if (outcome.kind === 'refused') throw new Error(outcome.message)
  return outcome.blocks
}

async function refusalOf(...args: Parameters<typeof run>) {
  const outcome = await run(...args)
  if (outcome.kind !== 'refused') throw new Error('the simulation was not refused')
  return { code: outcome.code, message: outcome.message }
}

/** The value that a call returned. */
function valueOf(functionName: string, block: SimulatedBlock | undefined, index: number): unknown {
  const outcome = block?.results[index]?.outcome
  if (outcome?.kind !== 'returned') throw new Error(JSON.stringify(outcome))
  return decodeFunctionResult({ abi: ABI, functionName, data: bytesToHex(outcome.data) } as never)
}

describe('a simulation', () => {
  it('keeps what calls leave for later calls and blocks, and nothing of it reaches the chain', async () => {
    const { made, to } = world()
    const before = made.kv.keys('0x')
    const [first, second] = await blocksOf(made, [
      { calls: [call(to, { data: dataOf('set', [7n]) }), call(to, { data: dataOf('get') })] },
      { calls: [call(to, { data: dataOf('get') }), call(to, { data: dataOf('set', [8n]) }), call(to, { data: dataOf('get') })] },
    ])
    expect([valueOf('get', first, 1), valueOf('get', second, 0), valueOf('get', second, 2)]).toEqual([7n, 7n, 8n])
    expect(made.kv.keys('0x')).toEqual(before)
    expect(valueOf('get', (await blocksOf(made, [{ calls: [call(to, { data: dataOf('get') })] }]))[0], 0)).toBe(0n)
  })

  it('runs on the state after a past block', async () => {
    const { made, to } = world()
    const contract = { address: to, abi: ABI }
    for (const n of [5n, 6n, 7n]) made.commit((contracts) => contracts.call(contract, 'set', [n]))
    const calls = [call(to, { data: dataOf('get') }), call(to, { data: dataOf('set', [9n]) }), call(to, { data: dataOf('get') })]
    const found = []
    for (const height of [1, 2, 3, 4]) {
      const [block] = await blocksOf(made, [{ calls }], { base: baseOf(made, height as Height) })
      found.push([block?.header.number, valueOf('get', block, 0), valueOf('get', block, 2)])
    }
    expect(found).toEqual([
      [2, 0n, 9n],
      [3, 5n, 9n],
      [4, 6n, 9n],
      [5, 7n, 9n],
    ])
  })

  it('shows each contract its own block, and links the blocks', async () => {
    const { made, to } = world()
    const base = baseOf(made)
    const where = { calls: [call(to, { data: dataOf('where') })] }
    const block = {
      number: 4 as Height,
      timeMs: 1_800_000_000_000 as TimeMs,
      gasLimit: 30_000_000,
      proposer: OTHER,
      baseFee: 9n as Wei,
    }
    const blocks = await blocksOf(made, [where, { ...where, block }, where])
    expect(blocks.map((one) => (one.results.length === 0 ? undefined : valueOf('where', one, 0)))).toEqual([
      // The base block is at 500 ms of its second.
      [2n, 1_700_000_001n, 1_700_000_001_500n, base.header.miner, 60_000_000n, 0n].map(checksummed),
      undefined,
      [4n, 1_800_000_000n, 1_800_000_000_000n, OTHER, 30_000_000n, 9n].map(checksummed),
      [5n, 1_800_000_001n, 1_800_000_001_000n, OTHER, 30_000_000n, 0n].map(checksummed),
    ])
    expect(blocks.map(({ header }) => header.number)).toEqual([2, 3, 4, 5])
    const parents = [base, ...blocks]
    for (const [i, { header, hash }] of blocks.entries()) {
      expect(header.parentHash).toBe(parents[i]?.hash)
      expect(hash).toBe(headerHash(crypto, header))
      expect(header.stateRoot).toBe(ZERO_HASH)
    }
  })

  it('overrides the state before the calls of a block', async () => {
    const { made, to } = world()
    const key = made.commit((contracts) => {
      contracts.call({ address: to, abi: ABI }, 'set', [5n])
      return new TextEncoder().encode('n')
    })
    const get = call(to, { data: dataOf('get') })
    const set = call(to, { data: dataOf('set', [6n]) })
    const entry = (kind: 'replace' | 'change', entries: [Uint8Array, Uint8Array][]) =>
      new Map([[to, { storage: { kind, entries } }]])
    const blocks = await blocksOf(made, [
      { calls: [get, set, get] },
      // The whole storage goes, also what the block before it has written, and stays away.
      { calls: [get], state: entry('replace', []) },
      { calls: [get, set] },
      { calls: [get], state: entry('change', [[new TextEncoder().encode('other'), Uint8Array.of(1)]]) },
    ])
    const values = blocks.map((block) =>
      block.results.flatMap(({ outcome }, i) =>
        outcome.kind === 'returned' && outcome.data.length > 0 ? [valueOf('get', block, i)] : [],
      ),
    )
    expect(values).toEqual([[5n, 6n], [0n], [0n], [6n]])
    expect(key).toHaveLength(1)
  })

  it('reports calls that fail, and continues', async () => {
    const { made, to } = world()
    const [block] = await blocksOf(made, [
      {
        calls: [
          call(to, { data: dataOf('refuse', [4n]) }),
          call(to, { data: dataOf('spin'), gas: 100_000 }),
          call(OTHER, { value: 5n as Wei }),
        ],
      },
    ])
    expect(block?.results.map(({ outcome }) => outcome)).toMatchObject([
      { kind: 'reverted', data: dataOfError(4n), trace: [] },
      { kind: 'out-of-gas', gasUsed: 100_000, trace: [] },
      { kind: 'returned', gasUsed: 21_000 },
    ])
    expect(block?.header.gasUsed).toBe(block?.results.reduce((sum, { outcome }) => sum + outcome.gasUsed, 0))
    // The deployment had the nonce 0, and each transaction used one.
    expect(block?.results.map(({ transaction }) => transaction.nonce)).toEqual([1, 2, 3])
  })
})

const checksummed = (value: unknown): unknown =>
  typeof value === 'string' ? expect.stringMatching(new RegExp(`^${value}$`, 'i')) : value
const dataOfError = (n: bigint) =>
  hexToBytes(
    `0x${bytesToHex(crypto.keccak256(new TextEncoder().encode('Refused(uint256)'))).slice(2, 10)}${n.toString(16).padStart(64, '0')}`,
  )

describe('transfers', () => {
  const transfersOf = (block: SimulatedBlock | undefined, index: number) =>
    block?.results[index]?.logs.map(({ address, topics, data }) => {
      if (address !== NATIVE_CURRENCY) return Number(BigInt(bytesToHex(data)))
      const decoded = decodeEventLog({ abi: erc20Abi, topics: topics as never, data: bytesToHex(data) })
      return decoded.eventName === 'Transfer' ? decoded.args : decoded
    })

  it('are logs at 0xee…ee where they happened, without those that were reverted', async () => {
    const { made, to } = world()
    const calls = [
      call(to, { data: dataOf('forward', [OTHER, true]), value: 10n as Wei }),
      call(to, { data: dataOf('refuse', [1n]) }),
      call(OTHER, { value: 2n as Wei }),
      call(OTHER),
    ]
    const [block] = await blocksOf(made, [{ calls }], { recordsTransfers: true })
    const transfer = (from: string, receiver: string, value: bigint) => ({
      ...{ from: checksummed(from), to: checksummed(receiver) },
      value,
    })
    expect([0, 1, 2, 3].map((index) => transfersOf(block, index))).toEqual([
      // The inner call fails, because the contract has no such function.
      [transfer(USER, to, 10n), 1, transfer(to, OTHER, 3n), 2],
      [],
      [transfer(USER, OTHER, 2n)],
      [],
    ])
    const [without] = await blocksOf(made, [{ calls }])
    expect(transfersOf(without, 0)).toEqual([1, 2])
    // Neither bloom, receipts nor hash contain them.
    expect(block?.hash).toBe(without?.hash)
  })
})

describe('without validation', () => {
  it('nothing is charged unless the call offers a fee, and the nonce of a call only shows', async () => {
    const { made } = world()
    const poor = Address(`0x${'77'.repeat(20)}`)
    const state: StateOverrides = new Map([[poor, { balance: 100_000n as Wei }]])
    const [block] = await blocksOf(made, [
      {
        ...{ state, block: { baseFee: 50n as Wei } },
        calls: [call(OTHER, { from: poor, nonce: 77 as Nonce }), call(OTHER, { from: poor, value: 100_000n as Wei })],
      },
    ])
    expect(block?.results.map(({ outcome }) => outcome.kind)).toEqual(['returned', 'returned'])
    expect(block?.results.map(({ transaction }) => transaction.nonce)).toEqual([77, 1])
    const paying = call(OTHER, { from: poor, maxFeePerGas: 5n as Wei, gas: 21_000 })
    expect(await refusalOf(made, [{ state, block: { baseFee: 50n as Wei }, calls: [paying] }])).toMatchObject({
      code: 'fee-too-low',
    })
  })

  it('a contract may send, and more gas than a transaction may have is allowed', async () => {
    const { made, to } = world()
    const [block] = await blocksOf(made, [{ calls: [call(OTHER, { from: to, gas: 40_000_000 })] }])
    expect(block?.results[0]?.outcome.kind).toBe('returned')
    const [checked] = await blocksOf(made, [{ calls: [call(OTHER, { from: to })] }], { isValidated: true })
    expect(checked?.results[0]?.outcome.kind).toBe('returned')
    expect(checked?.results[0]?.transaction.gasLimit).toBe(36_000_000)
  })

  it('credits no account with more than 2^256 - 1', async () => {
    const made = new CallWorld({ feePolicy: 'to-proposer' })
    const rich: StateOverrides = new Map([
      [USER, { balance: U256_MAX as Wei }],
      [made.blockAt(0).proposer, { balance: U256_MAX as Wei }],
    ])
    const [block] = await blocksOf(made, [
      { state: rich, block: { baseFee: 5n as Wei }, calls: [call(OTHER, { maxFeePerGas: 7n as Wei, gas: 30_000 })] },
    ])
    expect(block?.results[0]?.outcome.kind).toBe('returned')
  })
})

describe('a simulation ends', () => {
  const { made, to } = world()
  const plain = call(OTHER)
  const paid = { maxFeePerGas: (10n ** 10n) as Wei, gas: 21_000 }
  const validated = { isValidated: true } as const

  it.each<[string, readonly Block[], Partial<SimulationRequest>, object]>([
    ['nonce too low', [{ calls: [call(OTHER), call(OTHER, { nonce: 0 as Nonce })] }], validated, { code: 'nonce-too-low' }],
    ['nonce too high', [{ calls: [call(OTHER, { nonce: 9 as Nonce })] }], validated, { code: 'nonce-too-high' }],
    [
      'the last nonce',
      [{ state: new Map([[USER, { nonce: U32_MAX as Nonce }]]), calls: [plain] }],
      {},
      { code: 'nonce-too-high', message: expect.stringMatching(/^nonce has max value/) },
    ],
    ['fee too low', [{ block: { baseFee: 10n as Wei }, calls: [plain] }], validated, { code: 'fee-too-low' }],
    ['tip above the fee', [{ calls: [call(OTHER, { maxPriorityFeePerGas: 1n as Wei })] }], {}, { code: 'tip-above-fee' }],
    ['too little gas', [{ calls: [call(OTHER, { gas: 20_999 })] }], {}, { code: 'intrinsic-gas-too-low' }],
    ['too little money', [{ calls: [call(OTHER, { value: 2_000_000n as Wei })] }], {}, { code: 'insufficient-funds' }],
    [
      'too much gas for a transaction',
      [{ calls: [call(OTHER, { gas: 40_000_000 })] }],
      validated,
      { code: 'gas-limit-too-high' },
    ],
    [
      'too much gas for the block',
      [{ block: { gasLimit: 40_000 }, calls: [plain, call(OTHER, { gas: 21_000 })] }],
      {},
      { code: 'block-gas-limit', message: expect.stringContaining('(call 1 of block 2)') },
    ],
    ['too much gas altogether', [{ calls: [plain] }, { calls: [plain] }], { gasMax: 41_999 }, { code: 'limit-exceeded' }],
    [
      'too long an answer',
      [{ calls: [plain, plain, plain] }],
      { answerBytesMax: 5_000 },
      { code: 'limit-exceeded', message: expect.stringContaining('answer') },
    ],
    [
      'too much returned data',
      [{ state: new Map([[OTHER, { code: LARGE_ANSWER }]]), calls: [call(OTHER, { data: Uint8Array.of(1) })] }],
      { answerBytesMax: 10_000_000 },
      {
        code: 'limit-exceeded',
        message: expect.stringMatching(/^returned data too large: the call returned 2000000 bytes, .* \(call 0/),
      },
    ],
    [
      'a transaction of too many bytes',
      [{ calls: [call(OTHER, { data: new Uint8Array(LIMITS.transactionBytesMax), gas: 2_000_000 })] }],
      validated,
      { code: 'too-large' },
    ],
    [
      'blocks out of order',
      [{ block: { number: 3 as Height } }, { block: { number: 3 as Height } }],
      {},
      { code: 'block-number-order' },
    ],
    ['a block that exists', [{ block: { number: 1 as Height } }], {}, { code: 'block-number-order' }],
    [
      'times out of order',
      [{ block: { timeMs: 1_800_000_000_000 as TimeMs } }, { block: { timeMs: 1_800_000_000_000 as TimeMs } }],
      {},
      { code: 'block-time-order', message: 'block timestamps must be in order: 1800000000 <= 1800000000' },
    ],
    [
      'the time of the block before it, cut to the second',
      [{ block: { timeMs: 1_700_000_000_000 as TimeMs } }],
      {},
      { code: 'block-time-order' },
    ],
    ['times without end', [{ block: { timeMs: LIMITS.timeMsMax as TimeMs } }, {}], {}, { code: 'invalid-override' }],
    ['too many blocks', [{ block: { number: 258 as Height } }], {}, { code: 'limit-exceeded' }],
    [
      'code that cannot be deployed',
      [{ state: new Map([[OTHER, { code: Uint8Array.of(0x60) }]]) }],
      {},
      { code: 'invalid-override' },
    ],
  ])('with %s', async (_, blocks, more, refusal) => {
    expect(await refusalOf(made, blocks, more)).toMatchObject(refusal)
  })

  it('not with a transaction that pays, nor at its last limits', async () => {
    expect(await blocksOf(made, [{ block: { number: 257 as Height } }])).toHaveLength(256)
    const state: StateOverrides = new Map([[USER, { balance: (10n ** 30n) as Wei }]])
    await blocksOf(made, [{ state, calls: [call(to, { ...paid, data: new Uint8Array(0) }), plain] }], { gasMax: 42_000 })
  })
})

it('a creation returns the code of its contract', async () => {
  const made = new CallWorld()
  const [block] = await blocksOf(made, [{ calls: [call(undefined, { data: creationOf(SOURCE, ABI) })] }])
  const outcome = block?.results[0]?.outcome
  if (outcome?.kind !== 'returned') throw new Error(JSON.stringify(outcome))
  expect(bytesToHex(creationOf(SOURCE, ABI))).toBe(bytesToHex(outcome.data))
})
