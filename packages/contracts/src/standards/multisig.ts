import { type Address, type ContextOf, mapping, part, set, value, ZERO_ADDRESS } from '../kit/index.ts'
import { callTarget } from './outgoing-call.ts'

/** Keeps the gas for counting confirmations far below the limit of a transaction. */
export const MULTISIG_OWNERS_MAX = 50n

const board = part({
  abi: [
    'event Proposed(uint256 indexed id, address indexed proposer, address to, uint256 value, bytes data)',
    'event Confirmed(uint256 indexed id, address indexed owner)',
    'event Revoked(uint256 indexed id, address indexed owner)',
    'event Executed(uint256 indexed id, address indexed executor)',
    'event OwnerAdded(address indexed owner)',
    'event OwnerRemoved(address indexed owner)',
    'event ThresholdChanged(uint256 threshold)',
    'error MultisigNotOwner(address account)',
    'error MultisigUnauthorizedCaller(address caller)',
    'error MultisigInvalidOwner(address owner)',
    'error MultisigInvalidThreshold(uint256 threshold, uint256 owners)',
    'error MultisigNonexistentProposal(uint256 id)',
    'error MultisigAlreadyExecuted(uint256 id)',
    'error MultisigAlreadyConfirmed(uint256 id, address owner)',
    'error MultisigNotConfirmed(uint256 id, address owner)',
    'error MultisigInsufficientConfirmations(uint256 id, uint256 confirmations, uint256 threshold)',
  ],
  state: {
    owners: set('address'),
    threshold: value('uint256'),
    /** Number of seats given so far. Each new owner gets a seat number that no owner had before. */
    seats: value('uint256'),
    seatOf: mapping('address', 'uint256'),
    proposalCount: value('uint256'),
    proposals: mapping('uint256', { to: 'address', value: 'uint256', data: 'bytes' }),
    executed: mapping('uint256', 'bool'),
    /** The owner's seat at the time of the confirmation. */
    confirmations: mapping('uint256', mapping('address', 'uint256')),
  },
})

type Context = ContextOf<typeof board>
type ReadContext = ContextOf<typeof board, 'view'>

/** For the constructor. Sets the owners (at least one) and the threshold (from 1 to the number of owners). */
export function initMultisig(context: Context, owners: readonly Address[], threshold: bigint): void {
  for (const owner of owners) addOwner(context, owner)
  setThreshold(context, threshold)
}

function addOwner({ state, self, emit, revert }: Context, owner: Address): void {
  if (owner === ZERO_ADDRESS || owner === self || !state.owners.add(owner)) throw revert.MultisigInvalidOwner(owner)
  const { size } = state.owners
  if (size > MULTISIG_OWNERS_MAX) throw new RangeError(`at most ${MULTISIG_OWNERS_MAX} owners`)
  state.seatOf.set(
    owner,
    state.seats.update((seats) => seats + 1n),
  )
  emit.OwnerAdded(owner)
}

function removeOwner(context: Context, owner: Address): void {
  const { state, emit, revert } = context
  if (!state.owners.remove(owner)) throw revert.MultisigInvalidOwner(owner)
  state.seatOf.remove(owner)
  emit.OwnerRemoved(owner)
  requireThreshold(context, state.threshold.get())
}

function requireThreshold({ state, revert }: ReadContext, threshold: bigint): void {
  const { size } = state.owners
  if (threshold === 0n || threshold > size) throw revert.MultisigInvalidThreshold(threshold, size)
}

function setThreshold(context: Context, threshold: bigint): void {
  requireThreshold(context, threshold)
  const { state, emit } = context
  state.threshold.set(threshold)
  emit.ThresholdChanged(threshold)
}

function onlyOwner({ state, sender, revert }: ReadContext): void {
  if (!state.owners.has(sender)) throw revert.MultisigNotOwner(sender)
}

function onlySelf({ sender, self, revert }: ReadContext): void {
  if (sender !== self) throw revert.MultisigUnauthorizedCaller(sender)
}

function proposalOf({ state, revert }: ReadContext, id: bigint) {
  const proposal = state.proposals.get(id)
  if (proposal === undefined) throw revert.MultisigNonexistentProposal(id)
  return proposal
}

/** Modifier of functions on a proposal: it must exist and must not be executed yet. */
function whileOpen({ state, revert }: ReadContext, id: bigint): void {
  if (id >= state.proposalCount.get()) throw revert.MultisigNonexistentProposal(id)
  if (state.executed.get(id)) throw revert.MultisigAlreadyExecuted(id)
}

/** Whether an owner's confirmation counts: the owner must still have the same seat. */
function isConfirmed({ state }: ReadContext, id: bigint, owner: Address): boolean {
  const seat = state.confirmations.at(id).get(owner)
  return seat !== 0n && seat === state.seatOf.get(owner)
}

const confirmationsOf = (context: ReadContext, id: bigint): bigint =>
  BigInt([...context.state.owners].filter((owner) => isConfirmed(context, id, owner)).length)

function confirm(context: Context, id: bigint): void {
  const { state, sender, emit, revert } = context
  if (isConfirmed(context, id, sender)) throw revert.MultisigAlreadyConfirmed(id, sender)
  state.confirmations.at(id).set(sender, state.seatOf.get(sender))
  emit.Confirmed(id, sender)
}

/**
 * A multisignature wallet: it calls other contracts after enough of its owners have confirmed, each in a separate transaction.
 *
 * - The proposer's confirmation is implied. A confirmation can be revoked until the proposal is executed.
 * - An owner can execute a proposal when the number of confirming current owners reaches the current threshold. If the call fails, the execution is
 *   reverted and the proposal stays open.
 * - Confirmations of former owners do not count, not even after they become owners again.
 * - Owners and threshold are changed by proposals to the contract itself. The functions for that are re-entrant.
 * - A proposal is executed at most once. To repeat a call, make another proposal; it gets another number.
 *
 * No signatures are used, so there are none that could be replayed elsewhere.
 */
export const multisig = part({
  uses: [board],
  abi: [
    'function owners() view returns (address[])',
    'function isOwner(address account) view returns (bool)',
    'function threshold() view returns (uint256)',
    'function proposalCount() view returns (uint256)',
    'function getProposal(uint256 id) view returns (address to, uint256 value, bytes data, bool executed, uint256 confirmations)',
    'function isConfirmed(uint256 id, address owner) view returns (bool)',
    'function propose(address to, uint256 value, bytes data) returns (uint256 id)',
    'function confirm(uint256 id)',
    'function revoke(uint256 id)',
    'function execute(uint256 id) returns (bytes)',
    'function addOwner(address owner)',
    'function removeOwner(address owner)',
    'function setThreshold(uint256 threshold)',
  ],
  reentrant: ['addOwner', 'removeOwner', 'setThreshold'],
  modifiers: {
    propose: [onlyOwner],
    confirm: [onlyOwner, whileOpen],
    revoke: [onlyOwner, whileOpen],
    execute: [onlyOwner, whileOpen],
    addOwner: [onlySelf],
    removeOwner: [onlySelf],
    setThreshold: [onlySelf],
  },
  functions: {
    owners: ({ state }) => [...state.owners],
    isOwner: ({ state }, account) => state.owners.has(account),
    threshold: ({ state }) => state.threshold.get(),
    proposalCount: ({ state }) => state.proposalCount.get(),
    getProposal(context, id) {
      const { to, value: amount, data } = proposalOf(context, id)
      return [to, amount, data, context.state.executed.get(id), confirmationsOf(context, id)]
    },
    isConfirmed,
    propose(context, to, amount, data) {
      const { state, sender, emit } = context
      const id = state.proposalCount.get()
      state.proposalCount.set(id + 1n)
      state.proposals.set(id, { to, value: amount, data })
      emit.Proposed(id, sender, to, amount, data)
      confirm(context, id)
      return id
    },
    confirm,
    revoke(context, id) {
      const { state, sender, emit, revert } = context
      if (!isConfirmed(context, id, sender)) throw revert.MultisigNotConfirmed(id, sender)
      state.confirmations.at(id).remove(sender)
      emit.Revoked(id, sender)
    },
    execute(context, id) {
      const { state, sender, emit, revert } = context
      const confirmations = confirmationsOf(context, id)
      const threshold = state.threshold.get()
      if (confirmations < threshold) throw revert.MultisigInsufficientConfirmations(id, confirmations, threshold)
      state.executed.set(id, true)
      emit.Executed(id, sender)
      const { to, value: amount, data } = proposalOf(context, id)
      return callTarget(to, amount, data)
    },
    addOwner,
    removeOwner,
    setThreshold,
  },
})
