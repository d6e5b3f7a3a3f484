import { bytesToHex, type Hex, hexToBytes, utf8ToBytes } from '@quoin/protocol'
import { type Abi, encodeErrorResult, encodeFunctionData, encodeFunctionResult } from 'viem'
import { describe, expect, it } from 'vitest'
import { CallWorld } from '../../test/call-world.ts'
import { abiOf, creationOf, type TestContract, USER } from '../../test/contracts.ts'
import { type Call, runCall } from '../call/index.ts'
import { MESSAGE_LIMITS } from '../contract/message-limits.ts'
import { MULTICALL_ABI, MULTICALL_ADDRESS } from '../contract/native/multicall.ts'
import type { CallFrame, FrameEnd } from './call-frame.ts'
import { TRACE_LIMITS } from './limits.ts'
import { type CallTraceRequest, runTrace, type Tracer } from './trace.ts'
import type { UsedAccountState } from './used-state.ts'

const LINES = [
  'event Added(uint256 n)',
  'error Refused(uint256 n)',
  'function add(uint256 n) payable returns (uint256)',
  'function total() view returns (uint256)',
  'function refuse(uint256 n)',
  'function complain()',
  'function spin()',
  'function relay(address to, bytes data) payable returns (bytes)',
  'function peek(address to, bytes data) view returns (bytes)',
  'function attempt(address to, bytes data, uint256 gas)',
  'function around(address to, bytes data)',
  'function many(address to, uint256 count)',
  'function make(bytes container) returns (address)',
  'function fall(address to, bytes data)',
]
const SOURCE = `export default { functions: {
  add(n) {
    const sum = quoin.load('uint256', 'n') + n
    quoin.store('uint256', 'n', sum); quoin.emit('Added', n)
    return sum
  },
  total: () => quoin.load('uint256', 'n'),
  refuse(n) { quoin.store('uint256', 'n', n); quoin.emit('Added', n); quoin.revert('Refused', n) },
  complain() { throw new Error('not today') },
  spin() { for (;;); },
  relay: (to, data) => quoin.callRaw(to, data, { value: quoin.value }),
  peek: (to, data) => quoin.staticCallRaw(to, data),
  attempt(to, data, gas) { try { quoin.callRaw(to, data, { gas }) } catch {} },
  around(to, data) {
    quoin.emit('Added', 1n)
    try { quoin.callRaw(to, data) } catch {}
    quoin.emit('Added', 2n)
  },
  many(to, count) { for (let i = 0n; i < count; i++) try { quoin.callRaw(to, new Uint8Array()) } catch {} },
  make: (container) => quoin.create(container),
  fall(to, data) { quoin.callRaw(to, data); throw new Error('after all') },
} }`
const ABI = abiOf(LINES)

const data = (functionName: string, ...args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: ABI, functionName, args } as never)
const result = (functionName: string, value: unknown): Hex =>
  encodeFunctionResult({ abi: ABI, functionName, result: value } as never)

function world() {
  const made = new CallWorld()
  const [a, b] = made.commit((contracts): readonly [TestContract, TestContract] => {
    contracts.fund(USER, 1_000n)
    return [contracts.deploy(LINES, SOURCE), contracts.deploy(LINES, SOURCE)]
  })
  const request = (call: Partial<Call>, tracer: Tracer, rest: Partial<CallTraceRequest> = {}): CallTraceRequest => {
    const { call: whole, block, stateOverrides, blockOverrides, gasMax } = made.request({ to: a.address, ...call } as never)
    return { kind: 'call', tracer, call: whole, block, stateOverrides, blockOverrides, gasMax, replay: undefined, ...rest }
  }
  const run = (call: Partial<Call>, tracer: Tracer, rest?: Partial<CallTraceRequest>) =>
    runTrace(made.host, request(call, tracer, rest))
  const frameOf = async (call: Partial<Call>, options = {}): Promise<CallFrame> => {
    const outcome = await run(call, { kind: 'calls', onlyTopCall: false, withLog: false, ...options })
    const trace = outcome.kind === 'traced' ? outcome.traces[0]?.trace : undefined
    if (trace?.kind !== 'calls') throw new Error(JSON.stringify(outcome))
    return trace.frame
  }
  const send = (functionName: string, ...args: readonly unknown[]) => frameOf({ data: hexToBytes(data(functionName, ...args)) })
  return { made, a: a.address, b: b.address, request, run, frameOf, send }
}

const outputOf = ({ end }: CallFrame): Hex => bytesToHex(end.output)
const failureOf = ({ end }: CallFrame): Exclude<FrameEnd, { kind: 'returned' }> => {
  if (end.kind === 'returned') throw new Error('the frame has not failed')
  return end
}

describe('call frames', () => {
  it('nest, with who called whom, what came back, and gas that fits', async () => {
    const { a, b, send } = world()
    const inner = data('add', 5n)
    const frame = await send('relay', b, inner)
    expect(frame).toMatchObject({ kind: 'call', from: USER, to: a, value: 0n, gas: 100_000_000, logs: [] })
    expect(outputOf(frame)).toBe(result('relay', result('add', 5n)))
    const [call] = frame.calls as [CallFrame]
    expect(frame.calls).toHaveLength(1)
    expect(call).toMatchObject({ kind: 'call', from: a, to: b, calls: [] })
    expect([bytesToHex(call.input), outputOf(call)]).toEqual([inner, result('add', 5n)])
    expect(call.gas).toBeLessThan(frame.gas)
    expect(call.gasUsed).toBeGreaterThan(0)
    expect(call.gasUsed).toBeLessThan(frame.gasUsed - 21_000)
  })

  it('are the same whether they are observed or not', async () => {
    const { made, request, frameOf, b } = world()
    for (const one of [data('relay', b, data('add', 5n)), data('attempt', b, data('refuse', 3n), 900_000n), data('spin')]) {
      const call = { data: hexToBytes(one), gas: 2_000_000 }
      const { block, stateOverrides, blockOverrides, gasMax, call: whole } = request(call, { kind: 'state', ...WITH_ALL })
      const outcome = await runCall(made.host, { call: whole, block, stateOverrides, blockOverrides, gasMax })
      const frame = await frameOf(call)
      expect(outcome.kind === 'refused' ? undefined : outcome.gasUsed).toBe(frame.gasUsed)
      expect(frame.end.kind).toBe(outcome.kind)
    }
  })

  it('tell a static call, and calls that are static because their caller is', async () => {
    const { b, a, send } = world()
    const outer = await send('relay', b, data('peek', a, data('peek', b, data('total'))))
    const kinds = (one: CallFrame): readonly unknown[] => [one.kind, ...one.calls.map(kinds)]
    expect(kinds(outer)).toEqual(['call', ['call', ['static-call', ['static-call']]]])
  })

  it('that fail have the error, the text and the stack in their own contract', async () => {
    const { b, send } = world()
    const frame = await send('relay', b, data('complain'))
    const [call] = frame.calls as [CallFrame]
    expect(failureOf(call)).toMatchObject({ kind: 'reverted', reason: 'not today' })
    expect(failureOf(call).stack).toMatch(/at complain .*:9:/)
    // The caller did not catch it: the same data, and its own stack.
    expect(outputOf(frame)).toBe(outputOf(call))
    expect(failureOf(frame).stack).toMatch(/at relay .*:11:/)
    const refused = await send('attempt', b, data('refuse', 3n), 900_000n)
    expect(refused.end.kind).toBe('returned')
    expect(outputOf(refused.calls[0]!)).toBe(encodeErrorResult({ abi: ABI, errorName: 'Refused', args: [3n] } as never))
    // A failure that no exception caused has no stack, even below a contract that has one.
    const nobody = await send('relay', MULTICALL_ADDRESS, '0x12345678')
    expect(failureOf(nobody.calls[0]!).stack).toBeUndefined()
    expect(failureOf(nobody).stack).toMatch(/at relay/)
  })

  it('that run out of gas used all of theirs, and their callers go on', async () => {
    const { b, send, frameOf } = world()
    const frame = await send('attempt', b, data('spin'), 500_000n)
    const [call] = frame.calls as [CallFrame]
    expect(frame.end.kind).toBe('returned')
    expect(call).toMatchObject({ gas: 500_000, gasUsed: 500_000, calls: [] })
    expect(failureOf(call)).toMatchObject({
      kind: 'out-of-gas',
      reason: 'out of gas',
      detail: expect.stringMatching(/^spin used/),
    })
    const whole = await frameOf({ data: hexToBytes(data('spin')), gas: 300_000 })
    expect(whole).toMatchObject({ gas: 300_000, gasUsed: 300_000, end: { kind: 'out-of-gas' } })
  })

  it('of creations have the address and the code, or no address if they failed', async () => {
    const { a, send, frameOf } = world()
    const container = creationOf(SOURCE, ABI)
    const made = await send('make', bytesToHex(container))
    const [creation] = made.calls as [CallFrame]
    expect(creation).toMatchObject({ kind: 'create', from: a, input: container })
    expect(outputOf(made)).toBe(result('make', creation.to))
    expect(outputOf(creation)).toBe(bytesToHex(container))
    const failed = await frameOf({ to: undefined, data: creationOf('throw new Error("no")\nexport default {}', []) } as never)
    expect(failed).toMatchObject({ kind: 'create', to: undefined })
    expect(failureOf(failed).stack).toMatch(/:1:/)
    const constructor = creationOf('export default { constructor() { throw new Error("bad") } }', abiOf(['constructor()']))
    const thrown = await frameOf({ to: undefined, data: constructor } as never)
    expect(thrown).toMatchObject({
      kind: 'create',
      to: undefined,
      end: { reason: 'bad', stack: expect.stringContaining('constructor') },
    })
  })

  it('include native contracts and the calls that they send', async () => {
    const { a, b, frameOf } = world()
    const calls = [
      { target: a, allowFailure: false, callData: data('add', 5n) },
      { target: b, allowFailure: true, callData: data('refuse', 3n) },
    ]
    const input = hexToBytes(encodeFunctionData({ abi: MULTICALL_ABI as Abi, functionName: 'aggregate3', args: [calls] }))
    const frame = await frameOf({ to: MULTICALL_ADDRESS, data: input })
    expect(frame).toMatchObject({ kind: 'call', to: MULTICALL_ADDRESS, end: { kind: 'returned' } })
    expect(frame.calls.map(({ from, to, end }) => [from, to, end.kind])).toEqual([
      [MULTICALL_ADDRESS, a, 'returned'],
      [MULTICALL_ADDRESS, b, 'reverted'],
    ])
    // A native contract passes on the failure, but the stack belongs to the contract below.
    const strict = encodeFunctionData({
      abi: MULTICALL_ABI as Abi,
      functionName: 'aggregate3',
      args: [[{ target: b, allowFailure: false, callData: data('complain') }]],
    })
    const failed = await frameOf({ to: MULTICALL_ADDRESS, data: hexToBytes(strict) })
    expect(failureOf(failed)).toMatchObject({ reason: 'Multicall3: call failed', stack: undefined })
    expect(failureOf(failed.calls[0]!).stack).toMatch(/at complain/)
  })

  it('end at the maximum depth', async () => {
    const { b, a, send } = world()
    let inner = data('total')
    for (let depth = 0; depth < MESSAGE_LIMITS.callDepthMax + 2; depth++) inner = data('peek', depth % 2 === 0 ? a : b, inner)
    let frame = await send('peek', b, inner)
    let depth = 1
    for (; frame.calls.length > 0; depth++) frame = frame.calls[0]!
    expect(depth).toBe(MESSAGE_LIMITS.callDepthMax + 1)
    expect(failureOf(frame).reason).toMatch(/^max call depth exceeded/)
  })

  it('have logs in their places, without reverted ones', async () => {
    const { b, frameOf } = world()
    const logged = async (...args: readonly unknown[]) =>
      frameOf({ data: hexToBytes(data('around', ...args)) }, { withLog: true })
    const shown = (frame: CallFrame) => frame.logs.map((log) => [BigInt(bytesToHex(log.data)), log.index, log.position])
    const frame = await logged(b, data('add', 9n))
    expect(shown(frame)).toEqual([
      [1n, 0, 0],
      [2n, 2, 1],
    ])
    expect(shown(frame.calls[0]!)).toEqual([[9n, 1, 0]])
    expect(frame.calls[0]!.logs[0]!.address).toBe(b)
    const reverted = await logged(b, data('refuse', 9n))
    expect(shown(reverted)).toEqual([
      [1n, 0, 0],
      [2n, 1, 1],
    ])
    expect(reverted.calls[0]!.logs).toEqual([])
    // The inner frame succeeds, and what it did is undone because its caller fails.
    const undone = await frameOf({ data: hexToBytes(data('fall', b, data('add', 9n))) }, { withLog: true })
    expect(undone.calls[0]).toMatchObject({ end: { kind: 'returned' }, logs: [] })
    const top = await frameOf({ data: hexToBytes(data('around', b, data('add', 9n))) }, { withLog: true, onlyTopCall: true })
    expect([shown(top), top.calls]).toEqual([
      [
        [1n, 0, 0],
        [2n, 2, 0],
      ],
      [],
    ])
  })

  it('are refused above their limit', async () => {
    const { b, run } = world()
    const calls: Tracer = { kind: 'calls', onlyTopCall: false, withLog: false }
    const many = { data: hexToBytes(data('many', b, BigInt(TRACE_LIMITS.framesMax))), gas: 1e9 }
    expect(await run(many, calls, { gasMax: 1e9 })).toMatchObject({ kind: 'refused', code: 'too-large' })
    expect(await run(many, { ...calls, onlyTopCall: true }, { gasMax: 1e9 })).toMatchObject({ kind: 'traced' })
  })

  it('are not made for a call that cannot run', async () => {
    const { run, made, request } = world()
    const tracer: Tracer = { kind: 'calls', onlyTopCall: false, withLog: false }
    expect(await run({ value: 1_001n as never }, tracer)).toMatchObject({ kind: 'refused', code: 'insufficient-funds' })
    expect(await run({ gas: 20_999 }, tracer)).toMatchObject({ kind: 'refused', code: 'intrinsic-gas-too-low' })
    const cancelled = await runTrace(made.host, request({}, tracer), () => true)
    expect(cancelled).toMatchObject({ kind: 'refused', code: 'cancelled' })
  })
})

const WITH_ALL = { withCode: true, withStorage: true }

describe('used state', () => {
  const stateOf = async ({ run }: ReturnType<typeof world>, call: Partial<Call>, options = {}, rest = {}) => {
    const outcome = await run(call, { kind: 'state', ...WITH_ALL, ...options }, rest)
    const trace = outcome.kind === 'traced' ? outcome.traces[0]?.trace : undefined
    if (trace?.kind !== 'state') throw new Error(JSON.stringify(outcome))
    return new Map(trace.accounts.map((account) => [account.address, account] as const))
  }
  const N = utf8ToBytes('n')

  it('has accounts and entries before and after, also those that were only read', async () => {
    const its = world()
    const { made, a, b } = its
    made.commit((contracts) => contracts.call({ address: b, abi: ABI }, 'add', [4n]))
    const found = await stateOf(its, { data: hexToBytes(data('relay', b, data('add', 5n))), value: 7n as never })
    expect([...found.keys()]).toEqual([...found.keys()].toSorted())
    expect(new Set(found.keys())).toEqual(new Set([USER, a, b, made.blockAt(0).proposer]))
    expect(found.get(USER)).toMatchObject({ before: { balance: 1_000n }, after: { balance: 993n } })
    expect(found.get(b)).toMatchObject({
      before: { balance: 0n },
      after: { balance: 7n },
      storage: [{ key: N, before: Uint8Array.of(4), after: Uint8Array.of(9) }],
    })
    expect(found.get(a)?.storage).toEqual([])
    expect(bytesToHex(found.get(a)!.before.code!)).toBe(bytesToHex(creationOf(SOURCE, ABI)))
    const read = await stateOf(its, { data: hexToBytes(data('total')), to: b })
    expect(read.get(b)?.storage).toEqual([{ key: N, before: Uint8Array.of(4), after: Uint8Array.of(4) }])
    expect(read.get(b)?.before).toEqual(read.get(b)?.after)
  })

  it('is that of a past block, with overrides as its past', async () => {
    const its = world()
    const { made, a } = its
    for (const n of [1n, 2n, 3n]) made.commit((contracts) => contracts.call({ address: a, abi: ABI }, 'add', [n]))
    const call = { data: hexToBytes(data('add', 10n)) }
    const entry = async (rest: object) => (await stateOf(its, call, {}, rest)).get(a)?.storage[0]
    expect(await entry({ block: made.blockAt(2) })).toMatchObject({ before: Uint8Array.of(1), after: Uint8Array.of(11) })
    const overrides = new Map([[a, { storage: { kind: 'change', entries: [[N, Uint8Array.of(50)]] } }]])
    expect(await entry({ stateOverrides: overrides })).toMatchObject({ before: Uint8Array.of(50), after: Uint8Array.of(60) })
    const replaced = new Map([[a, { storage: { kind: 'replace', entries: [] } }]])
    expect(await entry({ stateOverrides: replaced })).toMatchObject({ before: undefined, after: Uint8Array.of(10) })
  })

  it('leaves out code or storage on request, and undone writes', async () => {
    const its = world()
    const call = { data: hexToBytes(data('attempt', its.b, data('refuse', 3n), 900_000n)) }
    const found = await stateOf(its, call)
    expect(found.get(its.b)?.storage).toEqual([{ key: N, before: undefined, after: undefined }])
    const without = await stateOf(its, call, { withCode: false, withStorage: false })
    for (const { storage, before } of without.values() as Iterable<UsedAccountState>)
      expect([storage, before.code]).toEqual([[], undefined])
    expect(without.get(its.a)?.before.codeHash).toBeDefined()
  })

  it('has a created contract', async () => {
    const its = world()
    const found = await stateOf(its, { to: undefined, data: creationOf(SOURCE, ABI) } as never)
    const created = [...found.values()].find(({ before, after }) => before.codeHash !== after.codeHash)
    expect(created?.before).toEqual({ nonce: 0, balance: 0n, codeHash: undefined, code: undefined })
    expect(created?.after.nonce).toBe(1)
    expect(bytesToHex(created!.after.code!)).toBe(bytesToHex(creationOf(SOURCE, ABI)))
  })
})
