import {
  type Address,
  abiEncode,
  type ContextOf,
  encodeHex,
  keccak256,
  mapping,
  part,
  value,
  ZERO_ADDRESS,
} from '../kit/index.ts'
import { accessControl, checkRole, DEFAULT_ADMIN_ROLE, grantRole, hasRole, onlyRole, roleOf } from './access-control.ts'
import { callTarget } from './outgoing-call.ts'

/** Accounts with this role may schedule operations. */
export const PROPOSER_ROLE: Uint8Array = roleOf('PROPOSER_ROLE')
/** Accounts with this role may execute operations. If the zero address has it, everybody may. */
export const EXECUTOR_ROLE: Uint8Array = roleOf('EXECUTOR_ROLE')
/** Accounts with this role may cancel operations. */
export const CANCELLER_ROLE: Uint8Array = roleOf('CANCELLER_ROLE')

/** An operation's timestamp: 0 if it is unknown, 1 if it is done, else the time from which it is ready, in seconds since 1970. */
const DONE_TIMESTAMP = 1n

const OPERATION_STATE = { unset: 0n, waiting: 1n, ready: 2n, done: 3n }

const schedule = part({
  uses: [accessControl],
  abi: [
    'event CallScheduled(bytes32 indexed id, uint256 indexed index, address target, uint256 value, bytes data, bytes32 predecessor, uint256 delay)',
    'event CallExecuted(bytes32 indexed id, uint256 indexed index, address target, uint256 value, bytes data)',
    'event CallSalt(bytes32 indexed id, bytes32 salt)',
    'event Cancelled(bytes32 indexed id)',
    'event MinDelayChange(uint256 oldDuration, uint256 newDuration)',
    'error TimelockInvalidOperationLength(uint256 targets, uint256 payloads, uint256 values)',
    'error TimelockInsufficientDelay(uint256 delay, uint256 minDelay)',
    'error TimelockUnexpectedOperationState(bytes32 operationId, bytes32 expectedStates)',
    'error TimelockUnexecutedPredecessor(bytes32 predecessorId)',
    'error TimelockUnauthorizedCaller(address caller)',
  ],
  state: { timestamps: mapping('bytes32', 'uint256'), minDelay: value('uint256') },
})

type Context = ContextOf<typeof schedule>
type ReadContext = ContextOf<typeof schedule, 'view'>

/** A list of calls that are executed together, in order. */
interface Operation {
  readonly id: Uint8Array
  readonly targets: readonly Address[]
  readonly values: readonly bigint[]
  readonly payloads: readonly Uint8Array[]
  readonly predecessor: Uint8Array
}

/**
 * For the constructor. Proposers may also cancel. The contract administers its own roles with operations that are delayed like all others.
 *
 * @param minDelay in seconds
 * @param admin may administer roles without delay until it renounces its role; the zero address: no admin
 */
export function initTimelock(
  context: Context,
  minDelay: bigint,
  proposers: readonly Address[],
  executors: readonly Address[],
  admin: Address = ZERO_ADDRESS,
): void {
  grantRole(context, DEFAULT_ADMIN_ROLE, context.self)
  if (admin !== ZERO_ADDRESS) grantRole(context, DEFAULT_ADMIN_ROLE, admin)
  for (const proposer of proposers) {
    grantRole(context, PROPOSER_ROLE, proposer)
    grantRole(context, CANCELLER_ROLE, proposer)
  }
  for (const executor of executors) grantRole(context, EXECUTOR_ROLE, executor)
  setMinDelay(context, minDelay)
}

function setMinDelay({ state, emit }: Context, delay: bigint): void {
  emit.MinDelayChange(state.minDelay.get(), delay)
  state.minDelay.set(delay)
}

function stateOf({ state, block }: ReadContext, id: Uint8Array): bigint {
  const timestamp = state.timestamps.get(id)
  if (timestamp === 0n) return OPERATION_STATE.unset
  if (timestamp === DONE_TIMESTAMP) return OPERATION_STATE.done
  return timestamp > block.timestamp ? OPERATION_STATE.waiting : OPERATION_STATE.ready
}

/** Checks that an operation is in one of the expected states. The error contains a bit for each of them. */
function requireState(context: ReadContext, id: Uint8Array, ...expected: readonly bigint[]): void {
  if (expected.includes(stateOf(context, id))) return
  const bitmap = new Uint8Array(32)
  for (const state of expected) bitmap[31]! |= 1 << Number(state)
  throw context.revert.TimelockUnexpectedOperationState(id, bitmap)
}

/**
 * Selectors of `execute` and `executeBatch`. They are not re-entrant: an operation counts as done when its calls begin, so that one which waits for it could
 * run in the middle of it.
 */
const EXECUTING = ['0x134008d3', '0xe38335e5']

const isZero = (word: Uint8Array): boolean => word.every((byte) => byte === 0)

function scheduleAll(
  context: Context,
  { id, targets, values, payloads, predecessor }: Operation,
  salt: Uint8Array,
  delay: bigint,
): void {
  const { state, emit, revert, block, self } = context
  requireState(context, id, OPERATION_STATE.unset)
  targets.forEach((target, i) => {
    if (target === self && EXECUTING.includes(encodeHex(payloads[i]!.slice(0, 4))))
      throw new Error(
        'an operation cannot execute another one: schedule them separately, the later one with the earlier one as its predecessor',
      )
  })
  const minDelay = state.minDelay.get()
  if (delay < minDelay) throw revert.TimelockInsufficientDelay(delay, minDelay)
  state.timestamps.set(id, block.timestamp + delay)
  targets.forEach((target, i) => {
    emit.CallScheduled(id, BigInt(i), target, values[i]!, payloads[i]!, predecessor, delay)
  })
  if (!isZero(salt)) emit.CallSalt(id, salt)
}

/** Marks the operation as done before it makes the calls, so that they cannot execute it again. A call that fails reverts everything. */
function executeAll(context: Context, { id, targets, values, payloads, predecessor }: Operation): void {
  const { state, emit, revert } = context
  requireState(context, id, OPERATION_STATE.ready)
  if (!isZero(predecessor) && stateOf(context, predecessor) !== OPERATION_STATE.done)
    throw revert.TimelockUnexecutedPredecessor(predecessor)
  state.timestamps.set(id, DONE_TIMESTAMP)
  targets.forEach((target, i) => {
    callTarget(target, values[i]!, payloads[i]!)
    emit.CallExecuted(id, BigInt(i), target, values[i]!, payloads[i]!)
  })
}

type Single = readonly [target: Address, value: bigint, data: Uint8Array, predecessor: Uint8Array, salt: Uint8Array]
type Batch = readonly [
  targets: readonly Address[],
  values: readonly bigint[],
  payloads: readonly Uint8Array[],
  predecessor: Uint8Array,
  salt: Uint8Array,
]

const hashSingle = (...operation: Single): Uint8Array => keccak256(abiEncode('address,uint256,bytes,bytes32,bytes32', operation))

const hashBatch = (...operation: Batch): Uint8Array =>
  keccak256(abiEncode('address[],uint256[],bytes[],bytes32,bytes32', operation))

const single = (...[target, amount, data, predecessor, salt]: Single): Operation => ({
  ...{ id: hashSingle(target, amount, data, predecessor, salt), targets: [target], values: [amount], payloads: [data] },
  predecessor,
})

function batch({ revert }: Context, ...[targets, values, payloads, predecessor, salt]: Batch): Operation {
  if (targets.length !== values.length || targets.length !== payloads.length)
    throw revert.TimelockInvalidOperationLength(BigInt(targets.length), BigInt(payloads.length), BigInt(values.length))
  return { id: hashBatch(targets, values, payloads, predecessor, salt), targets, values, payloads, predecessor }
}

const onlyExecutor = (context: ReadContext): void => {
  if (!hasRole(context, EXECUTOR_ROLE, ZERO_ADDRESS)) checkRole(context, EXECUTOR_ROLE, context.sender)
}

/**
 * A time lock: it calls other contracts for its proposers, after a delay in which everybody can see the scheduled calls. It has the interface of
 * OpenZeppelin's TimelockController. Its assets can only be moved by scheduled operations. All functions that write are re-entrant, because it may call
 * them itself, except `execute` and `executeBatch`.
 */
export const timelock = part({
  uses: [schedule],
  abi: [
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
  ],
  reentrant: ['schedule', 'scheduleBatch', 'cancel', 'updateDelay', 'grantRole', 'revokeRole', 'renounceRole'],
  modifiers: {
    schedule: [onlyRole(PROPOSER_ROLE)],
    scheduleBatch: [onlyRole(PROPOSER_ROLE)],
    cancel: [onlyRole(CANCELLER_ROLE)],
    execute: [onlyExecutor],
    executeBatch: [onlyExecutor],
  },
  functions: {
    PROPOSER_ROLE: () => PROPOSER_ROLE,
    EXECUTOR_ROLE: () => EXECUTOR_ROLE,
    CANCELLER_ROLE: () => CANCELLER_ROLE,
    isOperation: (context, id) => stateOf(context, id) !== OPERATION_STATE.unset,
    isOperationPending: ({ state }, id) => state.timestamps.get(id) > DONE_TIMESTAMP,
    isOperationReady: (context, id) => stateOf(context, id) === OPERATION_STATE.ready,
    isOperationDone: (context, id) => stateOf(context, id) === OPERATION_STATE.done,
    getTimestamp: ({ state }, id) => state.timestamps.get(id),
    getOperationState: stateOf,
    getMinDelay: ({ state }) => state.minDelay.get(),
    hashOperation: (_context, ...operation) => hashSingle(...operation),
    hashOperationBatch: (_context, ...operation) => hashBatch(...operation),
    schedule: (context, target, amount, data, predecessor, salt, delay) =>
      scheduleAll(context, single(target, amount, data, predecessor, salt), salt, delay),
    scheduleBatch: (context, targets, values, payloads, predecessor, salt, delay) =>
      scheduleAll(context, batch(context, targets, values, payloads, predecessor, salt), salt, delay),
    cancel(context, id) {
      requireState(context, id, OPERATION_STATE.waiting, OPERATION_STATE.ready)
      context.state.timestamps.remove(id)
      context.emit.Cancelled(id)
    },
    execute: (context, ...operation) => executeAll(context, single(...operation)),
    executeBatch: (context, ...operation) => executeAll(context, batch(context, ...operation)),
    updateDelay(context, newDelay) {
      if (context.sender !== context.self) throw context.revert.TimelockUnauthorizedCaller(context.sender)
      setMinDelay(context, newDelay)
    },
  },
})
