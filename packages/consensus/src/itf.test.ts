import { describe, expect, it } from 'vitest'
import { address, height, nameOf, round } from '../test/fixtures.ts'
import { type Itf, type ItfRecord, readTrace, readTraces, type Tagged, type Trace } from '../test/itf.ts'
import {
  bufferedVotes,
  comparableSpec,
  driverInputs,
  executed,
  fromSpecVote,
  machineInput,
  machineOutputs,
  type SpecState,
  type SpecVote,
  setOf,
  specState,
  stepsOf,
  threshold,
  unreadRounds,
  validatorsOf,
} from '../test/itf-specification.ts'
import { Driver } from './driver.ts'
import type { Effect } from './effect.ts'
import type { Output } from './output.ts'
import { initialState, type State } from './state.ts'
import { apply } from './transition.ts'
import { VoteKeeper } from './vote-keeper.ts'

/*
 * Replays every trace of the Quint specification (test/vectors/tendermint-itf):
 *
 * - `consensusTest_*` on the state machine and `votekeeperTest_*` on the vote keeper. State and output must be equal after each step.
 * - The whole-system traces three times for each validator:
 *   1. State machine. The specification's driver logs the inputs of its consensus function (`executedInputs`). The test applies the same inputs; state
 *      and output must be equal after each step.
 *   2. Vote keeper. The test compares the threshold that each delivered vote reached.
 *   3. Driver. The test passes the external inputs only (start, proposal, value, vote, certificate, timeout). The specification's driver takes one
 *      transition in a step and parks the others (`pendingInputs`, `pendingStepChange`); ours takes all at once. So the test compares the state and the
 *      sequence of votes, proposals and decisions whenever nothing is parked. Our timeouts are a subset of the specification's, because our driver
 *      precommits on a polka before it would start the prevote timer. The propose timer of a re-proposer is our addition.
 */

const TRACES = readTraces()
const tracesOf = (subject: (typeof TRACES)[number]['subject']) => TRACES.filter((trace) => trace.subject === subject)
const SYSTEMS = tracesOf('system')

const comparable = <V extends string>({ height: h, round: r, step, locked, valid }: State<V>, name: (id: V) => string) => ({
  height: h as number,
  round: r as number,
  step,
  locked: [locked && name(locked.valueId), locked?.round],
  valid: [valid && name(valid.valueId), valid?.round],
})

const sorted = (outputs: readonly Output<string>[]) => outputs.toSorted((a, b) => (a.kind < b.kind ? -1 : 1))

describe('state machine traces', () => {
  for (const { name, states } of tracesOf('state machine')) {
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

/**
 * Compares the votes that the specification's bookkeeper received with those that ours counts: the same validators, each with a vote that was received.
 * Of a validator that equivocates, the specification lists both votes and ours keeps the first.
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

/** Number of equivocations that the specification's bookkeeper recorded. */
const evidenceCount = (bookkeeper: Itf): number => ((bookkeeper as ItfRecord).evidence as readonly Itf[]).length

describe('vote keeper traces', () => {
  for (const { name, states } of tracesOf('vote keeper')) {
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
        'skipRound',
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
              if (keeper.add(fromSpecVote(specVote), round(specState(before).round)).evidence !== undefined) evidence++
            }
          }
          expectTallies(keeper, rounds, names)
          expect(evidence).toBe(evidenceCount(after.bk!))
        }
      })
    }
  }
})

/** A vote, proposal or decision with its round. */
type Said = readonly [what: string, round: number, ...rest: unknown[]]

const said = (effect: Effect): readonly Said[] => {
  if (effect.kind === 'vote') return [[effect.vote.kind, effect.vote.round, effect.vote.valueId && nameOf(effect.vote.valueId)]]
  if (effect.kind === 'propose')
    return [['propose', effect.proposal.round, nameOf(effect.proposal.valueId), effect.proposal.polRound]]
  return effect.kind === 'decide' ? [['decide', effect.round, nameOf(effect.valueId)]] : []
}
const specSaid = (output: Output<string>): readonly Said[] => {
  if (output.kind === 'vote') return [[output.vote, output.round, output.valueId]]
  if (output.kind === 'propose') return [['propose', output.round, output.valueId, output.polRound]]
  return output.kind === 'decide' ? [['decide', output.round, output.valueId]] : []
}

/** Replays the external inputs of one validator. Returns how often state and messages were compared. */
function replayDriver(trace: Trace, validator: string): number {
  const driver = new Driver((set, _, r) => set.validators[(r + 1) % set.validators.length]!.address)
  const steps = stepsOf(trace, validator)
  const unread = unreadRounds(steps)
  const ours: Said[] = []
  const theirs: Said[] = []
  const timeouts = new Set<string>()
  let compared = 0
  for (const step of steps) {
    const specOutputs = machineOutputs(step.output)
    theirs.push(...specOutputs.flatMap(specSaid))
    for (const output of specOutputs) if (output.kind === 'scheduleTimeout') timeouts.add(`${output.timeout} ${output.round}`)
    for (const output of specOutputs) if (output.kind === 'propose') timeouts.add(`propose ${output.round}`)
    const effects = driverInputs(step, validator).flatMap((input) => driver.step(input).effects)
    ours.push(...effects.flatMap(said))
    const parked =
      (step.after.pendingInputs as readonly Itf[]).length > 0 ||
      (step.after.pendingStepChange as unknown as Tagged).tag !== 'NoStep'
    if (parked || specState(step.after).step.tag === 'NoStep' || unread.has(specState(step.after).round)) continue
    compared++
    expect(comparable(driver.state!, nameOf)).toEqual(comparableSpec(specState(step.after)))
    expect(ours.filter(([, r]) => !unread.has(r))).toEqual(theirs.filter(([, r]) => !unread.has(r)))
    for (const effect of effects)
      if (effect.kind === 'scheduleTimeout') expect(timeouts).toContain(`${effect.timeout} ${effect.round}`)
  }
  // Decisions of rounds that could not be compared on the way are compared at the end: they do not depend on the proposals that were read.
  const decided = (all: readonly Said[]) => all.filter(([what]) => what === 'decide')
  expect(decided(ours)).toEqual(decided(theirs))
  return compared
}

describe('system traces, driver', () => {
  let compared = 0
  for (const trace of SYSTEMS) {
    for (const validator of validatorsOf(trace)) {
      it(`${trace.name} ${validator}`, () => {
        compared += replayDriver(trace, validator)
      })
    }
  }

  it('are compared at more than half of the steps', () => {
    const steps = SYSTEMS.reduce(
      (sum, trace) => sum + validatorsOf(trace).reduce((n, validator) => n + stepsOf(trace, validator).length, 0),
      0,
    )
    expect(compared).toBeGreaterThan(steps / 2)
  })
})

describe('a trace that this harness does not know', () => {
  const tagged = (tag: string): Tagged => ({ tag, value: [] })

  it.each([
    ['variables', () => readTrace('odd', [{ '#meta': {}, 'odd::clock': 1 }]), /odd: unknown kind of trace, with variables clock/],
    ['a consensus input', () => machineInput(tagged('OddCInput'), 0), /unknown consensus input OddCInput/],
    ['a consensus output', () => machineOutputs(tagged('OddOutput')), /unknown consensus output OddOutput/],
    ['an output of the vote keeper', () => threshold(tagged('OddVKOutput')), /unknown output of the vote keeper OddVKOutput/],
    ['a driver input', () => driverInputs(oddStep, 'v1'), /unknown driver input OddDInput/],
  ])('is refused by name: %s', (_, replay, message) => expect(replay).toThrow(message))

  const [first] = stepsOf(SYSTEMS[0]!, validatorsOf(SYSTEMS[0]!)[0]!)
  const oddStep = { ...first!, input: tagged('OddDInput') }
})
