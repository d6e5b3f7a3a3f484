import {
  type Abi,
  type Address,
  encodeAbiParameters,
  encodeDeployData,
  encodeFunctionData,
  getAddress,
  getContract,
  type Hex,
  keccak256,
  pad,
  parseAbi,
  parseAbiParameters,
  toHex,
  zeroHash,
} from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { otherCodeOf } from '../contracts/contract.mjs'
import { alice, bob, carol, dave, eventsOf, revertOf, STANDARDS, Stage, ZERO } from './harness.ts'

/** OpenZeppelin 5's TimelockController. */
const abi = parseAbi([
  'event CallScheduled(bytes32 indexed id, uint256 indexed index, address target, uint256 value, bytes data, bytes32 predecessor, uint256 delay)',
  'event CallExecuted(bytes32 indexed id, uint256 indexed index, address target, uint256 value, bytes data)',
  'event CallSalt(bytes32 indexed id, bytes32 salt)',
  'event Cancelled(bytes32 indexed id)',
  'event MinDelayChange(uint256 oldDuration, uint256 newDuration)',
  'event RoleGranted(bytes32 indexed role, address indexed account, address indexed sender)',
  'error TimelockInvalidOperationLength(uint256 targets, uint256 payloads, uint256 values)',
  'error TimelockInsufficientDelay(uint256 delay, uint256 minDelay)',
  'error TimelockUnexpectedOperationState(bytes32 operationId, bytes32 expectedStates)',
  'error TimelockUnexecutedPredecessor(bytes32 predecessorId)',
  'error TimelockUnauthorizedCaller(address caller)',
  'error AccessControlUnauthorizedAccount(address account, bytes32 neededRole)',
  'function PROPOSER_ROLE() view returns (bytes32)',
  'function EXECUTOR_ROLE() view returns (bytes32)',
  'function CANCELLER_ROLE() view returns (bytes32)',
  'function isOperation(bytes32 id) view returns (bool)',
  'function isOperationPending(bytes32 id) view returns (bool)',
  'function isOperationReady(bytes32 id) view returns (bool)',
  'function isOperationDone(bytes32 id) view returns (bool)',
  'function getTimestamp(bytes32 id) view returns (uint256)',
  'function getOperationState(bytes32 id) view returns (uint8)',
  'function getMinDelay() view returns (uint256)',
  'function hashOperation(address target, uint256 value, bytes data, bytes32 predecessor, bytes32 salt) pure returns (bytes32)',
  'function hashOperationBatch(address[] targets, uint256[] values, bytes[] payloads, bytes32 predecessor, bytes32 salt) pure returns (bytes32)',
  'function schedule(address target, uint256 value, bytes data, bytes32 predecessor, bytes32 salt, uint256 delay)',
  'function scheduleBatch(address[] targets, uint256[] values, bytes[] payloads, bytes32 predecessor, bytes32 salt, uint256 delay)',
  'function cancel(bytes32 id)',
  'function execute(address target, uint256 value, bytes payload, bytes32 predecessor, bytes32 salt) payable',
  'function executeBatch(address[] targets, uint256[] values, bytes[] payloads, bytes32 predecessor, bytes32 salt) payable',
  'function updateDelay(uint256 newDelay)',
  'function hasRole(bytes32 role, address account) view returns (bool)',
  'function grantRole(bytes32 role, address account)',
  'function supportsInterface(bytes4 interfaceId) view returns (bool)',
])
const targetAbi = parseAbi([
  'function set(uint256 number) payable returns (uint256)',
  'function fail(uint256 number) payable',
  'function failEmptily()',
  'function callBack(bytes data) payable',
  'function keep(bytes data)',
  'function callBackWithKept()',
  'function number() view returns (uint256)',
  'function caller() view returns (address)',
  'error Failed(uint256 number)',
])

const registryAbi = parseAbi(['function upgrade(address target, bytes container, bytes data)'])

const timelockAt = (address: Address) => getContract({ address, abi: [...abi, ...targetAbi], client: stage.client })
const targetAt = (address: Address) => getContract({ address, abi: targetAbi, client: stage.client })

let stage: Stage
let timelock: ReturnType<typeof timelockAt>
let target: ReturnType<typeof targetAt>
let created: Awaited<ReturnType<Stage['deployment']>>
const [a, b, c] = [alice.address, bob.address, carol.address]
const [PROPOSER, EXECUTOR, CANCELLER] = ['PROPOSER_ROLE', 'EXECUTOR_ROLE', 'CANCELLER_ROLE'].map((role) =>
  keccak256(toHex(role)),
) as [Hex, Hex, Hex]
const [UNSET, WAITING, READY, DONE] = [0, 1, 2, 3]
const DELAY = 100n
const SALT = pad('0x5a')

beforeAll(async () => {
  stage = await Stage.open('packages/contracts/src/standards/presets/timelock.ts', 'target')
})
afterAll(() => stage.close())
/** Alice proposes and may cancel, Bob executes, and only the timelock itself is an administrator. */
beforeEach(async () => {
  created = await stage.deployment('timelock', [DELAY, [a], [b], ZERO], dave)
  timelock = timelockAt(getAddress(created.contractAddress!))
  target = targetAt(await stage.deploy('target'))
})

type Single = readonly [target: Address, value: bigint, data: Hex, predecessor: Hex, salt: Hex]
const set = (number: bigint, value = 0n, predecessor: Hex = zeroHash, salt: Hex = SALT): Single => [
  ...([target.address, value] as const),
  encodeFunctionData({ abi: targetAbi, functionName: 'set', args: [number] }),
  ...([predecessor, salt] as const),
]
const idOf = (operation: Single) =>
  keccak256(encodeAbiParameters(parseAbiParameters('address, uint256, bytes, bytes32, bytes32'), [...operation]))
const schedule = (operation: Single, delay = DELAY) =>
  stage.done(timelock.write.schedule([...operation, delay], { account: alice }))
const execute = (operation: Single) => stage.done(timelock.write.execute([...operation], { account: bob }))
const lacks = (account: Address, role: Hex) => ['AccessControlUnauthorizedAccount', account, role]
/** The error for an operation that is in none of the expected states: one bit per state. */
const notIn = (id: Hex, ...states: readonly number[]) => [
  'TimelockUnexpectedOperationState',
  ...[
    id,
    toHex(
      states.reduce((bits, state) => bits | (1 << state), 0),
      { size: 32 },
    ),
  ],
]

describe('a timelock', () => {
  it('is set up by its constructor: proposers may cancel, it administers itself', async () => {
    const sender = dave.address
    expect(eventsOf(abi, created)).toEqual([
      ['RoleGranted', { role: zeroHash, account: timelock.address, sender }],
      ['RoleGranted', { role: PROPOSER, account: a, sender }],
      ['RoleGranted', { role: CANCELLER, account: a, sender }],
      ['RoleGranted', { role: EXECUTOR, account: b, sender }],
      ['MinDelayChange', { oldDuration: 0n, newDuration: DELAY }],
    ])
    expect(
      await Promise.all([timelock.read.PROPOSER_ROLE(), timelock.read.EXECUTOR_ROLE(), timelock.read.CANCELLER_ROLE()]),
    ).toEqual([...[PROPOSER, EXECUTOR, CANCELLER]])
    expect(await Promise.all([timelock.address, a, dave.address].map((who) => timelock.read.hasRole([zeroHash, who])))).toEqual([
      ...[true, false, false],
    ])
    expect(await timelock.read.getMinDelay()).toBe(DELAY)
    const ids = ['0x01ffc9a7', '0x7965db0b', '0x4e2312e0', '0xffffffff'] as const
    expect(await Promise.all(ids.map((id) => timelock.read.supportsInterface([id])))).toEqual([true, true, true, false])
  })

  it('has an additional admin if one is named', async () => {
    const other = timelockAt(await stage.deploy('timelock', [DELAY, [], [], c]))
    await stage.done(other.write.grantRole([PROPOSER, c], { account: carol }))
    expect(await other.read.hasRole([PROPOSER, c])).toBe(true)
  })

  it('hashes operations as abi.encode does', async () => {
    const operation = set(7n, 3n)
    expect(await timelock.read.hashOperation([...operation])).toBe(idOf(operation))
    const batch = [[a, b], [1n, 2n], ['0x', '0x0102'], zeroHash, SALT] as const
    const types = parseAbiParameters('address[], uint256[], bytes[], bytes32, bytes32')
    expect(await timelock.read.hashOperationBatch(batch)).toBe(keccak256(encodeAbiParameters(types, batch)))
  })
})

describe('an operation', () => {
  const stateOf = async (id: Hex) => {
    const [state, ...is] = await Promise.all([
      timelock.read.getOperationState([id]),
      timelock.read.isOperation([id]),
      timelock.read.isOperationPending([id]),
      timelock.read.isOperationReady([id]),
      timelock.read.isOperationDone([id]),
    ])
    return [state, ...is]
  }

  it('is unset, waiting, ready and done', async () => {
    const operation = set(7n)
    const id = idOf(operation)
    expect(await stateOf(id)).toEqual([UNSET, false, false, false, false])
    const scheduled = await schedule(operation)
    const [, , data, predecessor] = operation
    expect(eventsOf(abi, scheduled)).toEqual([
      ['CallScheduled', { id, index: 0n, target: target.address, value: 0n, data, predecessor, delay: DELAY }],
      ['CallSalt', { id, salt: SALT }],
    ])
    expect(scheduled.logs[0]!.topics).toHaveLength(3)
    expect(await stateOf(id)).toEqual([WAITING, true, true, false, false])
    const timestamp = (await stage.now()) + DELAY
    expect(await timelock.read.getTimestamp([id])).toBe(timestamp)
    expect(await revertOf(timelock.simulate.execute([...operation], { account: bob }))).toEqual(notIn(id, READY))
    await stage.client.setNextBlockTimestamp({ timestamp: timestamp - 1n })
    await stage.client.mine({ blocks: 1 })
    expect(await stateOf(id)).toEqual([WAITING, true, true, false, false])
    await stage.client.setNextBlockTimestamp({ timestamp })
    await stage.client.mine({ blocks: 1 })
    expect(await stateOf(id)).toEqual([READY, true, true, true, false])
    const executed = await execute(operation)
    expect(eventsOf(abi, executed)).toEqual([['CallExecuted', { id, index: 0n, target: target.address, value: 0n, data }]])
    expect(executed.logs[0]!.topics).toHaveLength(3)
    expect(await stateOf(id)).toEqual([DONE, true, false, false, true])
    expect(await Promise.all([target.read.number(), target.read.caller()])).toEqual([7n, timelock.address])
    expect(await timelock.read.getTimestamp([id])).toBe(1n)
  })

  it('is scheduled by proposers with the least delay at least, once; another salt makes it another one', async () => {
    const operation = set(7n)
    expect(await revertOf(timelock.simulate.schedule([...operation, DELAY], { account: bob }))).toEqual(lacks(b, PROPOSER))
    expect(await revertOf(timelock.simulate.schedule([...operation, DELAY - 1n], { account: alice }))).toEqual([
      'TimelockInsufficientDelay',
      ...[DELAY - 1n, DELAY],
    ])
    await schedule(operation)
    expect(await revertOf(timelock.simulate.schedule([...operation, DELAY], { account: alice }))).toEqual(
      notIn(idOf(operation), UNSET),
    )
    const unsalted = await schedule(set(7n, 0n, zeroHash, zeroHash), DELAY + 5n)
    expect(eventsOf(abi, unsalted).map(([name]) => name)).toEqual(['CallScheduled'])
    await stage.pass(Number(DELAY))
    await execute(operation)
    expect(await revertOf(timelock.simulate.execute([...operation], { account: bob }))).toEqual(notIn(idOf(operation), READY))
    expect(await revertOf(timelock.simulate.schedule([...operation, DELAY], { account: alice }))).toEqual(
      notIn(idOf(operation), UNSET),
    )
  })

  it('is executed by executors, or by everybody where the zero address is one', async () => {
    const operation = set(7n)
    await schedule(operation)
    await stage.pass(Number(DELAY))
    expect(await revertOf(timelock.simulate.execute([...operation], { account: carol }))).toEqual(lacks(c, EXECUTOR))
    const open = timelockAt(await stage.deploy('timelock', [0n, [a], [ZERO], ZERO]))
    await stage.done(open.write.schedule([...operation, 0n], { account: alice }))
    await stage.done(open.write.execute([...operation], { account: carol }))
    expect(await target.read.caller()).toBe(open.address)
  })

  it('is cancelled by cancellers while it is pending, and may be scheduled again', async () => {
    const operation = set(7n)
    const id = idOf(operation)
    expect(await revertOf(timelock.simulate.cancel([id], { account: alice }))).toEqual(notIn(id, WAITING, READY))
    await schedule(operation)
    expect(await revertOf(timelock.simulate.cancel([id], { account: bob }))).toEqual(lacks(b, CANCELLER))
    const cancelled = await stage.done(timelock.write.cancel([id], { account: alice }))
    expect(eventsOf(abi, cancelled)).toEqual([['Cancelled', { id }]])
    expect(cancelled.logs[0]!.topics).toHaveLength(2)
    await stage.pass(Number(DELAY))
    expect(await revertOf(timelock.simulate.execute([...operation], { account: bob }))).toEqual(notIn(id, READY))
    await schedule(operation)
    await stage.pass(Number(DELAY))
    await execute(operation)
    expect(await revertOf(timelock.simulate.cancel([id], { account: alice }))).toEqual(notIn(id, WAITING, READY))
  })

  it('waits for its predecessor to be done', async () => {
    const first = set(1n)
    const second = set(2n, 0n, idOf(first))
    await schedule(second)
    await stage.pass(Number(DELAY))
    const refusal = ['TimelockUnexecutedPredecessor', idOf(first)]
    expect(await revertOf(timelock.simulate.execute([...second], { account: bob }))).toEqual(refusal)
    await schedule(first)
    await stage.pass(Number(DELAY))
    expect(await revertOf(timelock.simulate.execute([...second], { account: bob }))).toEqual(refusal)
    await execute(first)
    await execute(second)
    expect(await target.read.number()).toBe(2n)
  })

  it("passes value on: the executor's, or the timelock's own", async () => {
    const operation = set(7n, 5n)
    await schedule(operation)
    await stage.pass(Number(DELAY))
    await stage.done(stage.client.sendTransaction({ to: timelock.address, value: 3n, account: carol }))
    await stage.done(timelock.write.execute([...operation], { account: bob, value: 2n }))
    expect(await Promise.all([target.address, timelock.address].map((address) => stage.client.getBalance({ address })))).toEqual([
      5n,
      0n,
    ])
  })

  it('that fails passes its error on, and stays ready', async () => {
    const data = encodeFunctionData({ abi: targetAbi, functionName: 'fail', args: [9n] })
    const operation: Single = [target.address, 0n, data, zeroHash, SALT]
    await schedule(operation)
    await stage.pass(Number(DELAY))
    expect(await revertOf(timelock.simulate.execute([...operation], { account: bob }))).toEqual(['Failed', 9n])
    await stage.failed(timelock.write.execute([...operation], { account: bob, gas: 3_000_000n }))
    expect(await timelock.read.getOperationState([idOf(operation)])).toBe(READY)
  })

  it('that fails with an empty error names the call', async () => {
    const data = encodeFunctionData({ abi: targetAbi, functionName: 'failEmptily' })
    const operation: Single = [target.address, 0n, data, zeroHash, SALT]
    await schedule(operation)
    await stage.pass(Number(DELAY))
    expect(await revertOf(timelock.simulate.execute([...operation], { account: bob }))).toBe(
      `the call of ${target.address} failed without a reason`,
    )
  })

  it('cannot be executed again by what it calls', async () => {
    const inner = set(7n)
    const again = encodeFunctionData({ abi, functionName: 'execute', args: [...inner] })
    const data = encodeFunctionData({ abi: targetAbi, functionName: 'callBack', args: [again] })
    const operation: Single = [target.address, 0n, data, zeroHash, SALT]
    const everybody = timelockAt(await stage.deploy('timelock', [0n, [a], [ZERO], ZERO]))
    for (const one of [inner, operation]) await stage.done(everybody.write.schedule([...one, 0n], { account: alice }))
    expect(await revertOf(everybody.simulate.execute([...operation], { account: bob }))).toMatch(/reentrant call refused/)
  })

  it('is done while its calls run: they can neither cancel it nor schedule it again', async () => {
    const trusting = timelockAt(await stage.deploy('timelock', [0n, [a, target.address], [b], ZERO]))
    // An operation's identifier is a hash of its calldata, so the calldata cannot contain it.
    const data = encodeFunctionData({ abi: targetAbi, functionName: 'callBackWithKept' })
    const operation: Single = [target.address, 0n, data, zeroHash, SALT]
    const id = idOf(operation)
    await stage.done(trusting.write.schedule([...operation, 0n], { account: alice }))
    const whenItCalls = async (kept: Hex) => {
      await stage.done(target.write.keep([kept], { account: carol }))
      return revertOf(trusting.simulate.execute([...operation], { account: bob }))
    }
    const cancelling = encodeFunctionData({ abi, functionName: 'cancel', args: [id] })
    expect(await whenItCalls(cancelling)).toEqual(notIn(id, WAITING, READY))
    const again = encodeFunctionData({ abi, functionName: 'schedule', args: [...operation, 0n] })
    expect(await whenItCalls(again)).toEqual(notIn(id, UNSET))
    // The same calls about another operation succeed.
    const other = encodeFunctionData({ abi, functionName: 'schedule', args: [...set(7n), 0n] })
    await stage.done(target.write.keep([other], { account: carol }))
    await stage.done(trusting.write.execute([...operation], { account: bob }))
    expect(await trusting.read.getOperationState([idOf(set(7n))])).toBe(READY)
  })
})

describe('a batch', () => {
  const batchOf = (...numbers: readonly bigint[]) =>
    [
      numbers.map(() => target.address),
      numbers.map(() => 1n),
      numbers.map((number) =>
        encodeFunctionData({ abi: targetAbi, functionName: number < 100n ? 'set' : 'fail', args: [number] }),
      ),
      ...([zeroHash, SALT] as const),
    ] as const

  it('is scheduled and executed as one operation', async () => {
    const batch = batchOf(1n, 2n)
    const id = await timelock.read.hashOperationBatch(batch)
    const scheduled = await stage.done(timelock.write.scheduleBatch([...batch, DELAY], { account: alice }))
    expect(eventsOf(abi, scheduled)).toMatchObject([
      ['CallScheduled', { id, index: 0n, value: 1n, delay: DELAY }],
      ['CallScheduled', { id, index: 1n, value: 1n, delay: DELAY }],
      ['CallSalt', { id, salt: SALT }],
    ])
    expect(await revertOf(timelock.simulate.executeBatch(batch, { account: bob, value: 2n }))).toEqual(notIn(id, READY))
    await stage.pass(Number(DELAY))
    expect(await revertOf(timelock.simulate.executeBatch(batch, { account: carol, value: 2n }))).toEqual(lacks(c, EXECUTOR))
    const executed = await stage.done(timelock.write.executeBatch(batch, { account: bob, value: 2n }))
    expect(eventsOf(abi, executed)).toMatchObject([
      ['CallExecuted', { id, index: 0n }],
      ['CallExecuted', { id, index: 1n }],
    ])
    expect(await Promise.all([target.read.number(), stage.client.getBalance({ address: target.address })])).toEqual([2n, 2n])
  })

  it('is undone as a whole when one call fails', async () => {
    const batch = batchOf(1n, 100n)
    await stage.done(timelock.write.scheduleBatch([...batch, DELAY], { account: alice }))
    await stage.pass(Number(DELAY))
    expect(await revertOf(timelock.simulate.executeBatch(batch, { account: bob, value: 2n }))).toEqual(['Failed', 100n])
    await stage.failed(timelock.write.executeBatch(batch, { account: bob, value: 2n, gas: 3_000_000n }))
    expect(await target.read.number()).toBe(0n)
  })

  it('refuses lists of different lengths', async () => {
    const [targets, values, payloads, predecessor, salt] = batchOf(1n, 2n)
    const refusal = (t: number, p: number, v: number) => ['TimelockInvalidOperationLength', BigInt(t), BigInt(p), BigInt(v)]
    const short = [targets, values.slice(1), payloads, predecessor, salt] as const
    expect(await revertOf(timelock.simulate.scheduleBatch([...short, DELAY], { account: alice }))).toEqual(refusal(2, 2, 1))
    expect(await revertOf(timelock.simulate.executeBatch([targets, values, [], predecessor, salt], { account: bob }))).toEqual(
      refusal(2, 0, 2),
    )
  })
})

describe('self-administration', () => {
  const own = (data: Hex): Single => [timelock.address, 0n, data, zeroHash, SALT]

  it('changes the delay by an operation, and by nothing else', async () => {
    expect(await revertOf(timelock.simulate.updateDelay([1n], { account: alice }))).toEqual(['TimelockUnauthorizedCaller', a])
    const operation = own(encodeFunctionData({ abi, functionName: 'updateDelay', args: [1n] }))
    await schedule(operation)
    await stage.pass(Number(DELAY))
    const receipt = await execute(operation)
    expect(eventsOf(abi, receipt)).toMatchObject([
      ['MinDelayChange', { oldDuration: DELAY, newDuration: 1n }],
      ['CallExecuted', { id: idOf(operation) }],
    ])
    expect(await timelock.read.getMinDelay()).toBe(1n)
    await schedule(set(7n), 1n)
  })

  it('grants roles by operations', async () => {
    const operation = own(encodeFunctionData({ abi, functionName: 'grantRole', args: [PROPOSER, c] }))
    await schedule(operation)
    await stage.pass(Number(DELAY))
    await execute(operation)
    expect(await timelock.read.hasRole([PROPOSER, c])).toBe(true)
    expect(await revertOf(timelock.simulate.grantRole([PROPOSER, b], { account: alice }))).toEqual(lacks(a, zeroHash))
  })

  it('schedules and cancels by operations, also within a batch', async () => {
    const [later, unwanted] = [set(7n), set(8n)]
    await schedule(unwanted)
    const calls = [
      encodeFunctionData({ abi, functionName: 'schedule', args: [...later, DELAY] }),
      encodeFunctionData({ abi, functionName: 'cancel', args: [idOf(unwanted)] }),
      encodeFunctionData({ abi, functionName: 'grantRole', args: [PROPOSER, c] }),
    ]
    for (const role of [PROPOSER, CANCELLER]) {
      const granting = own(encodeFunctionData({ abi, functionName: 'grantRole', args: [role, timelock.address] }))
      await schedule(granting)
      await stage.pass(Number(DELAY))
      await execute(granting)
    }
    const batch = [calls.map(() => timelock.address), calls.map(() => 0n), calls, zeroHash, SALT] as const
    await stage.done(timelock.write.scheduleBatch([...batch, DELAY], { account: alice }))
    await stage.pass(Number(DELAY))
    await stage.done(timelock.write.executeBatch(batch, { account: bob }))
    expect(await Promise.all([later, unwanted].map((one) => timelock.read.getOperationState([idOf(one)])))).toEqual([
      WAITING,
      UNSET,
    ])
    await stage.pass(Number(DELAY))
    await execute(later)
    expect(await target.read.number()).toBe(7n)
  })

  it('cannot execute an operation within another one, and says so when that is scheduled', async () => {
    const single = encodeFunctionData({ abi, functionName: 'execute', args: [...set(7n)] })
    const many = encodeFunctionData({ abi, functionName: 'executeBatch', args: [[], [], [], zeroHash, SALT] })
    for (const data of [single, many]) {
      const refused = timelock.simulate.schedule([...own(data), DELAY], { account: alice })
      expect(await revertOf(refused)).toMatch(/^an operation cannot execute another one: schedule them separately/)
    }
    // Another contract may have a function of the same name.
    await schedule([target.address, 0n, single, zeroHash, SALT])
  })
})

describe('limits that docs/standards.md states', () => {
  const [, proposers, executors] = /(\d+)\s+proposers and (\d+) executors/.exec(STANDARDS)!.map(Number) as [
    number,
    number,
    number,
  ]
  const others = (count: number, from: number) => Array.from({ length: count }, (_, i) => toHex(i + from, { size: 20 }))
  const gasOf = (count: number) => {
    const { abi: built, ...preset } = stage.built('timelock')
    const bytecode = otherCodeOf(preset.bytecode)
    const args = [DELAY, others(count, 1_000), others(executors, 2_000), a]
    return stage.client.estimateGas({ account: dave, data: encodeDeployData({ abi: built as Abi, bytecode, args }) })
  }

  it('a deployment takes as many proposers and executors, for that much gas, and no more', async () => {
    const [, gas] = /executors it takes about ([\d,]+) gas/.exec(STANDARDS)!
    expect(Number(await gasOf(proposers)) / Number(gas!.replaceAll(',', ''))).toBeCloseTo(1, 1)
    await expect(gasOf(proposers + 1)).rejects.toThrow(/a transaction has at most 1024 logs/)
  })

  it('a deployment with many of them gives all their roles', async () => {
    const full = timelockAt(await stage.deploy('timelock', [DELAY, others(50, 1_000), others(50, 2_000), a], dave))
    expect(await full.read.hasRole([CANCELLER, others(1, 1_049)[0]!])).toBe(true)
    expect(await full.read.hasRole([EXECUTOR, others(1, 2_049)[0]!])).toBe(true)
  })

  it('an upgrade is scheduled with as much code, and not much more', async () => {
    const [, bytes] = /schedule a container of at most \*\*([\d,]+) bytes/.exec(STANDARDS)!
    const most = Number(bytes!.replaceAll(',', ''))
    const scheduling = (size: number) => {
      const call = encodeFunctionData({ abi: registryAbi, functionName: 'upgrade', args: [a, `0x${'ab'.repeat(size)}`, '0x'] })
      return revertOf(timelock.simulate.schedule([target.address, 0n, call, zeroHash, SALT, DELAY], { account: alice }))
    }
    await expect(scheduling(most)).rejects.toThrow('the call succeeded')
    expect(await scheduling(most + 1_024)).toMatch(/data takes \d+ bytes, at most 131072/)
  })
})
