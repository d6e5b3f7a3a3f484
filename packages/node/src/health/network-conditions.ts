import { timeoutMs } from '@quoin/consensus'
import { type Address, type ChainParameters, Round, type ValidatorSet } from '@quoin/protocol'
import type { Head } from '../chain/types.ts'
import { timeoutsOf } from '../engine/timeouts.ts'
import type { PeerId } from '../powers.ts'
import type { Condition } from './conditions.ts'

export const READY_LIMITS = {
  /** A node that is at most this many blocks behind its peers' claims counts as up to date: the blocks may be on their way. */
  behindBlocksMax: 3,
  /** If a height needs more rounds than this, the chain counts as stalled, however many validators may be down. */
  stallRoundsMax: 8,
  /** Extra time that slow machines may need for a height, on top of all timeouts. */
  stallSlackMs: 15_000,
} as const

export interface NetworkView {
  readonly head: Pick<Head, 'header' | 'validators' | 'nodes' | 'parameters'>
  readonly self: PeerId
  /** Address of this node's validator key. */
  readonly validator: Address
  /** Number of connected peers, including followers without a vote: no peer id says which validator it belongs to. */
  readonly peerCount: number
  /** Highest block that at least `witnessesNeeded` peers claim. */
  readonly highest: number
  /** Wall clock, in ms since the Unix epoch. */
  readonly nowMs: number
  /** Why the validator signs nothing; undefined if it signs. */
  readonly silence: string | undefined
  /** Consensus round of the height after the head. */
  readonly round: Round
  /** Time since the last new head, or since the start if there was none, by the monotonic clock. */
  readonly headForMs: number
}

/** Finds problems of the node's position in its network: registry, peers, sync, clock, signing and progress. */
export function networkConditions(view: NetworkView): readonly Condition[] {
  const { head, self, peerCount, highest, nowMs } = view
  const conditions: Condition[] = []
  if (!head.nodes.some(({ peerId }) => peerId === self)) {
    const message = `this node (peer ${self}) is not in the chain's registry of nodes at block ${head.header.number}: the other nodes refuse its connections. Have the node registered, or check node-key.json and genesis.json`
    conditions.push({ code: 'not-registered', message })
  }
  const needed = peersNeeded(head.validators, view.validator)
  if (peerCount < needed) conditions.push(tooFewPeers(peerCount, needed))
  const behind = highest - head.header.number
  if (behind > READY_LIMITS.behindBlocksMax)
    conditions.push({
      code: 'syncing',
      message: `block ${head.header.number} is ${behind} blocks behind block ${highest} of the peers: wait until the node has caught up`,
    })
  const aheadMs = head.header.timeMs - nowMs
  if (aheadMs > head.parameters.clockPrecisionMs) {
    const message = `the time of block ${head.header.number} is ${aheadMs} ms ahead of this machine's clock, and the node proposes nothing until then: check this machine's time service (NTP)`
    conditions.push({ code: 'head-ahead', message })
  }
  if (view.silence !== undefined) conditions.push({ code: 'silent', message: view.silence })
  // Both clocks must agree that the head is old: after a start the head has just been read, a sync brings old blocks, and a genesis may
  // start in the future.
  const stillMs = Math.min(view.headForMs, -aheadMs)
  if (stillMs > stallMs(head.parameters, head.validators)) conditions.push({ code: 'stalled', message: stalledText(view) })
  return conditions
}

function stalledText({ head: { header }, headForMs, round, peerCount }: NetworkView): string {
  const time = new Date(header.timeMs).toISOString()
  return (
    `no new block for ${Math.floor(headForMs / 1_000)} s: the head is block ${header.number} of ${time}, height ${header.number + 1} is in ` +
    `round ${round}, ${counted(peerCount)} connected. Validators with more than two thirds of the power must run, reach each other, sign ` +
    'and have the right time: check the other validators, their silent and clock-off warnings, and the network between them'
  )
}

const counted = (peers: number): string => (peers === 1 ? '1 peer is' : `${peers} peers are`)

/**
 * Time without a block after which the chain counts as stalled. It covers the heartbeat interval of an idle chain, and the rounds that a
 * height needs if every validator that may be faulty is the proposer once, plus one more.
 */
export function stallMs(parameters: ChainParameters, validators: ValidatorSet): number {
  const timeouts = timeoutsOf(parameters)
  const rounds = Math.min(faultyMax(validators) + 2, READY_LIMITS.stallRoundsMax)
  let ms = parameters.heartbeatIntervalMs + parameters.messageDelayMs + parameters.clockPrecisionMs + READY_LIMITS.stallSlackMs
  for (let round = Round(0); round < rounds; round = Round(round + 1))
    for (const kind of ['propose', 'prevote', 'precommit'] as const) ms += timeoutMs(timeouts, kind, round)
  return ms
}

function tooFewPeers(count: number, needed: number): Condition {
  if (count === 0)
    return {
      code: 'no-peers',
      message: 'no peer is connected: check --p2p-listen, the addresses in the registry, and the firewall',
    }
  // With no peer at all the condition is `no-peers`, so here at least two are needed and the plural is right.
  const message = `${counted(count)} connected (followers included), but blocks need at least ${needed} other validators: start them, or check the network between them`
  return { code: 'no-quorum', message }
}

/**
 * Minimum number of peers with which blocks can become final at this node. Nothing says which peer is which validator, so this counts how
 * many of the strongest other validators it takes to reach more than two thirds of the power. A node without a vote needs one peer to
 * fetch blocks from.
 */
export function peersNeeded(validators: ValidatorSet, self: Address): number {
  const own = validators.get(self)
  if (own === undefined) return 1
  const others = validators.validators.filter(({ address }) => address !== self).map(({ power }) => power)
  others.sort((a, b) => b - a)
  let power: number = own.power
  let count = 0
  while (3 * power <= 2 * validators.totalPower) power += others[count++]!
  return count
}

/**
 * How many peers must claim a height before it counts: one more than there can be faulty validators, or all peers if fewer are connected.
 * A node with a single peer has no other source.
 */
export const witnessesNeeded = (validators: ValidatorSet, peerCount: number): number =>
  Math.max(1, Math.min(faultyMax(validators) + 1, peerCount))

/** Largest number of validators that together have less than a third of the power. */
function faultyMax({ validators, totalPower }: ValidatorSet): number {
  const powers = validators.map(({ power }) => power).sort((a, b) => a - b)
  let count = 0
  for (let power: number = powers[0]!; 3 * power < totalPower; power += powers[count]!) count++
  return count
}
