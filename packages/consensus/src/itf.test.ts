import type { Round } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { address, commit, height, nameOf, polka, proposal, round, validatorSet, value, vote } from '../test/fixtures.ts'
import { type Itf, type ItfRecord, readTraces, type Tagged, type Trace } from '../test/itf.ts'
import { Driver } from './driver.ts'
import type { DriverInput } from './driver-input.ts'
import type { Effect } from './effect.ts'
import type { Input } from './input.ts'
import type { Output } from './output.ts'
import { initialState, type State, type Step } from './state.ts'
import type { TimeoutKind } from './timeouts.ts'
import { apply } from './transition.ts'
import { type Threshold, VoteKeeper } from './vote-keeper.ts'

/*
 * Every trace of the Quint specification (test/vectors/tendermint-itf) is replayed:
 *
 * - `consensusTest_*` on the state machine, `votekeeperTest_*` on the vote keeper: state and output equal after each step.
 * - The whole-system traces three times, validator by validator. (1) State machine: the specification's driver logs the inputs that it gave to its
 *   consensus function (`executedInputs`); we apply the same ones, state and output equal after each step. (2) Vote keeper: the threshold
 *   that each delivered vote reached. (3) Driver: the external inputs only (start, proposal, value, vote, certificate, timeout).
 *   The specification's driver does one transition a step and parks the rest (`pendingInputs`, `pendingStepChange`); ours takes all of
 *   them at once. So state and the sequence of votes, proposals and decisions are compared whenever nothing is parked. Of timeouts ours are a
 *   subset: it precommits on a polka before it would start the prevote timer; and a re-proposer's own propose timer is an addition of
 *   ours.
 */

type SpecState = {
  readonly height: number
  readonly round: number
  readonly step: Tagged
  readonly lockedRound: number
  readonly lockedValue: Tagged<string>
  readonly validRound: number
  readonly validValue: Tagged<string>
}
type SpecVote = {
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

const optionalValue = (tagged: Tagged<string>): string | undefined => (tagged.tag === 'Val' ? tagged.value : undefined)
const optionalRound = (spec: number): Round | undefined => (spec < 0 ? undefined : round(spec))
const fromSpecVote = (spec: SpecVote) =>
  vote(
    spec.voteType.tag === 'Prevote' ? 'prevote' : 'precommit',
    spec.round,
    spec.srcAddress,
    optionalValue(spec.valueId),
    spec.height,
  )

const comparableSpec = (spec: SpecState) => ({
  height: spec.height,
  round: Math.max(spec.round, 0),
  step: STEPS[spec.step.tag],
  locked: [optionalValue(spec.lockedValue), optionalRound(spec.lockedRound)],
  valid: [optionalValue(spec.validValue), optionalRound(spec.validRound)],
})

const comparable = <V extends string>({ height: h, round: r, step, locked, valid }: State<V>, name: (id: V) => string) => ({
  height: h as number,
  round: r as number,
  step,
  locked: [locked && name(locked.valueId), locked?.round],
  valid: [valid && name(valid.valueId), valid?.round],
})

/** The machine's input for a consensus input of the specification; `current` is the round that the specification leaves out. */
function machineInput({ tag, value: v }: Tagged, current: number): { input: Input<string>; round: number; isProposer: boolean } {
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
    case 'TimeoutProposeCInput':
      return at({ kind: 'timeoutPropose' }, pair[1] as number)
    case 'TimeoutPrevoteCInput':
      return at({ kind: 'timeoutPrevote' }, pair[1] as number)
    case 'TimeoutPrecommitCInput':
      return at({ kind: 'timeoutPrecommit' }, pair[1] as number)
    default:
      throw new Error(`no input ${tag}`)
  }
}

/** The outputs that an output of the specification stands for. */
function machineOutputs({ tag, value: v }: Tagged): readonly Output<string>[] {
  switch (tag) {
    case 'NoConsensusOutput':
    case 'ErrorOutput': // the specification's word for an input whose rule does not apply
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
      throw new Error(`no output ${tag}`)
  }
}

const sorted = (outputs: readonly Output<string>[]) => outputs.toSorted((a, b) => (a.kind < b.kind ? -1 : 1))

describe('state machine traces', () => {
  for (const { name, states } of readTraces('consensusTest_')) {
    it(name, () => {
      let state = initialState<string>(height((states[0]!.state as unknown as SpecState).height))
      for (const step of states.slice(1)) {
        const spec = step.state as unknown as SpecState
        const { input, round: r, isProposer } = machineInput(step.input as unknown as Tagged, spec.round)
        const transition = apply(state, { round: round(r), isProposer }, input)
        state = transition.state
        expect(comparable(state, String)).toEqual(comparableSpec(spec))
        expect(sorted(transition.effects)).toEqual(sorted(machineOutputs(step.output as unknown as Tagged)))
      }
      expect(states.length).toBeGreaterThan(4)
    })
  }
})

function threshold({ tag, value: v }: Tagged): Threshold | undefined {
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
      throw new Error(`no threshold ${tag}`)
  }
}

const setOf = (powers: Itf) => validatorSet(Object.fromEntries(powers as unknown as Map<string, number>))

/**
 * The votes that the specification's bookkeeper has received, and those that ours counts: the same validators, and of each a vote that was
 * received. (Of one that contradicts itself the specification lists both votes; ours keeps the first.)
 */
function expectTallies(keeper: VoteKeeper, rounds: Map<number, ItfRecord>, names: readonly string[]): void {
  for (const [r, spec] of rounds) {
    for (const kind of ['prevote', 'precommit'] as const) {
      const { receivedVotes } = spec[`${kind}s`] as unknown as { receivedVotes: readonly SpecVote[] }
      for (const by of names) {
        const received = receivedVotes
          .filter(({ srcAddress }) => srcAddress === by)
          .map((specVote) => fromSpecVote(specVote).valueId)
        const ours = keeper.vote(round(r), kind, address(by))
        expect(ours !== undefined).toBe(received.length > 0)
        if (ours !== undefined) expect(received).toContain(ours.valueId)
      }
    }
  }
}

/** How many contradictions the specification's bookkeeper has recorded. */
const evidenceCount = (bookkeeper: Itf): number => ((bookkeeper as ItfRecord).evidence as readonly Itf[]).length

describe('vote keeper traces', () => {
  for (const { name, states } of readTraces('votekeeperTest_')) {
    it(name, () => {
      const powers = (states[0]!.bookkeeper as ItfRecord).validatorSet!
      const keeper = new VoteKeeper(setOf(powers))
      for (const step of states.slice(1)) {
        const [specVote, , current] = (step.weightedVote as unknown as Tagged<readonly [SpecVote, number, number]>).value
        expect(keeper.add(fromSpecVote(specVote), round(current)).threshold).toEqual(
          threshold(step.lastEmitted as unknown as Tagged),
        )
        const names = [...(powers as unknown as Map<string, number>).keys()]
        expectTallies(keeper, (step.bookkeeper as ItfRecord).rounds as unknown as Map<number, ItfRecord>, names)
      }
      expect(states.length).toBeGreaterThan(2)
    })
  }
})

/** One step of one validator: what it was given, what it answered, and the specification's driver state before and after. */
interface SystemStep {
  readonly input: Tagged
  readonly output: Tagged
  readonly before: ItfRecord
  readonly after: ItfRecord
}

/** The steps of one validator; a state in which neither it nor the history changed only moved messages between buffers. */
function stepsOf({ states }: Trace, validator: string): readonly SystemStep[] {
  const driverOf = (state: ItfRecord) => ((state.system as Map<string, ItfRecord>).get(validator) as ItfRecord).es as ItfRecord
  return states.slice(1).flatMap((state, i) => {
    const previous = states[i]!
    const history = state._hist as unknown as { validator: string; input: Tagged; output: Tagged }
    const [before, after] = [driverOf(previous), driverOf(state)]
    const changed = JSON.stringify(plain(before)) !== JSON.stringify(plain(after))
    const acted =
      history.validator === validator && JSON.stringify(plain(state._hist!)) !== JSON.stringify(plain(previous._hist!))
    if (!changed && !acted) return []
    const own = history.validator === validator
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

const specState = (driver: ItfRecord) => driver.cs as unknown as SpecState
const executed = (driver: ItfRecord) => driver.executedInputs as unknown as readonly (readonly [Tagged, number, number, Tagged])[]

const SYSTEMS = ['line26', 'line28', 'line32', 'line42', 'heightLogic', 'hiddenLock'].flatMap((prefix) => readTraces(prefix))
const validatorsOf = ({ states }: Trace) => [...(states[0]!.system as Map<string, ItfRecord>).keys()]

describe('system traces, state machine', () => {
  for (const trace of SYSTEMS) {
    for (const validator of validatorsOf(trace)) {
      it(`${trace.name} ${validator}`, () => {
        let state = initialState<string>(height(0))
        for (const { output, before, after } of stepsOf(trace, validator)) {
          if (specState(after).height !== state.height) state = initialState(height(specState(after).height))
          const restarted = executed(after).length < executed(before).length
          const inputs = executed(after).slice(restarted ? 0 : executed(before).length)
          let outputs: readonly Output<string>[] = []
          for (const [specInput, , specRound] of inputs) {
            const { input, round: r, isProposer } = machineInput(specInput, specRound)
            const transition = apply(state, { round: round(r), isProposer }, input)
            if (outputs[0]?.kind === 'enterRound') expect(input.kind).toBe('newRound')
            state = transition.state
            outputs = transition.effects
          }
          expect(comparable(state, String)).toEqual(comparableSpec(specState(after)))
          expect(sorted(outputs)).toEqual(sorted(machineOutputs(output)))
        }
      })
    }
  }

  it('covers the lines', () => {
    const steps = SYSTEMS.flatMap((trace) => validatorsOf(trace).flatMap((validator) => stepsOf(trace, validator)))
    const kinds = new Set(steps.flatMap(({ after }) => executed(after).map(([input, , r]) => machineInput(input, r).input.kind)))
    expect([...kinds].sort()).toEqual(
      [
        'invalidProposalAndPolkaPrevious',
        'newRound',
        'polkaAny',
        'precommitAny',
        'proposal',
        'proposalAndPolkaCurrent',
        'proposalAndPolkaPrevious',
        'proposalAndPrecommitValue',
        'proposeValue',
        'timeoutPrecommit',
        'timeoutPrevote',
        'timeoutPropose',
      ].sort(),
    )
  })
})

describe('system traces, vote keeper', () => {
  for (const trace of SYSTEMS) {
    for (const validator of validatorsOf(trace)) {
      it(`${trace.name} ${validator}`, () => {
        const names = [...((stepsOf(trace, validator)[0]!.before.valset as Map<Itf, Itf>).keys() as Iterable<string>)]
        let evidence = 0
        let keeper: VoteKeeper | undefined
        for (const { input, before, after } of stepsOf(trace, validator)) {
          const rounds = (after.bk as ItfRecord).rounds as unknown as Map<number, ItfRecord>
          if (keeper === undefined || specState(after).height !== specState(before).height)
            keeper = new VoteKeeper(setOf(after.valset!))
          if (before.started !== after.started)
            for (const specVote of bufferedVotes(rounds)) keeper.add(fromSpecVote(specVote), round(0))
          if (input.tag === 'VoteDInput') {
            const added = keeper.add(
              fromSpecVote(input.value as unknown as SpecVote),
              round(Math.max(specState(before).round, 0)),
            )
            if (added.evidence !== undefined) evidence++
            expect(added.threshold).toEqual(threshold(after.voteKeeperOutput as unknown as Tagged))
          }
          if (input.tag === 'CertificateDInput') {
            for (const specVote of input.value as unknown as readonly SpecVote[]) {
              keeper.add(fromSpecVote(specVote), round(specState(before).round))
            }
          }
          expectTallies(keeper, rounds, names)
          expect(evidence).toBe(evidenceCount(after.bk!))
        }
      })
    }
  }
})

/** Votes that the specification's driver had buffered for a height before it started it. */
const bufferedVotes = (rounds: Map<number, ItfRecord>): readonly SpecVote[] =>
  [...rounds.values()].flatMap((spec) =>
    ['prevotes', 'precommits'].flatMap((kind) => (spec[kind] as unknown as { receivedVotes: readonly SpecVote[] }).receivedVotes),
  )

/** The driver's inputs for one of the specification's: a proposal is judged as soon as it is there. */
function driverInputs({ input, before, after }: SystemStep, self: string): readonly DriverInput[] {
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
    default:
      return before.started === after.started ? [] : startInputs(after, self)
  }
}

function startInputs(after: ItfRecord, self: string): readonly DriverInput[] {
  const buffered = bufferedVotes((after.bk as ItfRecord).rounds as unknown as Map<number, ItfRecord>)
  return [
    { kind: 'startHeight', height: height(specState(after).height), validators: setOf(after.valset!), self: address(self) },
    ...buffered.map((specVote): DriverInput => ({ kind: 'vote', vote: fromSpecVote(specVote) })),
  ]
}

const said = (effect: Effect): readonly unknown[] => {
  if (effect.kind === 'vote') return [[effect.vote.kind, effect.vote.round, effect.vote.valueId && nameOf(effect.vote.valueId)]]
  if (effect.kind === 'propose')
    return [['propose', effect.proposal.round, nameOf(effect.proposal.valueId), effect.proposal.polRound]]
  return effect.kind === 'decide' ? [['decide', effect.round, nameOf(effect.valueId)]] : []
}
const specSaid = (output: Output<string>): readonly unknown[] => {
  if (output.kind === 'vote') return [[output.vote, output.round, output.valueId]]
  if (output.kind === 'propose') return [['propose', output.round, output.valueId, output.polRound]]
  return output.kind === 'decide' ? [['decide', output.round, output.valueId]] : []
}

describe('system traces, driver', () => {
  for (const trace of SYSTEMS) {
    for (const validator of validatorsOf(trace)) {
      it(`${trace.name} ${validator}`, () => {
        const driver = new Driver((set, _, r) => set.validators[(r + 1) % set.validators.length]!.address)
        const ours: unknown[] = []
        const theirs: unknown[] = []
        const timeouts = new Set<string>()
        let compared = 0
        for (const step of stepsOf(trace, validator)) {
          const specOutputs = machineOutputs(step.output)
          theirs.push(...specOutputs.flatMap(specSaid))
          for (const output of specOutputs)
            if (output.kind === 'scheduleTimeout') timeouts.add(`${output.timeout} ${output.round}`)
          for (const output of specOutputs) if (output.kind === 'propose') timeouts.add(`propose ${output.round}`)
          const effects = driverInputs(step, validator).flatMap((input) => driver.step(input).effects)
          ours.push(...effects.flatMap(said))
          const parked =
            (step.after.pendingInputs as readonly Itf[]).length > 0 ||
            (step.after.pendingStepChange as unknown as Tagged).tag !== 'NoStep'
          if (parked || specState(step.after).step.tag === 'NoStep') continue
          compared++
          expect(comparable(driver.state!, nameOf)).toEqual(comparableSpec(specState(step.after)))
          expect(ours).toEqual(theirs)
          for (const effect of effects)
            if (effect.kind === 'scheduleTimeout') expect(timeouts).toContain(`${effect.timeout} ${effect.round}`)
        }
        expect(compared).toBeGreaterThan(0)
      })
    }
  }
})
