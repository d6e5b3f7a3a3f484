import { Address, bytesToHex, formatAbi, Hash, type Hex, hexToBytes, parseAbi, unwrap } from '@quoin/protocol'
import fc from 'fast-check'
import {
  type Abi,
  decodeErrorResult,
  encodeErrorResult,
  encodeFunctionData,
  keccak256,
  multicall3Abi,
  parseAbi as viemAbi,
  zeroHash,
} from 'viem'
import { describe, expect, it } from 'vitest'
import { abiOf, giveCode, OTHER, TEST_BLOCK, type TestContract, TestContracts, USER } from '../../../test/contracts.ts'
import { ticksOf } from '../../ticks.ts'
import { CONTRACT_GAS } from '../contract-gas.ts'
import { LIBRARY_GAS } from '../library/library-gas.ts'
import { MESSAGE_GAS } from '../message-gas.ts'
import { MESSAGE_LIMITS } from '../message-limits.ts'
import { readRecord } from '../record.ts'
import { CODE_REGISTRY_ABI, CODE_REGISTRY_ADDRESS } from './code-registry.ts'
import { MULTICALL_ABI, MULTICALL_ADDRESS } from './multicall.ts'
import { NATIVE_CODE } from './native.ts'

const multicall: TestContract = { address: MULTICALL_ADDRESS, abi: MULTICALL_ABI as Abi }
const NOBODY = Address(`0x${'c3'.repeat(20)}`)

/** ABI of the contract at this address on other chains (src/Multicall3.sol). */
const DEPLOYED = viemAbi([
  'struct Call { address target; bytes callData; }',
  'struct Call3 { address target; bool allowFailure; bytes callData; }',
  'struct Call3Value { address target; bool allowFailure; uint256 value; bytes callData; }',
  'struct Result { bool success; bytes returnData; }',
  'function aggregate(Call[] calls) payable returns (uint256 blockNumber, bytes[] returnData)',
  'function tryAggregate(bool requireSuccess, Call[] calls) payable returns (Result[] returnData)',
  'function tryBlockAndAggregate(bool requireSuccess, Call[] calls) payable returns (uint256 blockNumber, bytes32 blockHash, Result[] returnData)',
  'function blockAndAggregate(Call[] calls) payable returns (uint256 blockNumber, bytes32 blockHash, Result[] returnData)',
  'function aggregate3(Call3[] calls) payable returns (Result[] returnData)',
  'function aggregate3Value(Call3Value[] calls) payable returns (Result[] returnData)',
  'function getBlockHash(uint256 blockNumber) view returns (bytes32 blockHash)',
  'function getBlockNumber() view returns (uint256 blockNumber)',
  'function getCurrentBlockCoinbase() view returns (address coinbase)',
  'function getCurrentBlockDifficulty() view returns (uint256 difficulty)',
  'function getCurrentBlockGasLimit() view returns (uint256 gaslimit)',
  'function getCurrentBlockTimestamp() view returns (uint256 timestamp)',
  'function getEthBalance(address addr) view returns (uint256 balance)',
  'function getLastBlockHash() view returns (bytes32 blockHash)',
  'function getBasefee() view returns (uint256 basefee)',
  'function getChainId() view returns (uint256 chainid)',
])

/** A contract that does everything that a call can do. */
const LINES = [
  'error Refused(uint256 n)',
  'event Added(address indexed by, uint256 n)',
  'function add(uint256 n) payable returns (uint256)',
  'function total() view returns (uint256)',
  'function by() view returns (address)',
  'function refuse(uint256 n)',
  'function spin()',
  'function gas() view returns (uint256)',
  'function relay(address to, bytes data) payable returns (bytes)',
  'function peek(address to, bytes data) view returns (bytes)',
]
const SOURCE = `export default { functions: {
  add(n) {
    const sum = quoin.load('uint256', 'n') + n
    quoin.store('uint256', 'n', sum); quoin.store('address', 'by', quoin.sender); quoin.emit('Added', quoin.sender, n)
    if (n > 100n) quoin.revert('Refused', n)
    return sum
  },
  total: () => quoin.load('uint256', 'n'),
  by: () => quoin.load('address', 'by'),
  refuse(n) { quoin.store('uint256', 'n', n); quoin.revert('Refused', n) },
  spin() { for (;;); },
  gas: () => quoin.gasLeft,
  relay: (to, data) => quoin.callRaw(to, data, { value: quoin.value }),
  peek: (to, data) => quoin.staticCallRaw(to, data),
} }`
const abi = abiOf(LINES)

const data = (functionName: string, args: readonly unknown[] = []): Hex =>
  encodeFunctionData({ abi, functionName, args } as never)
const aggregated = (functionName: string, ...args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: MULTICALL_ABI, functionName, args } as never)
const call3 = (target: Address, callData: Hex, allowFailure = false) => ({ target, allowFailure, callData })
const refusal = (n: bigint): Hex => encodeErrorResult({ abi, errorName: 'Refused', args: [n] } as never)
const word = (n: bigint): Hex => `0x${n.toString(16).padStart(64, '0')}`

function start() {
  const chain = new TestContracts()
  chain.fund(USER, 10n ** 18n)
  const a = chain.deploy(LINES, SOURCE)
  const b = chain.deploy(LINES, SOURCE)
  return { chain, a, b, at: a.address }
}

describe('the ABI', () => {
  it('is that of the contract on other chains', () => {
    const sorted = (one: Abi) =>
      unwrap(parseAbi(one))
        .map((item) => formatAbi([item]))
        .toSorted()
    expect(sorted(MULTICALL_ABI as Abi)).toEqual(sorted(DEPLOYED))
  })

  it('is understood by viem, whose own ABI has the functions that it uses', () => {
    const { chain, at } = start()
    const viems = { address: MULTICALL_ADDRESS, abi: multicall3Abi as Abi }
    const calls = [call3(at, data('add', [5n])), call3(at, data('refuse', [3n]), true), call3(NOBODY, '0x1234')]
    expect(chain.call(viems, 'aggregate3', [calls])).toEqual([
      { success: true, returnData: word(5n) },
      { success: false, returnData: refusal(3n) },
      { success: true, returnData: '0x' },
    ])
    expect(chain.call(viems, 'getEthBalance', [USER])).toBe(10n ** 18n)
    expect(chain.call(viems, 'getCurrentBlockTimestamp')).toBe(1_700_000_000n)
  })
})

describe('block values', () => {
  const { chain } = start()
  it.each([
    ['getBlockNumber', [], BigInt(TEST_BLOCK.number)],
    ['getCurrentBlockCoinbase', [], expect.stringMatching(new RegExp(TEST_BLOCK.proposer, 'i'))],
    ['getCurrentBlockGasLimit', [], BigInt(TEST_BLOCK.gasLimit)],
    ['getCurrentBlockDifficulty', [], 0n],
    ['getBasefee', [], TEST_BLOCK.baseFee],
    ['getChainId', [], 31_337n],
    ['getBlockHash', [6n], zeroHash],
    ['getLastBlockHash', [], zeroHash],
  ] as const)('%s', (name, args, answer) => {
    expect(chain.call(multicall, name, args)).toEqual(answer)
    expect(chain.failure(multicall, name, args, { value: 1n })).toMatch(/not payable/)
  })
})

describe('an aggregate', () => {
  const results = [
    { success: true, returnData: word(1n) },
    { success: true, returnData: word(3n) },
  ]
  const both = (at: Address) => [1n, 2n].map((n) => ({ target: at, callData: data('add', [n]) }))

  it.each([
    ['aggregate', (at: Address) => [both(at)], [7n, [word(1n), word(3n)]]],
    ['tryAggregate', (at: Address) => [true, both(at)], results],
    ['tryBlockAndAggregate', (at: Address) => [false, both(at)], [7n, zeroHash, results]],
    ['blockAndAggregate', (at: Address) => [both(at)], [7n, zeroHash, results]],
  ] as const)('of the older kind: %s', (name, args, answer) => {
    const { chain, a, at } = start()
    expect(chain.call(multicall, name, args(at))).toEqual(answer)
    expect(chain.call(a, 'by')).toMatch(new RegExp(MULTICALL_ADDRESS, 'i'))
  })

  it.each([
    ['aggregate', (calls: unknown) => [calls]],
    ['tryAggregate', (calls: unknown) => [true, calls]],
    ['tryBlockAndAggregate', (calls: unknown) => [true, calls]],
    ['blockAndAggregate', (calls: unknown) => [calls]],
    ['aggregate3', (calls: unknown) => [calls]],
    ['aggregate3Value', (calls: unknown) => [calls]],
  ] as const)('of which a call fails that must not does nothing at all: %s', (name, args) => {
    const { chain, at } = start()
    const before = chain.journal.changes()
    const calls = [data('add', [1n]), data('refuse', [2n])].map((callData) => ({
      ...call3(at, callData),
      value: 0n,
    }))
    expect(chain.failure(multicall, name, args(calls))).toBe('Multicall3: call failed')
    expect(chain.journal.changes()).toEqual(before)
  })

  /** Result of Multicall3's bytecode (code hash 0xd5c15df6…770891) in @ethereumjs/evm 10.1.3 when the second call failed. */
  const CALL_FAILED: Hex = `0x08c379a0${word(0x20n).slice(2)}${word(23n).slice(2)}4d756c746963616c6c333a2063616c6c206661696c6564${'00'.repeat(9)}`

  it.each([
    ['aggregate', (calls: unknown) => [calls], CALL_FAILED],
    ['tryAggregate', (calls: unknown) => [true, calls], CALL_FAILED],
    ['tryBlockAndAggregate', (calls: unknown) => [true, calls], CALL_FAILED],
    ['blockAndAggregate', (calls: unknown) => [calls], CALL_FAILED],
    ['aggregate3', (calls: unknown) => [calls], CALL_FAILED],
    ['aggregate3Value', (calls: unknown) => [calls], `${CALL_FAILED}${'00'.repeat(32)}`],
  ] as const)('reverts with the bytes of Multicall3 on other chains: %s', (name, args, bytes) => {
    const { chain, at } = start()
    const calls = [data('add', [1n]), data('refuse', [2n])].map((callData) => ({ ...call3(at, callData), value: 0n }))
    const outcome = chain.attempt(multicall, name, args(calls))
    expect(outcome.ok).toBe(false)
    expect(bytesToHex(outcome.data)).toBe(bytes)
    expect(decodeErrorResult({ data: bytes })).toMatchObject({ errorName: 'Error', args: ['Multicall3: call failed'] })
  })

  it.each([
    ['tryAggregate', (calls: unknown) => [false, calls], (results: unknown) => results],
    ['tryBlockAndAggregate', (calls: unknown) => [false, calls], (results: unknown) => (results as unknown[])[2]],
    ['aggregate3', (calls: unknown) => [calls], (results: unknown) => results],
    ['aggregate3Value', (calls: unknown) => [calls], (results: unknown) => results],
  ] as const)('undoes the call that may fail, and it alone: %s', (name, args, resultsOf) => {
    const { chain, a, at } = start()
    const before = chain.journal.checkpoint()
    const calls = [data('add', [1n]), data('add', [101n]), data('add', [2n])].map((callData) => ({
      ...call3(at, callData, true),
      value: 0n,
    }))
    expect(resultsOf(chain.call(multicall, name, args(calls)))).toEqual([
      { success: true, returnData: word(1n) },
      { success: false, returnData: refusal(101n) },
      { success: true, returnData: word(3n) },
    ])
    expect(chain.call(a, 'total')).toBe(3n)
    expect(chain.journal.logsSince(before)).toHaveLength(2)
  })

  it('of no calls returns no results', () => {
    const { chain } = start()
    expect(chain.call(multicall, 'aggregate3', [[]])).toEqual([])
    expect(chain.call(multicall, 'aggregate', [[]])).toEqual([7n, []])
  })

  it('reverts for any other calldata, and for plain value transfers', () => {
    const { chain } = start()
    chain.fund(USER, 1n)
    expect(chain.send(MULTICALL_ADDRESS, new Uint8Array(0), { value: 1n })).toMatchObject({ ok: false })
    expect(chain.send(MULTICALL_ADDRESS, new Uint8Array(0))).toMatchObject({ ok: false })
    expect(chain.send(MULTICALL_ADDRESS, hexToBytes('0x12345678'))).toMatchObject({ ok: false })
    const truncated = hexToBytes(aggregated('aggregate3', [call3(NOBODY, '0x1234')])).slice(0, -32)
    expect(chain.send(MULTICALL_ADDRESS, truncated)).toMatchObject({ ok: false, reason: expect.stringMatching(/malformed/) })
  })

  it('pays for each call the price of decoding it, of a contract call and of encoding its result', () => {
    const { chain, at } = start()
    const gas = (calls: readonly object[]) => chain.attempt(multicall, 'aggregate3', [calls]).gasUsed
    const idle = call3(NOBODY, '0x')
    const each = 4 * MESSAGE_GAS.word + MESSAGE_GAS.addressWord + CONTRACT_GAS.call.base + 3 * LIBRARY_GAS.abiEncode.value
    expect(gas([idle, idle, idle]) - gas([idle, idle])).toBe(each)
    const total = call3(at, data('total'))
    const cold = [1, 2].map(() => chain.attempt({ address: at, abi }, 'total').gasUsed)[1]!
    // In an aggregate that called it before, its storage entry is warm.
    const alone = cold - CONTRACT_GAS.key.read
    const more =
      MESSAGE_GAS.word +
      (MESSAGE_GAS.addressWord - MESSAGE_GAS.word) / 5 +
      32 * (CONTRACT_GAS.call.byte + LIBRARY_GAS.abiEncode.byte)
    expect(gas([total, total]) - gas([total])).toBe(each + more + alone)
  })

  it(`has at most ${MESSAGE_LIMITS.aggregatedCallsMax} calls`, () => {
    const { chain } = start()
    const calls = Array.from({ length: MESSAGE_LIMITS.aggregatedCallsMax }, () => call3(NOBODY, '0x'))
    const gas = ticksOf(100_000_000)
    expect(chain.call(multicall, 'aggregate3', [calls], { gas })).toHaveLength(calls.length)
    expect(chain.failure(multicall, 'aggregate3', [[...calls, call3(NOBODY, '0x')]], { gas })).toMatch(/at most 1024/)
  })

  it('returns no more than the limit of an encoding', () => {
    const { chain } = start()
    const big = chain.deploy(
      ['function f() pure returns (bytes)'],
      'export default { functions: { f: () => new Uint8Array(200000) } }',
    )
    const callData = encodeFunctionData({ abi: big.abi, functionName: 'f' } as never)
    const calls = [1, 2, 3].map(() => call3(big.address, callData))
    expect(chain.failure(multicall, 'aggregate3', [calls], { gas: ticksOf(100_000_000) })).toMatch(/more than 524288 bytes/)
  })
})

describe('value', () => {
  const pay = (target: Address, value: bigint, callData: Hex = '0x', allowFailure = false) => ({
    ...call3(target, callData, allowFailure),
    value,
  })

  it('goes where aggregate3Value sends it, and must be spent to the wei', () => {
    const { chain, a, at } = start()
    chain.call(multicall, 'aggregate3Value', [[pay(at, 30n, data('add', [1n])), pay(OTHER, 12n)]], { value: 42n })
    expect([at, OTHER, MULTICALL_ADDRESS].map((one) => chain.journal.account(one).balance)).toEqual([30n, 12n, 0n])
    expect(chain.call(a, 'total')).toBe(1n)
    for (const value of [41n, 43n]) {
      const calls = [pay(OTHER, 42n, '0x', true)]
      const { data, ...outcome } = chain.attempt(multicall, 'aggregate3Value', [calls], { value })
      expect(outcome).toMatchObject({ ok: false, reason: 'Multicall3: value mismatch' })
      expect(data).toHaveLength(100)
    }
    expect(chain.journal.account(OTHER).balance).toBe(12n)
  })

  it('of a failed call stays in the contract, from which anyone may take it, as on other chains', () => {
    const { chain, at } = start()
    const failing = pay(at, 5n, data('refuse', [1n]), true)
    expect(chain.call(multicall, 'aggregate3Value', [[failing]], { value: 5n })).toMatchObject([{ success: false }])
    expect(chain.journal.account(MULTICALL_ADDRESS).balance).toBe(5n)
    // The sum is computed modulo 2^256.
    const rest = pay(NOBODY, 2n ** 256n - 5n, '0x', true)
    expect(chain.call(multicall, 'aggregate3Value', [[pay(OTHER, 5n), rest]])).toMatchObject([
      { success: true },
      { success: false },
    ])
    expect(chain.journal.account(OTHER).balance).toBe(5n)
  })

  it('is taken by the other aggregates too, and by nothing else', () => {
    const { chain } = start()
    chain.call(multicall, 'aggregate3', [[]], { value: 2n })
    chain.call(multicall, 'tryAggregate', [true, []], { value: 2n })
    expect(chain.journal.account(MULTICALL_ADDRESS).balance).toBe(4n)
    expect(chain.call(multicall, 'getEthBalance', [MULTICALL_ADDRESS])).toBe(4n)
  })

  it("costs the same as a contract's transfer", () => {
    const { chain } = start()
    const gas = (value: bigint, rest = {}) =>
      chain.attempt(multicall, 'aggregate3Value', [[pay(OTHER, value)]], { value, ...rest }).gasUsed
    // The aggregate's own account has already changed, by the value it received; the receiver's is read in any case.
    expect(gas(1n) - gas(0n)).toBe(MESSAGE_GAS.value + CONTRACT_GAS.key.write)
  })
})

describe('what is called', () => {
  it('sees the aggregate as its sender, an authority as well', () => {
    const { chain, a } = start()
    const owned = chain.deploy(LINES, SOURCE, [], { upgradeAuthority: { kind: 'deployer' } })
    const registry = { address: CODE_REGISTRY_ADDRESS, abi: CODE_REGISTRY_ABI as Abi }
    const pause = encodeFunctionData({
      abi: registry.abi,
      functionName: 'setPaused',
      args: [owned.address, true],
    } as never)
    const describeIt = encodeFunctionData({ abi: registry.abi, functionName: 'describe', args: [a.address] } as never)
    expect(chain.call(multicall, 'aggregate3', [[call3(CODE_REGISTRY_ADDRESS, describeIt)]])).toMatchObject([{ success: true }])
    expect(chain.failure(multicall, 'aggregate3', [[call3(CODE_REGISTRY_ADDRESS, pause)]])).toBe('Multicall3: call failed')
    chain.call(registry, 'setAuthority', [owned.address, MULTICALL_ADDRESS])
    chain.call(multicall, 'aggregate3', [[call3(CODE_REGISTRY_ADDRESS, pause)]], { from: OTHER })
    expect(readRecord(chain.journal, owned.address)?.paused).toBe(true)
  })

  it('is static where the aggregate is', () => {
    const { chain, a, at } = start()
    const calls = [call3(at, data('total'), true), call3(at, data('add', [1n]), true)]
    chain.call(a, 'add', [7n])
    const peeked = chain.call(a, 'peek', [MULTICALL_ADDRESS, aggregated('aggregate3', calls)]) as Hex
    const nested = aggregated('aggregate3', [call3(MULTICALL_ADDRESS, aggregated('aggregate3', calls))])
    const deeper = chain.call(a, 'peek', [MULTICALL_ADDRESS, nested]) as Hex
    for (const bytes of [peeked, deeper]) {
      expect(bytes).toContain(word(7n).slice(2))
      expect(bytes).toContain(Buffer.from('a view function or a static call cannot write').toString('hex'))
    }
    expect(chain.call(a, 'total')).toBe(7n)
  })

  it('may enter the aggregate again, but no contract that is on the call stack', () => {
    const { chain, a, b, at } = start()
    const inner = aggregated('aggregate3', [
      call3(b.address, data('add', [1n])),
      call3(at, data('add', [1n]), true),
      call3(at, data('total')),
    ])
    const calls = [call3(at, data('relay', [MULTICALL_ADDRESS, inner])), call3(at, data('add', [1n]))]
    chain.call(multicall, 'aggregate3', [calls])
    expect([chain.call(a, 'total'), chain.call(b, 'total')]).toEqual([1n, 1n])
  })

  it('is refused where calls are as deep as they may be: an aggregate counts as one', () => {
    const { chain, at } = start()
    const nested = (levels: number, innermost: Hex): Hex => {
      let callData = innermost
      for (let i = 0; i < levels; i++) callData = aggregated('aggregate3', [call3(MULTICALL_ADDRESS, callData)])
      return callData
    }
    const innermost = aggregated('aggregate3', [call3(at, data('add', [1n]))])
    // The innermost aggregate and the contract follow the nested ones.
    const deepest = MESSAGE_LIMITS.callDepthMax - 2
    expect(chain.send(MULTICALL_ADDRESS, hexToBytes(nested(deepest, innermost)))).toMatchObject({ ok: true })
    expect(chain.send(MULTICALL_ADDRESS, hexToBytes(nested(deepest + 1, innermost)))).toMatchObject({
      ok: false,
      reason: 'Multicall3: call failed',
    })
  })

  it('runs on 63/64 of the gas that is left, and an aggregate goes on when that is used up', () => {
    const { chain, at } = start()
    const [seen] = chain.call(multicall, 'aggregate3', [[call3(at, data('gas'))]], { gas: ticksOf(6_400_000) }) as {
      returnData: Hex
    }[]
    expect(Number(seen!.returnData)).toBeLessThan((6_400_000 / 64) * 63)
    expect(Number(seen!.returnData)).toBeGreaterThan(6_150_000)
    const calls = [call3(at, data('spin'), true), call3(NOBODY, '0x')]
    expect(chain.call(multicall, 'aggregate3', [calls], { gas: ticksOf(6_400_000) })).toEqual([
      { success: false, returnData: encodeErrorResult({ abi: viemAbi(['error Error(string)']), args: ['out of gas'] }) },
      { success: true, returnData: '0x' },
    ])
    expect(chain.attempt(multicall, 'aggregate3', [calls], { gas: ticksOf(6_400_000) }).gasUsed).toBeGreaterThan(
      ticksOf(6_290_000),
    )
  })

  it('can be called by contracts through a signature', () => {
    const { chain, at } = start()
    const codeHash = Hash(keccak256(NATIVE_CODE))
    giveCode(chain.journal, MULTICALL_ADDRESS, NATIVE_CODE, codeHash)
    const caller = chain.deploy(
      ['function both(address token, bytes data) returns (bool, bytes, bool, bytes)'],
      `export default { functions: { both(token, data) {
        const signature = 'aggregate3((address,bool,bytes)[])((bool,bytes)[])'
        return quoin.call('${MULTICALL_ADDRESS}', signature, [[[token, true, data], [token, true, new Uint8Array(3)]]]).flat()
      } } }`,
    )
    const [success, returned, failed] = chain.call(caller, 'both', [at, data('add', [9n])]) as unknown[]
    expect([success, returned, failed]).toEqual([true, word(9n), false])
  })

  it('takes its gas from the contract that aggregates, once', () => {
    const { chain, a, b } = start()
    const calls = [call3(b.address, data('total')), call3(b.address, data('gas'))]
    const direct = () => chain.attempt(multicall, 'aggregate3', [calls]).gasUsed
    const relayed = (relay: readonly unknown[]) => chain.attempt(a, 'peek', relay).gasUsed
    direct()
    const through = relayed([MULTICALL_ADDRESS, aggregated('aggregate3', calls)])
    // A native contract has no account to read.
    const idle = relayed([NOBODY, aggregated('aggregate3', calls)]) - CONTRACT_GAS.key.read
    const crossing = (CONTRACT_GAS.call.byte + 20) * 1_024
    expect(through - idle).toBeGreaterThan(direct())
    expect(through - idle).toBeLessThan(direct() + crossing)
  })

  it('pays for the first use of its code as by any other way', () => {
    const [fresh, used] = [start(), start()]
    const elsewhere = (from: TestContracts) => new TestContracts(from.journal)
    const gas = (world: TestContracts, at: Address, times: number) =>
      world.attempt(multicall, 'aggregate3', [Array.from({ length: times }, () => call3(at, data('total')))]).gasUsed
    const { loadGas } = readRecord(fresh.chain.journal, fresh.at)!
    expect(gas(elsewhere(fresh.chain), fresh.at, 2) - gas(used.chain, used.at, 2)).toBe(loadGas)
  })
})

describe('aggregate3Value', () => {
  const step = fc.record({
    place: fc.nat(4),
    name: fc.constantFrom('add', 'add', 'total', 'by', 'refuse', 'relay', 'nest', 'nothing', 'unknown'),
    n: fc.bigInt(0n, 130n),
    value: fc.constantFrom(0n, 0n, 0n, 1n, 3n, 10n ** 30n),
  })

  it('does the same as its calls one after the other from its address', () => {
    const [fails, works] = (['refuse', 'total'] as const).map((name) => [{ place: 0, name, n: 1n, value: 0n }])
    const failures = { some: 0, none: 0 }
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
        const [aggregating, single] = [start(), start()]
        const [before, beforeSingly] = [aggregating, single].map(({ chain }) => chain.journal.checkpoint())
        const targets = [aggregating.at, aggregating.b.address, OTHER, MULTICALL_ADDRESS, CODE_REGISTRY_ADDRESS]
        const callOf = ({ name, n, place }: (typeof steps)[number]): Hex => {
          if (name === 'nothing') return '0x'
          if (name === 'unknown') return '0x01020304'
          if (name === 'relay') return data('relay', [targets[Number(n) % targets.length], data('add', [n])])
          if (name === 'nest') return aggregated('aggregate3', [call3(targets[place]!, data('add', [n]), n % 2n === 0n)])
          return data(name, name === 'add' || name === 'refuse' ? [n] : [])
        }
        const calls = steps.map((one) => ({ ...call3(targets[one.place]!, callOf(one), true), value: one.value }))
        const sum = calls.reduce((total, { value }) => total + value, 0n)
        for (const { chain } of [aggregating, single]) chain.fund(USER, 10n ** 40n)
        const results = aggregating.chain.call(multicall, 'aggregate3Value', [calls], { value: sum, gas: ticksOf(400_000_000) })

        single.chain.fund(USER, 10n ** 40n - sum)
        single.chain.fund(MULTICALL_ADDRESS, sum)
        const singly = calls.map(({ target, value, callData }) => {
          const outcome = single.chain.send(target, hexToBytes(callData), {
            from: MULTICALL_ADDRESS,
            value,
            gas: ticksOf(100_000_000),
          })
          return { success: outcome.ok, returnData: bytesToHex(outcome.data) }
        })
        expect(results).toEqual(singly)
        expect(aggregating.chain.journal.changes()).toEqual(single.chain.journal.changes())
        expect(aggregating.chain.journal.logsSince(before!)).toEqual(single.chain.journal.logsSince(beforeSingly!))
        failures[singly.some(({ success }) => !success) ? 'some' : 'none']++
      }),
      // A fixed case with both kinds.
      { numRuns: 60, examples: [[fails!], [works!]] },
    )
    expect(failures.some * failures.none).toBeGreaterThan(0)
  })
})
