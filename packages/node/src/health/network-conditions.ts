import { timeoutMs } from '@quoin/consensus'
import { type Address, type ChainParameters, Round, type ValidatorSet } from '@quoin/protocol'
import type { Head } from '../chain/types.ts'
import { timeoutsOf } from '../engine/timeouts.ts'
import type { PeerId } from '../powers.ts'
import type { Condition } from './conditions.ts'

export const READY_LIMITS = {
  /** Blocks that a node may be behind what its peers claim and still count as up to date: they may be under way. */
  behindBlocksMax: 3,
  /** A chain of which a height needs more rounds than this deserves a look, however many of its validators may be down. */
  stallRoundsMax: 8,
  /** What slow machines may take for a height on top of all timeouts. */
  stallSlackMs: 15_000,
} as const

export interface NetworkView {
  readonly head: Pick<Head, 'header' | 'validators' | 'nodes' | 'parameters'>
  readonly self: PeerId
  /** Of the voting key. */
  readonly validator: Address
  /** Connected peers, those that follow without a vote included: no peer id says whose it is. */
  readonly peerCount: number
  /** Highest block that as many peers claim as `witnessesNeeded` says. */
  readonly highest: number
  /** Wall clock. */
  readonly nowMs: number
  /** Why the validator signs nothing, if it does not. */
  readonly silence: string | undefined
  /** Of the height after the head. */
  readonly round: Round
  /** For how long the head has been this one here, by the monotonic clock; from the start on, if none has come since. */
  readonly headForMs: number
}

/** What is wrong with the node's place in its network. */
export function networkConditions(view: NetworkView): readonly Condition[] {
  const { head, self, peerCount, highest, nowMs } = view
  const conditions: Condition[] = []
  if (!head.nodes.some(({ peerId }) => peerId === self)) {
    const message = `this node (peer ${self}) is not in the chain's registry of nodes at block ${head.header.number}: the others refuse it. Have it registered, or check node-key.json and genesis.json`
    conditions.push({ code: 'not-registered', message })
  }
  const needed = peersNeeded(head.validators, view.validator)
  if (peerCount < needed) conditions.push(tooFewPeers(peerCount, needed))
  const behind = highest - head.header.number
  if (behind > READY_LIMITS.behindBlocksMax)
    conditions.push({
      code: 'syncing',
      message: `block ${head.header.number}, ${behind} behind the ${highest} that its peers have: wait`,
    })
  const aheadMs = head.header.timeMs - nowMs
  if (aheadMs > head.parameters.clockPrecisionMs) {
    const message = `the time of block ${head.header.number} is ${aheadMs} ms ahead of this machine's clock, which keeps it from proposing until then: check its time service (NTP)`
    conditions.push({ code: 'head-ahead', message })
  }
  if (view.silence !== undefined) conditions.push({ code: 'silent', message: view.silence })
  // By both clocks: what a start finds is not old yet, a sync brings old blocks, and the first block may be due later.
  const stillMs = Math.min(view.headForMs, -aheadMs)
  if (stillMs > stallMs(head.parameters, head.validators)) conditions.push({ code: 'stalled', message: stalledText(view) })
  return conditions
}

function stalledText({ head: { header }, headForMs, round, peerCount }: NetworkView): string {
  const time = new Date(header.timeMs).toISOString()
  return (
    `no block has come for ${Math.floor(headForMs / 1_000)} s: the head is block ${header.number} of ${time}, height ${header.number + 1} is in ` +
    `round ${round}, ${counted(peerCount)} connected. More than two thirds of the power must run, reach each other, sign and have the ` +
    'right time: look at the other validators, at their silent and clock-off warnings, and at the network between them'
  )
}

const counted = (peers: number): string => (peers === 1 ? '1 peer is' : `${peers} peers are`)

/**
 * Longer than a chain that works is without a block: the heartbeat, with which an idle one makes its next, and the rounds that the height
 * takes when every validator that may be faulty has its turn as the proposer, and one more.
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
  // None at all is another condition, so that two are needed here at the least.
  const message = `${counted(count)} connected, with or without a vote, and blocks need ${needed} other validators at the least: start them, or check the network between them`
  return { code: 'no-quorum', message }
}

/**
 * The fewest peers with which blocks can become final here. Nothing says which peer is which validator, so it is how many of the
 * strongest others it takes to come to more than two thirds of the power. A node without a vote needs one peer to fetch blocks from.
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
 * Of how many peers the word counts: one more than there can be faulty validators. Where no more are connected, all of them: a node that
 * has but one peer has nobody else to go by.
 */
export const witnessesNeeded = (validators: ValidatorSet, peerCount: number): number =>
  Math.max(1, Math.min(faultyMax(validators) + 1, peerCount))

/** The most validators that have less than a third of the power together. */
function faultyMax({ validators, totalPower }: ValidatorSet): number {
  const powers = validators.map(({ power }) => power).sort((a, b) => a - b)
  let count = 0
  for (let power: number = powers[0]!; 3 * power < totalPower; power += powers[count]!) count++
  return count
}
