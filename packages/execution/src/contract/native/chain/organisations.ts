import { type Hash, idProblem, LIMITS, type Organisation, rolesProblem, utf8ToBytes, ZERO_HASH } from '@quoin/protocol'
import { SYSTEM_ENTRIES } from '../../../state/system-entries.ts'
import { SYSTEM_RECORDS } from '../../../state/system-records.ts'
import { bytesOf, type ChainState, chainAction, idOf } from './chain-state.ts'
import { mustGovern } from './governing.ts'

const { organisation: ENTRY, checkpoint: CHECKPOINT } = SYSTEM_ENTRIES
const { totals: TOTALS } = SYSTEM_RECORDS

/** An organisation that must exist. */
export function organisationOf(chain: ChainState, id: Hash): Organisation {
  return chain.entry(ENTRY, id) ?? chain.refuse('UnknownOrganisation', bytesOf(id))
}

/** Votes that count: without a voter nobody could cast them, and no quorum of all votes could ever be reached. */
const countedVotes = ({ votes, voters }: Pick<Organisation, 'votes' | 'voters'>): number => (voters === 0 ? 0 : votes)

/** Adds to the number of an organisation's members and voters. */
export function countMembers(chain: ChainState, id: Hash, members: number, voters = 0): void {
  const present = organisationOf(chain, id)
  let after = { ...present, members: present.members + members, voters: present.voters + voters }
  if (after.voters === 0 && present.voters > 0 && present.votes > 0)
    chain.refuse(
      'Refused',
      'the last voter of an organisation with votes cannot go: enter another voter first, or set the votes of the organisation to 0',
    )
  const votes = countedVotes(after)
  const change = votes - countedVotes(present)
  if (change !== 0) {
    after = { ...after, checkpoints: checkpoint(chain, id, present.checkpoints, votes) }
    addVotes(chain, 0, change)
  }
  chain.setEntry(ENTRY, after, id)
}

/** Writes down from which block on an organisation, or all of them together, has other votes. Returns the number of checkpoints. */
function checkpoint(chain: ChainState, id: Hash, count: number, votes: number): number {
  const height = chain.block.number
  const last = count === 0 ? undefined : chain.entry(CHECKPOINT, id, count - 1)
  const index = last?.height === height ? count - 1 : count
  chain.setEntry(CHECKPOINT, { height, votes }, id, index)
  return index + 1
}

/** Changes the sum of the votes. It never returns to 0, because then no vote could ever decide anything. */
function addVotes(chain: ChainState, organisations: number, votes: number): void {
  const totals = chain.record(TOTALS)
  const sum = totals.votes + votes
  if (sum === 0 && totals.votes > 0) chain.refuse('Refused', 'the organisations would have no votes at all')
  if (totals.organisations + organisations > LIMITS.organisationsMax)
    chain.refuse('Refused', `there are ${totals.organisations} organisations, at most ${LIMITS.organisationsMax} are allowed`)
  const checkpoints = votes === 0 ? totals.checkpoints : checkpoint(chain, ZERO_HASH, totals.checkpoints, sum)
  chain.setRecord(TOTALS, { organisations: totals.organisations + organisations, votes: sum, checkpoints })
}

/**
 * The votes that counted after the block of a height: the last checkpoint up to it. Most questions are about a recent height, so the search
 * begins at the end, with steps that double: its price depends on how much has changed since, not on how old the chain is.
 */
function votesAt(chain: ChainState, id: Hash, count: number, height: bigint): bigint {
  if (height >= BigInt(chain.block.number))
    chain.refuse('Invalid', 'height', `is ${height}, must be below ${chain.block.number}: votes of this block can still change`)
  const isUpTo = (index: number): boolean => BigInt(chain.entry(CHECKPOINT, id, index)!.height) <= height
  let high = count
  let low = count - 1
  for (let step = 1; low >= 0 && !isUpTo(low); step *= 2) {
    high = low
    low = Math.max(low - step, -1)
  }
  // Those from `high` on are later; `low` is not, or is before the first.
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (isUpTo(middle)) low = middle
    else high = middle
  }
  return low < 0 ? 0n : BigInt(chain.entry(CHECKPOINT, id, low)!.votes)
}

const { organisationNameBytesMax, votesMax, shareMax } = LIMITS

function checkTerms(chain: ChainState, name: string, votes: bigint, share: bigint, grantable: bigint): void {
  const { length } = utf8ToBytes(name)
  if (length === 0 || length > organisationNameBytesMax)
    chain.refuse('Invalid', 'name', `must have 1 to ${organisationNameBytesMax} bytes, not ${length}`)
  if (votes > votesMax) chain.refuse('Invalid', 'votes', `is ${votes}, at most ${votesMax} are allowed`)
  if (share < 1n || share > shareMax) chain.refuse('Invalid', 'share', `is ${share}, must be from 1 to ${shareMax}`)
  const problem = rolesProblem(Number(grantable))
  if (problem !== undefined) chain.refuse('Invalid', 'grantable', problem)
}

const NEW: Pick<Organisation, 'suspended' | 'members' | 'voters' | 'checkpoints' | 'votes'> = {
  suspended: false,
  votes: 0,
  members: 0,
  voters: 0,
  checkpoints: 0,
}

/** Organisations: entered, changed and removed by the governor alone. */
export const ORGANISATIONS = {
  setOrganisation: chainAction((chain, given: Uint8Array, name: string, votes: bigint, share: bigint, grantable: bigint) => {
    mustGovern(chain)
    const id = idOf(given)
    const problem = idProblem(id)
    if (problem !== undefined) chain.refuse('Invalid', 'id', problem)
    checkTerms(chain, name, votes, share, grantable)
    const known = chain.entry(ENTRY, id)
    const present = known ?? NEW
    const counted = countedVotes({ votes: Number(votes), voters: present.voters })
    const change = counted - countedVotes(present)
    addVotes(chain, known === undefined ? 1 : 0, change)
    const isFirst = known === undefined
    const checkpoints = change === 0 && !isFirst ? present.checkpoints : checkpoint(chain, id, present.checkpoints, counted)
    const terms = { name, votes: Number(votes), share: Number(share), grantable: Number(grantable) }
    chain.setEntry(ENTRY, { ...present, ...terms, checkpoints }, id)
    chain.emit('OrganisationChanged', given, name, votes, share, grantable)
  }),
  suspendOrganisation: chainAction((chain, given: Uint8Array, suspended: boolean) => {
    mustGovern(chain)
    const id = idOf(given)
    chain.setEntry(ENTRY, { ...organisationOf(chain, id), suspended }, id)
    chain.emit('OrganisationSuspended', given, suspended)
  }),
  removeOrganisation: chainAction((chain, given: Uint8Array) => {
    mustGovern(chain)
    const id = idOf(given)
    const { members, votes } = organisationOf(chain, id)
    if (members > 0)
      chain.refuse('Refused', `${members} accounts, nodes and validators of the organisation are left: remove them first`)
    // What it could vote in earlier blocks is forgotten with it.
    if (votes > 0) chain.refuse('Refused', 'the organisation has votes: set them to 0 first')
    addVotes(chain, -1, 0)
    chain.setEntry(ENTRY, undefined, id)
    chain.emit('OrganisationRemoved', given)
  }),
  organisation: chainAction((chain, given: Uint8Array) => {
    const found = chain.entry(ENTRY, idOf(given))
    if (found === undefined) return [false, '', 0n, 0n, 0n, false, 0n, 0n]
    const { name, votes, share, grantable, suspended, members, voters } = found
    const numbers = [votes, share, grantable].map(BigInt)
    return [true, name, ...numbers, suspended, BigInt(members), BigInt(voters)]
  }),
  votesAt: chainAction((chain, given: Uint8Array, height: bigint) => {
    const id = idOf(given)
    return votesAt(chain, id, chain.entry(ENTRY, id)?.checkpoints ?? 0, height)
  }),
  totalVotesAt: chainAction((chain, height: bigint) => votesAt(chain, ZERO_HASH, chain.record(TOTALS).checkpoints, height)),
}
