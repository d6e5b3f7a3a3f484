import { Address, type Gas, type Height, hexToBytes, type Nonce, type TimeMs, utf8ToBytes, type Wei } from '@quoin/protocol'
import { bytesToHex, decodeFunctionResult, encodeFunctionData, type Hex } from 'viem'
import { describe, expect, it } from 'vitest'
import { CallWorld } from '../../test/call-world.ts'
import { abiOf, creationOf, OTHER, type TestContract, USER } from '../../test/contracts.ts'
import { ENCODE_LIMITS } from '../contract/abi/encode.ts'
import { type CallOutcome, type CallRequest, runCall } from './call.ts'
import { estimateGas } from './estimate.ts'
import { CALL_LIMITS } from './limits.ts'
import type { AccountOverride } from './overrides.ts'

const LINES = [
  'function set(uint256 n)',
  'function get() view returns (uint256)',
  'function who() view returns (address, uint256, uint256, address, uint256, uint256)',
  'function worth(address a) view returns (uint256)',
  'function refuse(uint256 n)',
  'function complain()',
  'function spin()',
  'function pay() payable returns (uint256)',
  'error Refused(uint256 n)',
]
const ABI = abiOf(LINES)
const source = (twist = '') => `export default { functions: {
  set(n) { quoin.store('uint256', 'n', n) },
  get() { return quoin.load('uint256', 'n')${twist} },
  who() { const b = quoin.block; return [quoin.sender, b.number, b.timestamp, b.proposer, b.gasLimit, b.baseFee] },
  worth(a) { return quoin.balanceOf(a) },
  refuse(n) { quoin.revert('Refused', n) },
  complain() { throw new Error('not today') },
  spin() { for (;;); },
  pay() { return quoin.value },
} }`

const world = () => {
  const made = new CallWorld()
  const contract = made.commit((contracts) => {
    contracts.fund(USER, 1_000n)
    return contracts.deploy(LINES, source())
  })
  return { world: made, contract, ...readers(made, contract) }
}

function readers(made: CallWorld, { address }: TestContract) {
  const dataOf = (functionName: string, args: readonly unknown[] = []) =>
    hexToBytes(encodeFunctionData({ abi: ABI, functionName, args } as never) as Hex)
  const call = (functionName: string, args: readonly unknown[] = [], rest: Partial<CallRequest> = {}, more = {}) =>
    runCall(made.host, made.request({ to: address, data: dataOf(functionName, args), ...more }, rest))
  const valueOf = (functionName: string, outcome: CallOutcome): unknown => {
    if (outcome.kind !== 'returned') throw new Error(`${outcome.kind}: ${JSON.stringify(outcome)}`)
    return decodeFunctionResult({ abi: ABI, functionName, data: bytesToHex(outcome.data) } as never)
  }
  const read = async (functionName: string, args: readonly unknown[] = [], rest: Partial<CallRequest> = {}) =>
    valueOf(functionName, await call(functionName, args, rest))
  const override = (account: AccountOverride, of: Address = address) => ({ stateOverrides: new Map([[of, account]]) })
  return { call, read, valueOf, override, dataOf }
}

describe('returned data', () => {
  const FALLBACK = abiOf(['fallback() external'])
  const request = (bytes: number) => {
    const code = creationOf(`export default { fallback: () => new Uint8Array(${bytes}), functions: {} }`, FALLBACK)
    const { world: made } = world()
    return { made, asked: made.request({ to: OTHER, data: Uint8Array.of(1) }, { stateOverrides: new Map([[OTHER, { code }]]) }) }
  }

  it('is sent up to the limit, which is more than a function can return', async () => {
    expect(CALL_LIMITS.returnedBytesMax).toBeGreaterThanOrEqual(2 * ENCODE_LIMITS.encodedBytesMax)
    const { made, asked } = request(CALL_LIMITS.returnedBytesMax)
    expect(await runCall(made.host, asked)).toMatchObject({ kind: 'returned', data: { length: CALL_LIMITS.returnedBytesMax } })
  })

  it('is refused beyond it, but the call is the same for contracts and estimates', async () => {
    const { made, asked } = request(CALL_LIMITS.returnedBytesMax + 1)
    expect(await runCall(made.host, asked)).toEqual({
      kind: 'refused',
      code: 'too-large',
      message: 'returned data too large: the call returned 1048577 bytes, at most 1048576 are sent',
    })
    expect(await estimateGas(made.host, asked)).toMatchObject({ kind: 'estimated' })
  })
})

describe('a call', () => {
  it('sees the state of its height, nothing later, and changes nothing', async () => {
    const { world: made, contract, call, read } = world()
    for (const n of [5n, 6n, 7n]) made.commit((contracts) => contracts.call(contract, 'set', [n]))
    expect(await call('set', [99n])).toMatchObject({ kind: 'returned' })
    const found = []
    for (const height of [1, 2, 3, 4]) found.push(await read('get', [], { block: made.blockAt(height) }))
    expect(found).toEqual([0n, 5n, 6n, 7n])
    // Before the contract was created, its address was a plain account.
    expect(await call('get', [], { block: made.blockAt(0) })).toMatchObject({ kind: 'returned', data: new Uint8Array(0) })
  })

  it('runs the code of its height, whatever the program cache has seen', async () => {
    const made = new CallWorld()
    const contract = made.commit((contracts) => contracts.deploy(LINES, source(), [], { upgradeAuthority: { kind: 'deployer' } }))
    const { read } = readers(made, contract)
    made.commit((contracts) => {
      const native = { address: Address(`0x${'0'.repeat(36)}c0de`), abi: abiOf(['function upgrade(address,bytes,bytes)']) }
      contracts.call(native, 'upgrade', [contract.address, bytesToHex(creationOf(source(' + 1n'), ABI)), '0x'])
    })
    expect(await read('get')).toBe(1n)
    expect(await read('get', [], { block: made.blockAt(1) })).toBe(0n)
    expect(await read('get')).toBe(1n)
  })

  it('runs in the block of its height, or in one that is overridden', async () => {
    const { world: made, read } = world()
    const block = made.blockAt(1)
    expect(await read('who')).toEqual([
      expect.stringMatching(new RegExp(USER, 'i')),
      1n,
      1_700_000_000n,
      expect.stringMatching(new RegExp(block.proposer, 'i')),
      60_000_000n,
      3n,
    ])
    const blockOverrides = {
      number: 77 as Height,
      timeMs: 1_800_000_000_000 as TimeMs,
      proposer: OTHER,
      gasLimit: 9,
      baseFee: 8n as Wei,
    }
    expect(await read('who', [], { blockOverrides })).toEqual([
      expect.anything(),
      77n,
      1_800_000_000n,
      expect.stringMatching(new RegExp(OTHER, 'i')),
      9n,
      8n,
    ])
  })

  it('tells how it failed', async () => {
    const { call } = world()
    expect(await call('refuse', [3n])).toMatchObject({ kind: 'reverted', reason: 'Refused(3)' })
    expect(await call('complain')).toMatchObject({ kind: 'reverted', reason: 'not today' })
    const detail = expect.stringMatching(/^spin used up the \d+ gas of its call$/)
    expect(await call('spin', [], { gasMax: 1_000_000 })).toEqual({ kind: 'out-of-gas', gasUsed: 1_000_000, trace: [], detail })
    expect(await call('spin', [], {}, { gas: 90_000 })).toEqual({ kind: 'out-of-gas', gasUsed: 90_000, trace: [], detail })
    expect(await call('get', [], {}, { gas: 21_000 })).toMatchObject({ kind: 'refused', code: 'intrinsic-gas-too-low' })
  })

  it('moves value that the sender has, and asks for no fee', async () => {
    const { call, valueOf } = world()
    const maxFeePerGas = 10n ** 30n
    expect(valueOf('pay', await call('pay', [], {}, { value: 1_000n, maxFeePerGas }))).toBe(1_000n)
    expect(await call('pay', [], {}, { value: 1_001n })).toEqual({
      kind: 'refused',
      code: 'insufficient-funds',
      message: `insufficient funds for transfer: address ${USER} have 1000 want 1001`,
    })
    expect(await call('set', [1n], {}, { value: 1n })).toMatchObject({ kind: 'reverted', reason: /not payable/ as never })
  })

  it('returns the code of a creation', async () => {
    const { world: made } = world()
    const data = creationOf(source(), ABI)
    expect(await runCall(made.host, made.request({ to: undefined, data }))).toMatchObject({ kind: 'returned', data })
  })
})

describe('an override', () => {
  it('of the balance and nonce is found by every reader', async () => {
    const { world: made, call, read, valueOf, override } = world()
    expect(await read('worth', [OTHER], override({ balance: 7n as Wei }, OTHER))).toBe(7n)
    expect(valueOf('pay', await call('pay', [], override({ balance: 5n as Wei }, OTHER), { from: OTHER, value: 5n }))).toBe(5n)
    const data = creationOf(source(), ABI)
    const at = (nonce: number) =>
      runCall(made.host, made.request({ to: undefined, data }, override({ nonce: nonce as Nonce }, USER)))
    expect(await at(2 ** 32 - 1)).toMatchObject({ kind: 'reverted', reason: /nonce has max value/ as never })
    expect(await at(5)).toMatchObject({ kind: 'returned' })
  })

  it('of single entries keeps the others, of the whole storage does not', async () => {
    const { world: made, contract, read, override } = world()
    made.commit((contracts) => contracts.call(contract, 'set', [5n]))
    const other = [[utf8ToBytes('m'), Uint8Array.of(1)]] as const
    const own = [[utf8ToBytes('n'), Uint8Array.of(9)]] as const
    expect(await read('get', [], override({ storage: { kind: 'change', entries: other } }))).toBe(5n)
    expect(await read('get', [], override({ storage: { kind: 'change', entries: own } }))).toBe(9n)
    expect(
      await read('get', [], override({ storage: { kind: 'change', entries: [[utf8ToBytes('n'), new Uint8Array(0)]] } })),
    ).toBe(0n)
    expect(await read('get', [], override({ storage: { kind: 'replace', entries: other } }))).toBe(0n)
    expect(await read('get', [], override({ storage: { kind: 'replace', entries: own } }))).toBe(9n)
    expect(await read('get')).toBe(5n)
  })

  it('of code replaces that of a contract, makes a contract of an account, and an account of a contract', async () => {
    const { world: made, contract, call, read, override, dataOf, valueOf } = world()
    made.commit((contracts) => contracts.call(contract, 'set', [5n]))
    const code = creationOf(source(' * 10n'), ABI)
    expect(await read('get', [], override({ code }))).toBe(50n)
    expect(await call('get', [], override({ code: new Uint8Array(0) }))).toMatchObject({
      kind: 'returned',
      data: new Uint8Array(0),
    })
    const elsewhere = made.request({ to: OTHER, data: dataOf('get') }, override({ code }, OTHER))
    expect(valueOf('get', await runCall(made.host, elsewhere))).toBe(0n)
  })

  it.each([
    ['EVM code', Uint8Array.of(0x60, 0x80), /contract code begins with 0xef51/],
    ['a container whose module throws', creationOf('throw new Error("broken")', ABI), /broken/],
    [
      'a container that lacks a function',
      creationOf('export default { functions: {} }', ABI),
      /but the module has no such function/,
    ],
    ['a container with more behind it', new Uint8Array([...creationOf(source(), ABI), 1]), /bytes follow/],
  ])('of code refuses %s', async (_, code, reason) => {
    const { call, override } = world()
    expect(await call('get', [], override({ code }))).toMatchObject({
      kind: 'refused',
      code: 'invalid-override',
      message: expect.stringMatching(reason),
    })
  })
})

describe('an estimate', () => {
  const estimateOf = async (made: CallWorld, call: Parameters<CallWorld['request']>[0], rest: Partial<CallRequest> = {}) =>
    estimateGas(made.host, made.request(call, rest))

  it('of a transfer is its intrinsic gas', async () => {
    const { world: made } = world()
    expect(await estimateOf(made, { to: OTHER, value: 1n as Wei })).toEqual({ kind: 'estimated', gas: 21_000 })
    expect(await estimateOf(made, { to: OTHER, value: 1_001n as Wei })).toMatchObject({ code: 'insufficient-funds' })
  })

  it('of a call is the gas that it uses; it fails as the call fails', async () => {
    const { world: made, contract, call, dataOf } = world()
    const run = await call('set', [5n])
    if (run.kind !== 'returned') throw new Error(run.kind)
    expect(await estimateOf(made, { to: contract.address, data: dataOf('set', [5n]) })).toEqual({
      kind: 'estimated',
      gas: run.gasUsed,
    })
    const refuse = { to: contract.address, data: dataOf('refuse', [3n]) }
    expect(await estimateOf(made, refuse)).toMatchObject({ kind: 'reverted', reason: 'Refused(3)' })
  })

  it('stays within what the chain, the call, the node and the balance allow', async () => {
    const made = new CallWorld({ feePolicy: 'burn', transactionGasMax: 3_000_000 as Gas })
    const contract = made.commit((contracts) => {
      contracts.fund(USER, 1_000_000n)
      return contracts.deploy(LINES, source())
    })
    const { dataOf } = readers(made, contract)
    const spin = { to: contract.address, data: dataOf('spin') }
    const allowance = async (call: object, rest: Partial<CallRequest> = {}) => {
      const outcome = await estimateOf(made, { ...spin, ...call }, rest)
      return outcome.kind === 'allowance' ? outcome.allowance : outcome.kind
    }
    expect(await allowance({})).toBe(3_000_000)
    expect(await allowance({}, { gasMax: 2_000_000 })).toBe(2_000_000)
    expect(await allowance({ gas: 1_500_000 })).toBe(1_500_000)
    expect(await allowance({ maxFeePerGas: 2n })).toBe(500_000)
    expect(await allowance({ maxFeePerGas: 1_000n })).toBe(1_000)
    expect(await allowance({ gas: 5 })).toBe(3_000_000)
  })
})
