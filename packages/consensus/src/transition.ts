import type { Hash, Round, VoteKind } from '@quoin/protocol'
import type { Input } from './input.ts'
import type { Output } from './output.ts'
import type { State, Step } from './state.ts'
import type { TimeoutKind } from './timeouts.ts'

/** What a transition depends on in addition to state and input. */
export interface Info {
  /** The round of the input. Can differ from the round of the state. */
  readonly round: Round
  /** Whether this validator proposes in `round`. */
  readonly isProposer: boolean
}

export interface Transition<V extends string = Hash> {
  readonly state: State<V>
  readonly effects: readonly Output<V>[]
}

/**
 * One transition of the state machine of "The latest gossip on BFT consensus" (arXiv:1807.04938, Algorithm 1). Comments name its lines.
 *
 * An input whose rule does not apply returns the same state and no effects. Lines 34 and 47 apply "for the first time" only. They leave no trace in the
 * state, so the caller must ensure that.
 */
export function apply<V extends string>(state: State<V>, info: Info, input: Input<V>): Transition<V> {
  switch (input.kind) {
    case 'newRound':
      return state.step === 'unstarted' ? startRound(state, info) : unchanged(state)
    case 'precommitAny': // L47, in any step
      return info.round === state.round ? schedule(state, 'precommit') : unchanged(state)
    case 'timeoutPrecommit': // L65
      return info.round === state.round && state.step !== 'commit'
        ? leaveFor(state, (state.round + 1) as Round)
        : unchanged(state)
    case 'skipRound': // L55
      return info.round > state.round && state.step !== 'commit' ? leaveFor(state, info.round) : unchanged(state)
    case 'proposalAndPrecommitValue': // L49, any round
      return state.step === 'commit' ? unchanged(state) : decide(state, info.round, input.valueId)
    default:
      return info.round === state.round ? inRound(state, info, input) : unchanged(state)
  }
}

type RoundInput<V extends string> = Exclude<
  Input<V>,
  { kind: 'newRound' | 'precommitAny' | 'timeoutPrecommit' | 'skipRound' | 'proposalAndPrecommitValue' }
>

/** Rules that apply in one step of the current round. */
function inRound<V extends string>(state: State<V>, info: Info, input: RoundInput<V>): Transition<V> {
  switch (state.step) {
    case 'propose':
      return inPropose(state, info, input)
    case 'prevote':
      return inPrevote(state, input)
    case 'precommit': // L42: the polka came after the precommit
      return input.kind === 'proposalAndPolkaCurrent'
        ? unchanged({ ...state, valid: { valueId: input.valueId, round: state.round } })
        : unchanged(state)
    default:
      return unchanged(state)
  }
}

function inPropose<V extends string>(state: State<V>, info: Info, input: RoundInput<V>): Transition<V> {
  switch (input.kind) {
    case 'proposeValue': // L18, L19
      return info.isProposer ? propose(state, input.valueId, undefined) : unchanged(state)
    case 'proposal': // L22
      return prevote(state, mayPrevoteFresh(state, input.valueId) ? input.valueId : undefined)
    case 'proposalAndPolkaPrevious': // L28
      return input.polRound < state.round
        ? prevote(state, mayPrevoteAgain(state, input.valueId, input.polRound) ? input.valueId : undefined)
        : unchanged(state)
    case 'invalidProposalAndPolkaPrevious': // L28 with L32
      return input.polRound < state.round ? prevote(state, undefined) : unchanged(state)
    case 'invalidProposal': // L22 with L26
    case 'timeoutPropose': // L57 to L60
      return prevote(state, undefined)
    default:
      return unchanged(state)
  }
}

function inPrevote<V extends string>(state: State<V>, input: RoundInput<V>): Transition<V> {
  switch (input.kind) {
    case 'polkaAny': // L34
      return schedule(state, 'prevote')
    case 'proposalAndPolkaCurrent': {
      // L36 to L43
      const value = { valueId: input.valueId, round: state.round }
      return precommit({ ...state, locked: value, valid: value }, input.valueId)
    }
    case 'polkaNil': // L44 to L46
    case 'timeoutPrevote': // L61 to L64
      return precommit(state, undefined)
    default:
      return unchanged(state)
  }
}

/** L23: not locked, or locked on this value. */
const mayPrevoteFresh = <V extends string>({ locked }: State<V>, valueId: V): boolean =>
  locked === undefined || locked.valueId === valueId

/** L29: not locked, locked on this value, or locked no later than the proof of lock. */
const mayPrevoteAgain = <V extends string>({ locked }: State<V>, valueId: V, polRound: Round): boolean =>
  locked === undefined || locked.valueId === valueId || locked.round <= polRound

/** L11 to L21. */
function startRound<V extends string>(state: State<V>, info: Info): Transition<V> {
  const next: State<V> = { ...state, round: info.round, step: 'propose' }
  if (!info.isProposer) return schedule(next, 'propose') // L21
  if (next.valid !== undefined) return propose(next, next.valid.valueId, next.valid.round) // L16
  return {
    state: next,
    effects: [
      { kind: 'scheduleTimeout', timeout: 'propose', round: next.round },
      { kind: 'getValue', round: next.round }, // L18
    ],
  }
}

const unchanged = <V extends string>(state: State<V>): Transition<V> => ({ state, effects: [] })

const propose = <V extends string>(state: State<V>, valueId: V, polRound: Round | undefined): Transition<V> => ({
  state,
  effects: [{ kind: 'propose', round: state.round, valueId, polRound }],
})

const vote = <V extends string>(state: State<V>, step: Step & VoteKind, valueId: V | undefined): Transition<V> => ({
  state: { ...state, step },
  effects: [{ kind: 'vote', vote: step, round: state.round, valueId }],
})

const prevote = <V extends string>(state: State<V>, valueId: V | undefined) => vote(state, 'prevote', valueId)
const precommit = <V extends string>(state: State<V>, valueId: V | undefined) => vote(state, 'precommit', valueId)

const schedule = <V extends string>(state: State<V>, timeout: TimeoutKind): Transition<V> => ({
  state,
  effects: [{ kind: 'scheduleTimeout', timeout, round: state.round }],
})

const leaveFor = <V extends string>(state: State<V>, round: Round): Transition<V> => ({
  state: { ...state, step: 'unstarted' },
  effects: [{ kind: 'enterRound', round }],
})

const decide = <V extends string>(state: State<V>, round: Round, valueId: V): Transition<V> => ({
  state: { ...state, step: 'commit', decision: { valueId, round } },
  effects: [{ kind: 'decide', round, valueId }],
})
