import { type ContextOf, compareBytes, encodeUtf8, mapping, part, remote, value } from '../kit/index.ts'
import { type Ballot, isEmergency, packBallot, unpackBallot } from './governance-ballot.ts'
import { type Call, CHAIN, callsBoard, checkCalls, hashCalls, makeCalls } from './governance-calls.ts'
import { type Rules, rulesBoard, WHOLE, writeRules } from './governance-rules.ts'

export { GOVERNANCE_CALL_BYTES_MAX, GOVERNANCE_CALLS_MAX } from './governance-calls.ts'

/** Proposals of one organisation that are open at the same time. Together with the times of the rules it bounds what waits. */
export const GOVERNANCE_OPEN_MAX = 4
/** Bytes of a proposal's text. */
export const GOVERNANCE_TEXT_BYTES_MAX = 1_024
/**
 * Blocks that the vote takes at least, then the time lock, then the time for execution. Times are in seconds because people agree on days, and
 * because a busy chain makes ten times as many blocks as an idle one, so that a flood could shorten a vote. But a chain that stood still, or
 * makes a block an hour, must not end a vote before anybody could cast one: 256 organisations need 20 blocks for their votes in the
 * lane of the smallest blocks.
 */
export const GOVERNANCE_PHASE_BLOCKS_MIN = 32n

/** How an organisation votes. */
export const SUPPORT = { against: 0n, for: 1n, abstain: 2n } as const

const OUTCOME = { executed: 1n, cancelled: 2n } as const

const chain = remote([
  'function acceptGovernor()',
  'function votesAs(address account) view returns (bytes32)',
  'function votesAt(bytes32 organisation, uint64 height) view returns (uint64)',
  'function totalVotesAt(uint64 height) view returns (uint64)',
])

const board = part({
  uses: [rulesBoard, callsBoard],
  abi: [
    'struct Call { address target; uint256 value; bytes data; }',
    'event Proposed(uint256 indexed id, bytes32 indexed organisation, address indexed proposer, Call[] calls, string text, bytes32 document, bool emergency)',
    'event Voted(uint256 indexed id, bytes32 indexed organisation, address indexed voter, uint8 support, uint64 votes)',
    'event Cancelled(uint256 indexed id, address indexed account)',
    'event Executed(uint256 indexed id, address indexed executor)',
    'error GovernanceNotVoter(address account)',
    'error GovernanceNoVotes(bytes32 organisation)',
    'error GovernanceTooManyOpen(bytes32 organisation, uint256 max)',
    'error GovernanceTextTooLong(uint256 given, uint256 max)',
    'error GovernanceUnknownProposal(uint256 id)',
    'error GovernanceUnexpectedState(uint256 id, string state)',
    'error GovernanceExcluded(uint256 id, bytes32 organisation)',
    'error GovernanceInvalidSupport(uint8 support)',
    'error GovernanceNotProposer(uint256 id, address account)',
    'error GovernanceWrongCalls(uint256 id)',
    'error GovernanceUnauthorizedCaller(address caller)',
  ],
  state: {
    proposalCount: value('uint256'),
    /** See `Ballot`. */
    ballots: mapping('uint256', 'uint256'),
    proposals: mapping('uint256', { organisation: 'bytes32', proposer: 'address', callsHash: 'bytes32', document: 'bytes32' }),
    texts: mapping('uint256', 'string'),
    /** The organisation that has no vote, because its suspension is proposed. */
    excluded: mapping('uint256', 'bytes32'),
    /** Votes against, for and abstaining, and the outcome: 64 bits each, the lowest first. */
    tallies: mapping('uint256', 'uint256'),
    /** An organisation's vote: its weight, and in the lowest byte one more than its support, or NO_VOTE. */
    votes: mapping('uint256', mapping('bytes32', 'uint256')),
    /** Proposals of an organisation that were open when it made its last one. */
    open: mapping('bytes32', 'uint256[]'),
  },
})

type Context = ContextOf<typeof board>
type ReadContext = ContextOf<typeof board, 'view'>

const TALLY_BITS = 64n
const TALLY_MASK = (1n << TALLY_BITS) - 1n
const OUTCOME_SHIFT = 3n * TALLY_BITS
const SUPPORT_BITS = 8n
const SUPPORT_MASK = (1n << SUPPORT_BITS) - 1n
/** In the place of a vote: the organisation has none on this proposal. */
const NO_VOTE = 4n
const shiftOf = (support: bigint): bigint => support * TALLY_BITS
const counted = (tally: bigint, support: bigint): bigint => (tally >> shiftOf(support)) & TALLY_MASK
const outcomeOf = (tally: bigint): bigint => tally >> OUTCOME_SHIFT

const NOBODY = new Uint8Array(32)
const isSame = (a: Uint8Array, b: Uint8Array): boolean => compareBytes(a, b) === 0n

/** For the constructor. Parts are in ten thousandths, times in seconds: see `Rules`. */
export function initGovernance(
  context: Context,
  quorum: bigint,
  threshold: bigint,
  emergencyThreshold: bigint,
  votingTime: bigint,
  timeLock: bigint,
  executionTime: bigint,
): void {
  writeRules(context, { quorum, threshold, emergencyThreshold, votingTime, timeLock, executionTime })
}

const rulesOf = ({ state }: ReadContext): Rules => state.rules.get()!

function ballotOf({ state, revert }: ReadContext, id: bigint): Ballot {
  const word = state.ballots.get(id)
  if (word === 0n) throw revert.GovernanceUnknownProposal(id)
  return unpackBallot(word)
}

/** The organisation for which the sender votes. */
function voterOrganisation({ sender, revert }: ReadContext): Uint8Array {
  const organisation = chain.votesAs(CHAIN, sender)
  if (isSame(organisation, NOBODY)) throw revert.GovernanceNotVoter(sender)
  return organisation
}

/** An organisation's votes on a proposal of this height: those it had in the block before, which nobody can change any more. */
function weightOf({ revert }: ReadContext, organisation: Uint8Array, height: bigint): bigint {
  const weight = chain.votesAt(CHAIN, organisation, height - 1n)
  if (weight === 0n) throw revert.GovernanceNoVotes(organisation)
  return weight
}

const isClosed = ({ block }: ReadContext, { height, closesAt }: Ballot): boolean =>
  block.timestamp >= closesAt && block.number >= height + GOVERNANCE_PHASE_BLOCKS_MIN

function hasPassed(tally: bigint, ballot: Ballot): boolean {
  const { quorum, threshold, total } = ballot
  const inFavour = counted(tally, SUPPORT.for)
  if (inFavour === 0n) return false
  if (isEmergency(ballot)) return inFavour * WHOLE >= threshold * total
  const decided = inFavour + counted(tally, SUPPORT.against)
  const cast = decided + counted(tally, SUPPORT.abstain)
  return cast * WHOLE >= quorum * total && inFavour * WHOLE >= threshold * decided
}

/** A proposal that passed: locked, due or expired. By the emergency path it is due at once, before the close of the vote. */
function passedState({ block }: ReadContext, ballot: Ballot): string {
  const { height, closesAt, dueAt, expiresAt } = ballot
  const dueFrom = height + (dueAt > closesAt ? 2n : 1n) * GOVERNANCE_PHASE_BLOCKS_MIN
  if (block.timestamp >= expiresAt && block.number >= dueFrom + GOVERNANCE_PHASE_BLOCKS_MIN) return 'expired'
  if (isEmergency(ballot)) return 'due'
  return block.timestamp >= dueAt && block.number >= dueFrom ? 'due' : 'locked'
}

function stateOf(context: ReadContext, id: bigint, ballot: Ballot = ballotOf(context, id)): string {
  const tally = context.state.tallies.get(id)
  const outcome = outcomeOf(tally)
  if (outcome !== 0n) return outcome === OUTCOME.executed ? 'executed' : 'cancelled'
  const closed = isClosed(context, ballot)
  if (!closed && !isEmergency(ballot)) return 'voting'
  if (hasPassed(tally, ballot)) return passedState(context, ballot)
  return closed ? 'defeated' : 'voting'
}

function setOutcome({ state }: Context, id: bigint, outcome: bigint): void {
  state.tallies.update(id, (tally) => tally | (outcome << OUTCOME_SHIFT))
}

const OPEN_STATES: readonly string[] = ['voting', 'locked', 'due']

const openOf = (context: ReadContext, organisation: Uint8Array): readonly bigint[] =>
  (context.state.open.get(organisation) ?? []).filter((id) => OPEN_STATES.includes(stateOf(context, id)))

function propose(context: Context, calls: readonly Call[], text: string, document: Uint8Array, emergency: boolean): bigint {
  const { state, block, sender, emit, revert } = context
  const suspended = checkCalls(context, calls)
  const { length } = encodeUtf8(text)
  if (length > GOVERNANCE_TEXT_BYTES_MAX) throw revert.GovernanceTextTooLong(BigInt(length), BigInt(GOVERNANCE_TEXT_BYTES_MAX))
  const organisation = voterOrganisation(context)
  const { number: height, timestamp } = block
  weightOf(context, organisation, height)
  const open = openOf(context, organisation)
  if (open.length >= GOVERNANCE_OPEN_MAX) throw revert.GovernanceTooManyOpen(organisation, BigInt(GOVERNANCE_OPEN_MAX))
  const id = state.proposalCount.get()
  state.proposalCount.set(id + 1n)
  state.open.set(organisation, [...open, id])
  const { quorum, threshold, emergencyThreshold, votingTime, timeLock, executionTime } = rulesOf(context)
  const without = suspended === undefined ? 0n : chain.votesAt(CHAIN, suspended, height - 1n)
  const closesAt = timestamp + votingTime
  const dueAt = emergency ? closesAt : closesAt + timeLock
  const total = chain.totalVotesAt(CHAIN, height - 1n) - without
  const judged = emergency ? { quorum: 0n, threshold: emergencyThreshold } : { quorum, threshold }
  state.ballots.set(id, packBallot({ height, closesAt, dueAt, expiresAt: dueAt + executionTime, total, ...judged }))
  if (suspended !== undefined) {
    state.excluded.set(id, suspended)
    state.votes.at(id).set(suspended, NO_VOTE)
  }
  state.proposals.set(id, { organisation, proposer: sender, callsHash: hashCalls(calls), document })
  state.texts.set(id, text)
  emit.Proposed(id, organisation, sender, calls, text, document, emergency)
  return id
}

function vote(context: Context, id: bigint, support: bigint): void {
  const { state, sender, emit, revert } = context
  if (support > SUPPORT.abstain) throw revert.GovernanceInvalidSupport(support)
  const ballot = ballotOf(context, id)
  const tally = state.tallies.get(id)
  if (outcomeOf(tally) !== 0n || isClosed(context, ballot))
    throw revert.GovernanceUnexpectedState(id, stateOf(context, id, ballot))
  const organisation = voterOrganisation(context)
  const votes = state.votes.at(id)
  const before = votes.get(organisation)
  if (before === NO_VOTE) throw revert.GovernanceExcluded(id, organisation)
  const weight = weightOf(context, organisation, ballot.height)
  const withdrawn = before === 0n ? 0n : (before >> SUPPORT_BITS) << shiftOf((before & SUPPORT_MASK) - 1n)
  state.tallies.set(id, tally - withdrawn + (weight << shiftOf(support)))
  votes.set(organisation, (weight << SUPPORT_BITS) | (support + 1n))
  emit.Voted(id, organisation, sender, support, weight)
}

function execute(context: Context, id: bigint, calls: readonly Call[]): void {
  const { state, sender, emit, revert } = context
  const now = stateOf(context, id)
  if (now !== 'due') throw revert.GovernanceUnexpectedState(id, now)
  if (!isSame(hashCalls(calls), state.proposals.get(id)!.callsHash)) throw revert.GovernanceWrongCalls(id)
  // Before the calls, so that none of them finds it due.
  setOutcome(context, id, OUTCOME.executed)
  emit.Executed(id, sender)
  makeCalls(context, calls)
}

function onlySelf({ sender, self, revert }: ReadContext): void {
  if (sender !== self) throw revert.GovernanceUnauthorizedCaller(sender)
}

/**
 * Government of a chain by the votes of its organisations. It asks the chain contract who votes, and for how much.
 *
 * - Any account with the role voter proposes for its organisation: calls, a text and the hash of a document. An organisation has at most four
 *   open proposals, and any of its voters may cancel them until they are executed.
 * - An organisation has one vote, which any of its voters casts; the last one before the close counts. It weighs what the organisation's
 *   votes were in the block before the proposal.
 * - A proposal passes if enough votes were cast (quorum) and enough of those for and against are for it (threshold). After the time lock anybody
 *   executes it: all calls or none. It expires.
 * - By the emergency path a proposal is due as soon as a part of *all* votes is for it (emergency threshold), without time lock.
 * - The rules are changed by proposals that call `setRules` of this contract. A proposal is judged by the rules that held when it was made.
 * - An organisation has no vote on its own suspension. A proposal that suspends one makes no other call.
 */
export const governance = part({
  uses: [board],
  abi: [
    'struct Call { address target; uint256 value; bytes data; }',
    'function propose(Call[] calls, string text, bytes32 document, bool emergency) returns (uint256 id)',
    'function vote(uint256 id, uint8 support)',
    'function cancel(uint256 id)',
    'function execute(uint256 id, Call[] calls)',
    'function accept()',
    'function setRules(uint16 quorum, uint16 threshold, uint16 emergencyThreshold, uint64 votingTime, uint64 timeLock, uint64 executionTime)',
    'function rules() view returns (uint16 quorum, uint16 threshold, uint16 emergencyThreshold, uint64 votingTime, uint64 timeLock, uint64 executionTime)',
    'function proposalCount() view returns (uint256)',
    'function openProposals(bytes32 organisation) view returns (uint256[] ids)',
    'function stateOf(uint256 id) view returns (string state)',
    'function proposal(uint256 id) view returns (bytes32 organisation, address proposer, bytes32 callsHash, string text, bytes32 document, bool emergency, bytes32 excluded)',
    'function ballot(uint256 id) view returns (uint64 height, uint64 closesAt, uint64 dueAt, uint64 expiresAt, uint64 total, uint16 quorum, uint16 threshold)',
    'function tally(uint256 id) view returns (uint64 against, uint64 inFavour, uint64 abstaining)',
    'function voteOf(uint256 id, bytes32 organisation) view returns (bool voted, uint8 support, uint64 votes)',
    'function hashCalls(Call[] calls) pure returns (bytes32)',
  ],
  reentrant: ['setRules'],
  modifiers: { setRules: [onlySelf] },
  functions: {
    propose,
    vote,
    cancel(context, id) {
      const { state, sender, emit, revert } = context
      const now = stateOf(context, id)
      if (!OPEN_STATES.includes(now)) throw revert.GovernanceUnexpectedState(id, now)
      if (!isSame(voterOrganisation(context), state.proposals.get(id)!.organisation))
        throw revert.GovernanceNotProposer(id, sender)
      setOutcome(context, id, OUTCOME.cancelled)
      emit.Cancelled(id, sender)
    },
    execute,
    /** Takes the governance of the chain that was offered to this contract. Anybody may call it. */
    accept({ block, revert }) {
      // Nobody could ever decide anything.
      if (chain.totalVotesAt(CHAIN, block.number - 1n) === 0n) throw revert.GovernanceNoVotes(NOBODY)
      chain.acceptGovernor(CHAIN)
    },
    setRules: initGovernance,
    rules(context) {
      const { quorum, threshold, emergencyThreshold, votingTime, timeLock, executionTime } = rulesOf(context)
      return [quorum, threshold, emergencyThreshold, votingTime, timeLock, executionTime]
    },
    proposalCount: ({ state }) => state.proposalCount.get(),
    openProposals: openOf,
    stateOf: (context, id) => stateOf(context, id),
    proposal(context, id) {
      const { state } = context
      const emergency = isEmergency(ballotOf(context, id))
      const { organisation, proposer, callsHash, document } = state.proposals.get(id)!
      return [organisation, proposer, callsHash, state.texts.get(id), document, emergency, state.excluded.get(id)]
    },
    ballot(context, id) {
      const { height, closesAt, dueAt, expiresAt, total, quorum, threshold } = ballotOf(context, id)
      return [height, closesAt, dueAt, expiresAt, total, quorum, threshold]
    },
    tally(context, id) {
      ballotOf(context, id)
      const tally = context.state.tallies.get(id)
      return [counted(tally, SUPPORT.against), counted(tally, SUPPORT.for), counted(tally, SUPPORT.abstain)]
    },
    voteOf(context, id, organisation) {
      ballotOf(context, id)
      const found = context.state.votes.at(id).get(organisation)
      return found === 0n || found === NO_VOTE ? [false, 0n, 0n] : [true, (found & SUPPORT_MASK) - 1n, found >> SUPPORT_BITS]
    },
    hashCalls: (_context, calls) => hashCalls(calls),
  },
})
