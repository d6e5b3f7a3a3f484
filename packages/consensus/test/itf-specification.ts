import type { Round } from '@quoin/protocol'
import type { DriverInput } from '../src/driver-input.ts'
import type { Input } from '../src/input.ts'
import type { Output } from '../src/output.ts'
import type { Step } from '../src/state.ts'
import type { TimeoutKind } from '../src/timeouts.ts'
import type { Threshold } from '../src/vote-keeper.ts'
import { address, commit, height, polka, proposal, round, validatorSet, value, vote } from './fixtures.ts'
import type { Itf, ItfRecord, Tagged, Trace } from './itf.ts'

/*
 * Maps the names of the Quint specification (`specs/consensus/quint`: types.qnt, consensus.qnt, votekeeper.qnt, driver.qnt) to ours. Each function knows
 * every case of the specification and throws for any other, with its name, so that no trace is replayed in part.
 */

export type SpecState = {
  readonly height: number
  readonly round: number
  readonly step: Tagged
  readonly lockedRound: number
  readonly lockedValue: Tagged<string>
  readonly validRound: number
  readonly validValue: Tagged<string>
}
export type SpecVote = {
  readonly height: number
  readonly round: number
  readonly srcAddress: string
  readonly valueId: Tagged<string>
  readonly voteType: Tagged
}
type SpecProposal = {
  readonly height: number
  readonly round: number
  readonly srcAddress: string
  readonly proposal: string
  readonly validRound: number
}

const STEPS: Readonly<Record<string, Step>> = {
  NoStep: 'unstarted',
  UnstartedStep: 'unstarted',
  ProposeStep: 'propose',
  PrevoteStep: 'prevote',
  PrecommitStep: 'precommit',
  CommitStep: 'commit',
}
const TIMEOUTS: Readonly<Record<string, TimeoutKind>> = {
  ProposeTimeout: 'propose',
  PrevoteTimeout: 'prevote',
  PrecommitTimeout: 'precommit',
}

const unknown = (what: string, tag: string) => new Error(`unknown ${what} ${tag}: map it in test/itf-specification.ts`)

const optionalValue = (tagged: Tagged<string>): string | undefined => (tagged.tag === 'Val' ? tagged.value : undefined)
const optionalRound = (spec: number): Round | undefined => (spec < 0 ? undefined : round(spec))
export const fromSpecVote = (spec: SpecVote) =>
  vote(
    spec.voteType.tag === 'Prevote' ? 'prevote' : 'precommit',
    spec.round,
    spec.srcAddress,
    optionalValue(spec.valueId),
    spec.height,
  )

export const comparableSpec = (spec: SpecState) => ({
  height: spec.height,
  round: Math.max(spec.round, 0),
  step: STEPS[spec.step.tag],
  locked: [optionalValue(spec.lockedValue), optionalRound(spec.lockedRound)],
  valid: [optionalValue(spec.validValue), optionalRound(spec.validRound)],
})

/** Converts a consensus input of the specification to one of the state machine. `current` is the round, which the specification leaves out. */
export function machineInput(
  { tag, value: v }: Tagged,
  current: number,
): { input: Input<string>; round: number; isProposer: boolean } {
  const at = (input: Input<string>, r = current, isProposer = false) => ({ input, round: r, isProposer })
  const pair = v as readonly [number, Itf]
  switch (tag) {
    case 'NewRoundCInput':
      return at({ kind: 'newRound' }, v as number)
    case 'NewRoundProposerCInput':
      return at({ kind: 'newRound' }, v as number, true)
    case 'ProposeValueCInput':
      return at({ kind: 'proposeValue', valueId: v as string }, current, true)
    case 'ProposalCInput':
      return at({ kind: 'proposal', valueId: (pair[1] as unknown as Tagged<string>).value }, pair[0])
    case 'ProposalInvalidCInput':
      return at({ kind: 'invalidProposal' })
    case 'ProposalAndPolkaPreviousAndValidCInput': {
      const [id, polRound] = v as unknown as readonly [Tagged<string>, number]
      return at({ kind: 'proposalAndPolkaPrevious', valueId: id.value, polRound: round(polRound) })
    }
    case 'ProposalAndPolkaAndInvalidCInput': // the specification leaves the round of the polka out
      return at({ kind: 'invalidProposalAndPolkaPrevious', valueId: (v as unknown as Tagged<string>).value, polRound: round(0) })
    case 'ProposalAndPolkaAndValidCInput':
      return at({ kind: 'proposalAndPolkaCurrent', valueId: (v as unknown as Tagged<string>).value })
    case 'PolkaAnyCInput':
      return at({ kind: 'polkaAny' })
    case 'PolkaNilCInput':
      return at({ kind: 'polkaNil' })
    case 'PrecommitAnyCInput':
      return at({ kind: 'precommitAny' })
    case 'ProposalAndCommitAndValidCInput':
      return at({ kind: 'proposalAndPrecommitValue', valueId: pair[1] as string }, pair[0])
    case 'RoundSkipCInput':
      return at({ kind: 'skipRound' }, v as number)
    case 'TimeoutProposeCInput':
      return at({ kind: 'timeoutPropose' }, pair[1] as number)
    case 'TimeoutPrevoteCInput':
      return at({ kind: 'timeoutPrevote' }, pair[1] as number)
    case 'TimeoutPrecommitCInput':
      return at({ kind: 'timeoutPrecommit' }, pair[1] as number)
    default:
      throw unknown('consensus input', tag)
  }
}

/** Converts an output of the specification to ours. */
export function machineOutputs({ tag, value: v }: Tagged): readonly Output<string>[] {
  switch (tag) {
    case 'NoConsensusOutput':
    case 'ErrorOutput': // the specification's output for an input whose rule does not apply
      return []
    case 'TimeoutOutput': {
      const [r, kind] = v as unknown as readonly [number, Tagged]
      return [{ kind: 'scheduleTimeout', timeout: TIMEOUTS[kind.tag]!, round: round(r) }]
    }
    case 'GetValueAndScheduleTimeoutOutput': {
      const [, r, kind] = v as unknown as readonly [number, number, Tagged]
      return [
        { kind: 'scheduleTimeout', timeout: TIMEOUTS[kind.tag]!, round: round(r) },
        { kind: 'getValue', round: round(r) },
      ]
    }
    case 'ProposalOutput': {
      const spec = v as unknown as SpecProposal
      return [{ kind: 'propose', round: round(spec.round), valueId: spec.proposal, polRound: optionalRound(spec.validRound) }]
    }
    case 'VoteOutput': {
      const spec = v as unknown as SpecVote
      const kind = spec.voteType.tag === 'Prevote' ? 'prevote' : 'precommit'
      return [{ kind: 'vote', vote: kind, round: round(spec.round), valueId: optionalValue(spec.valueId) }]
    }
    case 'SkipRoundOutput':
      return [{ kind: 'enterRound', round: round(v as number) }]
    case 'DecidedOutput': {
      const [r, id] = v as unknown as readonly [number, string]
      return [{ kind: 'decide', round: round(r), valueId: id }]
    }
    default:
      throw unknown('consensus output', tag)
  }
}

export function threshold({ tag, value: v }: Tagged): Threshold | undefined {
  const pair = v as readonly [number, string]
  switch (tag) {
    case 'NoVKOutput':
      return undefined
    case 'PolkaAnyVKOutput':
      return { kind: 'polkaAny', round: round(v as number) }
    case 'PolkaNilVKOutput':
      return { kind: 'polkaNil', round: round(v as number) }
    case 'PolkaValueVKOutput':
      return { kind: 'polkaValue', round: round(pair[0]), valueId: value(pair[1]) }
    case 'PrecommitAnyVKOutput':
      return { kind: 'precommitAny', round: round(v as number) }
    case 'PrecommitValueVKOutput':
      return { kind: 'precommitValue', round: round(pair[0]), valueId: value(pair[1]) }
    case 'SkipVKOutput':
      return { kind: 'skip', round: round(v as number) }
    default:
      throw unknown('output of the vote keeper', tag)
  }
}

export const setOf = (powers: Itf) => validatorSet(Object.fromEntries(powers as unknown as Map<string, number>))

/** One step of one validator: its input, its output, and the state of the specification's driver before and after. */
export interface SystemStep {
  readonly input: Tagged
  readonly output: Tagged
  readonly before: ItfRecord
  readonly after: ItfRecord
}

/** The steps of one validator. Skips states in which neither the validator nor the history changed: they only move messages between buffers. */
export function stepsOf({ states }: Trace, validator: string): readonly SystemStep[] {
  const driverOf = (state: ItfRecord) => ((state.system as Map<string, ItfRecord>).get(validator) as ItfRecord).es as ItfRecord
  return states.slice(1).flatMap((state, i) => {
    const previous = states[i]!
    const history = state._hist as unknown as { validator: string; input: Tagged; output: Tagged }
    const [before, after] = [driverOf(previous), driverOf(state)]
    const changed = JSON.stringify(plain(before)) !== JSON.stringify(plain(after))
    const acted =
      history.validator === validator && JSON.stringify(plain(state._hist!)) !== JSON.stringify(plain(previous._hist!))
    if (!changed && !acted) return []
    // When the environment begins a height, it does not record that in the history, which still has the previous step.
    const own = history.validator === validator && specState(before).height === specState(after).height
    return [{ input: own ? history.input : IDLE, output: own ? history.output : SILENT, before, after }]
  })
}

const IDLE: Tagged = { tag: 'NoDInput', value: [] }
const SILENT: Tagged = { tag: 'NoConsensusOutput', value: [] }
const plain = (itf: Itf): unknown =>
  itf instanceof Map
    ? [...itf].map(plain as never)
    : Array.isArray(itf)
      ? itf.map(plain)
      : typeof itf === 'object'
        ? Object.entries(itf).map(([name, field]) => [name, plain(field as Itf)])
        : itf

export const specState = (driver: ItfRecord) => driver.cs as unknown as SpecState
export const executed = (driver: ItfRecord) =>
  driver.executedInputs as unknown as readonly (readonly [Tagged, number, number, Tagged])[]

/**
 * Rounds that the specification's driver entered without reading the messages that it had buffered for them. It reads them when the step changes. A skip
 * from `propose` to `propose` of a later round does not change the step, so a proposal of that round that arrived earlier is not read. Ours reads it.
 */
export function unreadRounds(steps: readonly SystemStep[]): ReadonlySet<number> {
  const entered = steps.filter(({ before, after }) => {
    const [from, to] = [specState(before), specState(after)]
    const proposals = after.proposals as unknown as readonly SpecProposal[]
    const isSkip = from.height === to.height && from.round !== to.round && from.step.tag === to.step.tag
    return isSkip && proposals.some(({ round: proposed }) => proposed === to.round)
  })
  return new Set(entered.map(({ after }) => specState(after).round))
}

/** Votes that the specification's driver buffered for a height before it started the height. */
export const bufferedVotes = (rounds: Map<number, ItfRecord>): readonly SpecVote[] =>
  [...rounds.values()].flatMap((spec) =>
    ['prevotes', 'precommits'].flatMap((kind) => (spec[kind] as unknown as { receivedVotes: readonly SpecVote[] }).receivedVotes),
  )

/** Converts a driver input of the specification to ours. A proposal is followed by its verdict. */
export function driverInputs({ input, before, after }: SystemStep, self: string): readonly DriverInput[] {
  const h = specState(after).height
  const r = round(Math.max(specState(before).round, 0))
  switch (input.tag) {
    case 'ProposeValueDInput':
      return [{ kind: 'valueBuilt', height: height(h), round: r, valueId: value(input.value as string) }]
    case 'ProposalDInput': {
      const spec = input.value as unknown as SpecProposal
      const made = proposal(spec.round, spec.srcAddress, spec.proposal, optionalRound(spec.validRound), spec.height)
      const valid = spec.proposal !== 'invalid'
      return [
        { kind: 'proposal', proposal: made, polka: undefined },
        { kind: 'valueValidated', height: height(h), round: made.round, valueId: made.valueId, valid, fresh: true },
      ]
    }
    case 'VoteDInput':
      return [{ kind: 'vote', vote: fromSpecVote(input.value as unknown as SpecVote) }]
    case 'CertificateDInput': {
      const votes = input.value as unknown as readonly SpecVote[]
      const [first] = votes as [SpecVote]
      const by = votes.map(({ srcAddress }) => srcAddress)
      return first.voteType.tag === 'Prevote'
        ? [{ kind: 'polkaCertificate', certificate: polka(first.round, first.valueId.value, by, h) }]
        : [{ kind: 'commitCertificate', certificate: commit(first.round, first.valueId.value, by, h) }]
    }
    case 'TimeoutDInput':
      return [{ kind: 'timeout', timeout: TIMEOUTS[(input.value as unknown as Tagged).tag]!, height: height(h), round: r }]
    case 'StartDInput':
    case 'PendingDInput': // inputs that were parked before; the first of a height starts the driver
    case 'StepChangeDInput':
    case 'NoDInput':
      return before.started === after.started ? [] : startInputs(after, self)
    default:
      throw unknown('driver input', input.tag)
  }
}

function startInputs(after: ItfRecord, self: string): readonly DriverInput[] {
  const buffered = bufferedVotes((after.bk as ItfRecord).rounds as unknown as Map<number, ItfRecord>)
  return [
    { kind: 'startHeight', height: height(specState(after).height), validators: setOf(after.valset!), self: address(self) },
    ...buffered.map((specVote): DriverInput => ({ kind: 'vote', vote: fromSpecVote(specVote) })),
  ]
}

export const validatorsOf = ({ states }: Trace) => [...(states[0]!.system as Map<string, ItfRecord>).keys()]
