import { describe, expect, it } from 'vitest'
import { height, round } from '../test/fixtures.ts'
import type { Input } from './input.ts'
import type { Output } from './output.ts'
import { initialState, type RoundValue, type State, type Step } from './state.ts'
import { apply } from './transition.ts'

const STEPS: readonly Step[] = ['unstarted', 'propose', 'prevote', 'precommit', 'commit']
const on = (valueId: string, r: number): RoundValue<string> => ({ valueId, round: round(r) })
const at = (step: Step, more: Partial<State<string>> = {}): State<string> => ({
  ...initialState<string>(height(1)),
  round: round(3),
  step,
  ...more,
})
const info = (r: number, isProposer = false) => ({ round: round(r), isProposer })
const voteFor = (vote: 'prevote' | 'precommit', valueId?: string): Output<string> => ({
  kind: 'vote',
  vote,
  round: round(3),
  valueId,
})

/** For every input, the rounds (earlier, current, later than 3) and steps in which its rule applies. */
const APPLIES: readonly (readonly [Input<string>, readonly number[], readonly Step[]])[] = [
  [{ kind: 'newRound' }, [2, 3, 4], ['unstarted']],
  [{ kind: 'proposal', valueId: 'a' }, [3], ['propose']],
  [{ kind: 'invalidProposal' }, [3], ['propose']],
  [{ kind: 'proposalAndPolkaPrevious', valueId: 'a', polRound: round(1) }, [3], ['propose']],
  [{ kind: 'proposalAndPolkaPrevious', valueId: 'a', polRound: round(3) }, [], []],
  [{ kind: 'invalidProposalAndPolkaPrevious', valueId: 'a', polRound: round(1) }, [3], ['propose']],
  [{ kind: 'invalidProposalAndPolkaPrevious', valueId: 'a', polRound: round(3) }, [], []],
  [{ kind: 'polkaAny' }, [3], ['prevote']],
  [{ kind: 'proposalAndPolkaCurrent', valueId: 'a' }, [3], ['prevote', 'precommit']],
  [{ kind: 'polkaNil' }, [3], ['prevote']],
  [{ kind: 'precommitAny' }, [3], STEPS],
  [{ kind: 'proposalAndPrecommitValue', valueId: 'a' }, [2, 3, 4], ['unstarted', 'propose', 'prevote', 'precommit']],
  [{ kind: 'skipRound' }, [4], ['unstarted', 'propose', 'prevote', 'precommit']],
  [{ kind: 'timeoutPropose' }, [3], ['propose']],
  [{ kind: 'timeoutPrevote' }, [3], ['prevote']],
  [{ kind: 'timeoutPrecommit' }, [3], ['unstarted', 'propose', 'prevote', 'precommit']],
]

describe('a rule', () => {
  for (const [input, rounds, steps] of APPLIES) {
    it(`${input.kind} applies in its rounds and steps, and nowhere else`, () => {
      for (const r of [2, 3, 4]) {
        for (const step of STEPS) {
          const before = at(step)
          const { state, effects } = apply(before, info(r), input)
          const applied = state !== before || effects.length > 0
          expect([r, step, applied]).toEqual([r, step, rounds.includes(r) && steps.includes(step)])
        }
      }
    })
  }

  it('of proposing is the proposer’s', () => {
    const input = { kind: 'proposeValue', valueId: 'a' } as const
    expect(apply(at('propose'), info(3), input).effects).toEqual([])
    expect(apply(at('propose'), info(3, true), input).effects).toEqual([
      { kind: 'propose', round: 3, valueId: 'a', polRound: undefined },
    ])
    expect(apply(at('prevote'), info(3, true), input).effects).toEqual([])
  })
})

describe('prevoting', () => {
  const LOCKS = [undefined, on('a', 0), on('b', 0), on('b', 1), on('b', 2)]

  it('L23: a fresh value if not locked elsewhere', () => {
    const prevotes = LOCKS.map((locked) => apply(at('propose', { locked }), info(3), { kind: 'proposal', valueId: 'a' }).effects)
    expect(prevotes).toEqual([['a'], ['a'], [undefined], [undefined], [undefined]].map(([of]) => [voteFor('prevote', of)]))
  })

  it('L29: a value proposed again if not locked elsewhere after its proof of lock', () => {
    const input = { kind: 'proposalAndPolkaPrevious', valueId: 'a', polRound: round(1) } as const
    const prevotes = LOCKS.map((locked) => apply(at('propose', { locked }), info(3), input).effects)
    expect(prevotes).toEqual([['a'], ['a'], ['a'], ['a'], [undefined]].map(([of]) => [voteFor('prevote', of)]))
  })

  it('does not touch the lock (only L36 does)', () => {
    const locked = on('b', 0)
    const input = { kind: 'proposalAndPolkaPrevious', valueId: 'a', polRound: round(1) } as const
    expect(apply(at('propose', { locked }), info(3), input).state).toEqual(at('prevote', { locked }))
  })
})

describe('a polka of the round', () => {
  it('L36 to L43: locks and precommits in prevote', () => {
    const { state, effects } = apply(at('prevote', { locked: on('b', 0) }), info(3), {
      kind: 'proposalAndPolkaCurrent',
      valueId: 'a',
    })
    expect([state, effects]).toEqual([at('precommit', { locked: on('a', 3), valid: on('a', 3) }), [voteFor('precommit', 'a')]])
  })

  it('L42: only sets validValue after the precommit', () => {
    const { state, effects } = apply(at('precommit', { locked: on('b', 0) }), info(3), {
      kind: 'proposalAndPolkaCurrent',
      valueId: 'a',
    })
    expect([state, effects]).toEqual([at('precommit', { locked: on('b', 0), valid: on('a', 3) }), []])
  })
})

describe('a new round', () => {
  const start = (valid: RoundValue<string> | undefined, isProposer: boolean) =>
    apply(at('unstarted', { valid }), info(4, isProposer), { kind: 'newRound' })

  it('L16: proposes validValue again with its round', () => {
    expect(start(on('a', 2), true).effects).toEqual([{ kind: 'propose', round: 4, valueId: 'a', polRound: 2 }])
  })

  it('L18: or asks for a value; L21: or waits', () => {
    const waits = { kind: 'scheduleTimeout', timeout: 'propose', round: 4 }
    expect(start(undefined, true).effects).toEqual([waits, { kind: 'getValue', round: 4 }])
    expect(start(on('a', 2), false).effects).toEqual([waits])
  })

  it('keeps lock and validValue (L65, L55)', () => {
    const locked = on('a', 2)
    for (const [r, input] of [
      [3, 'timeoutPrecommit'],
      [7, 'skipRound'],
    ] as const) {
      const left = apply(at('precommit', { locked, valid: locked }), info(r), { kind: input })
      expect(left).toEqual({
        state: at('unstarted', { locked, valid: locked }),
        effects: [{ kind: 'enterRound', round: input === 'skipRound' ? 7 : 4 }],
      })
    }
  })
})

it('L49 decides for a round of the past', () => {
  expect(apply(at('propose'), info(1), { kind: 'proposalAndPrecommitValue', valueId: 'a' })).toEqual({
    state: at('commit', { decision: on('a', 1) }),
    effects: [{ kind: 'decide', round: 1, valueId: 'a' }],
  })
})
