import { beforeEach, describe, expect, it } from 'vitest'
import { address, commit, FOUR, height, polka, precommit, prevote, proposal, round, value } from '../test/fixtures.ts'
import { inTurn, Network, startInput } from '../test/network.ts'
import { Driver } from './driver.ts'
import type { DriverInput } from './driver-input.ts'
import type { Effect } from './effect.ts'
import { CONSENSUS_LIMITS } from './limits.ts'

let driver: Driver
let effects: Effect[]

/** Passes inputs to the driver. `effects` has the effects of the last call. */
function give(...inputs: DriverInput[]): void {
  effects = inputs.flatMap((input) => driver.step(input).effects)
}

const votes = (...list: ReturnType<typeof prevote>[]): DriverInput[] => list.map((vote) => ({ kind: 'vote', vote }))
/** A certificate that f+1 are in a round, because single votes of rounds far ahead are refused. */
const skipTo = (r: number): DriverInput => {
  const by = (name: string) =>
    ({ kind: 'prevote', validator: address(name), valueId: undefined, signature: new Uint8Array(64) }) as const
  return {
    kind: 'roundCertificate',
    certificate: { height: height(1), round: round(r), reason: 'skip', votes: [by('v1'), by('v2')] },
  }
}
const proposed = (r: number, by: string, of: string, polRound?: number, certified?: readonly string[]): DriverInput => ({
  kind: 'proposal',
  proposal: proposal(r, by, of, polRound),
  polka: certified && polka(polRound!, of, certified),
})
const judged = (r: number, of: string, valid = true, fresh = true): DriverInput => ({
  kind: 'valueValidated',
  height: height(1),
  round: round(r),
  valueId: value(of),
  valid,
  fresh,
})
const timeout = (kind: 'propose' | 'prevote' | 'precommit', r: number): DriverInput => ({
  kind: 'timeout',
  timeout: kind,
  height: height(1),
  round: round(r),
})

const voted = (kind: 'prevote' | 'precommit', r: number, of?: string): Effect => ({
  kind: 'vote',
  vote: { kind, height: height(1), round: round(r), valueId: of === undefined ? undefined : value(of), validator: address('v4') },
})
const kinds = () => effects.map(({ kind }) => kind)

/** Ends round 0 without decision, with v4 locked on `a` by a polka. */
const lockOnA = (): void => {
  give(proposed(0, 'v1', 'a'), judged(0, 'a'))
  give(...votes(prevote(0, 'v1', 'a'), prevote(0, 'v2', 'a'), prevote(0, 'v4', 'a')))
  expect(effects).toContainEqual(voted('precommit', 0, 'a'))
  give(...votes(precommit(0, 'v2'), precommit(0, 'v3'), precommit(0, 'v4', 'a')), timeout('precommit', 0))
  expect(driver.state).toMatchObject({ round: 1, step: 'propose', locked: { round: 0, valueId: value('a') } })
}

beforeEach(() => {
  driver = new Driver(inTurn)
  give(startInput('v4'))
})

describe('incident 1: a fresh proposal prevoted in spite of a lock', () => {
  it('L23: locked on a, a fresh b gets nil, a fresh a gets a', () => {
    lockOnA()
    give(proposed(1, 'v2', 'b'), judged(1, 'b'))
    expect(effects).toContainEqual(voted('prevote', 1))
    give(...votes(precommit(1, 'v1'), precommit(1, 'v2'), precommit(1, 'v3')), timeout('precommit', 1))
    give(proposed(2, 'v3', 'a'), judged(2, 'a'))
    expect(effects).toContainEqual(voted('prevote', 2, 'a'))
  })

  it('L29: a proof of lock no older than the lock unlocks, and only with its polka', () => {
    lockOnA()
    give(...votes(precommit(1, 'v1'), precommit(1, 'v2'), precommit(1, 'v3')), timeout('precommit', 1))
    give(proposed(2, 'v3', 'b', 1), judged(2, 'b'))
    expect(effects).toEqual([expect.objectContaining({ kind: 'validateValue', polRound: 1 })])
    give(...votes(prevote(1, 'v1', 'b'), prevote(1, 'v2', 'b')))
    expect(effects).toEqual([])
    give(...votes(prevote(1, 'v3', 'b')))
    expect(effects).toEqual([voted('prevote', 2, 'b')])
    expect(driver.state?.locked).toEqual({ valueId: value('a'), round: 0 })
  })

  it('L29: a proof of lock older than the lock does not unlock', () => {
    give(...votes(precommit(0, 'v1'), precommit(0, 'v2'), precommit(0, 'v3')), timeout('precommit', 0))
    give(proposed(1, 'v2', 'a'), judged(1, 'a'), ...votes(prevote(1, 'v1', 'a'), prevote(1, 'v2', 'a'), prevote(1, 'v3', 'a')))
    expect(driver.state?.locked).toEqual({ valueId: value('a'), round: 1 })
    give(...votes(precommit(1, 'v1'), precommit(1, 'v2'), precommit(1, 'v3')), timeout('precommit', 1))
    give(proposed(2, 'v3', 'b', 0, ['v1', 'v2', 'v3']), judged(2, 'b'))
    expect(effects).toContainEqual(voted('prevote', 2))
  })
})

describe('incident 4: a hidden lock', () => {
  /** Only v1 receives v4's prevote, and locks in round 0. Then v4 is silent, so every quorum needs all of the other three. */
  function hideLock(certificates: boolean): Network {
    const network = new Network(['v1', 'v2', 'v3'], certificates)
    const [v1] = [...network.nodes.values()]
    while (v1!.tasks.length > 0) network.give(v1!, v1!.tasks.shift()!)
    // v3 misses the proposal and prevotes nil, so that v2 sees 2 of 4 for the value
    const isProposalTo3 = network.messages.findIndex(({ to, input }) => to === 'v3' && input.kind === 'proposal')
    network.messages.splice(isProposalTo3, 1)
    network.drain()
    network.inject('v1', prevote(0, 'v4', 'v1r0'))
    network.drain()
    expect([...network.nodes.values()].map(({ driver: { state } }) => state?.locked?.round)).toEqual([0, undefined, undefined])
    return network
  }

  /** Nodes do not repeat messages of earlier rounds, so only proposals and certificates can reveal the lock. */
  function run(network: Network, roundsMax: number): boolean {
    for (let i = 0; i < 3 * roundsMax; i++) {
      network.drain()
      for (const node of network.nodes.values()) {
        const timer = node.timers.findIndex(({ round: r }) => r === node.driver.state?.round)
        if (timer >= 0) network.give(node, node.timers.splice(timer, 1)[0]!)
      }
    }
    return [...network.nodes.values()].every(({ decided }) => decided !== undefined)
  }

  it('stops the chain forever without certificates, as in the paper', () => expect(run(hideLock(false), 40)).toBe(false))
  it('ends when the locked validator proposes again, with its polka', () => {
    const network = hideLock(true)
    expect(run(network, 6)).toBe(true)
    expect([...network.nodes.values()].map(({ decided }) => decided!.valueId)).toEqual([
      value('v1r0'),
      value('v1r0'),
      value('v1r0'),
    ])
  })

  it('a validator that voted twice does not spoil the polka that others saw', () => {
    give(
      ...votes(prevote(0, 'v3')),
      ...votes(precommit(0, 'v1'), precommit(0, 'v2'), precommit(0, 'v3')),
      timeout('precommit', 0),
    )
    give(proposed(1, 'v2', 'a', 0, ['v1', 'v2', 'v3']), judged(1, 'a'))
    expect(kinds()).toEqual(['evidence', 'validateValue', 'vote'])
    expect(effects).toContainEqual(voted('prevote', 1, 'a'))
  })
})

describe('incident 6: validators spread over rounds 6 to 10', () => {
  it('meet by f+1 votes and clear the timers of the rounds they left', () => {
    give(...votes(prevote(6, 'v1'), prevote(8, 'v2'), prevote(10, 'v3')))
    expect(driver.state).toMatchObject({ round: 0 })
    give(...votes(prevote(10, 'v2')))
    expect(effects).toEqual([
      { kind: 'newRound', height: 1, round: 10, proposer: address('v3') },
      { kind: 'scheduleTimeout', timeout: 'propose', height: 1, round: 10 },
    ])
    give(timeout('propose', 0), timeout('propose', 6))
    expect(effects).toEqual([])
  })

  it('come together by the certificate of the furthest', () => {
    const ahead = new Driver(inTurn)
    ahead.step(startInput('v1'))
    for (const input of [...votes(precommit(9, 'v1'), precommit(9, 'v2'), precommit(9, 'v3')), timeout('precommit', 9)])
      ahead.step(input)
    const certificate = ahead.rebroadcast().roundCertificate!
    expect(certificate).toMatchObject({ round: 10, reason: 'precommit-any' })
    give({ kind: 'roundCertificate', certificate })
    expect(driver.state?.round).toBe(9)
    expect(effects.at(-1)).toMatchObject({ kind: 'scheduleTimeout', timeout: 'precommit', round: 9 })
    give(timeout('precommit', 9))
    expect(driver.state?.round).toBe(10)
    give({ kind: 'roundCertificate', certificate })
    expect(driver.step({ kind: 'roundCertificate', certificate }).refusal).toEqual({ verdict: 'ignore', code: 'duplicate' })
  })

  it('a skip leaves a certificate of the votes that caused it', () => {
    give(...votes(prevote(3, 'v1', 'a'), precommit(3, 'v1', 'a'), precommit(3, 'v2')))
    const { roundCertificate } = driver.rebroadcast()
    expect(roundCertificate).toMatchObject({
      round: 3,
      reason: 'skip',
      votes: [{ validator: address('v1') }, { validator: address('v2') }],
    })
  })
})

describe('values that are judged later', () => {
  it('block no timeout: nil, and still a precommit when the verdict comes', () => {
    give(proposed(0, 'v1', 'a'), timeout('propose', 0))
    expect(effects).toEqual([expect.objectContaining({ kind: 'validateValue', valueId: value('a') }), voted('prevote', 0)])
    give(...votes(prevote(0, 'v1', 'a'), prevote(0, 'v2', 'a'), prevote(0, 'v3', 'a')))
    expect(kinds()).toEqual(['scheduleTimeout', 'needValue'])
    give(judged(0, 'a'))
    expect(effects).toEqual([voted('precommit', 0, 'a')])
  })

  it('found invalid, or not fresh, get nil', () => {
    give(proposed(0, 'v1', 'a'), judged(0, 'a', false))
    expect(effects).toContainEqual(voted('prevote', 0))
    driver = new Driver(inTurn)
    give(startInput('v4'), proposed(0, 'v1', 'a'), judged(0, 'a', true, false))
    expect(effects).toContainEqual(voted('prevote', 0))
    // freshness does not matter for locking: the others found the proposal timely
    give(...votes(prevote(0, 'v1', 'a'), prevote(0, 'v2', 'a'), prevote(0, 'v3', 'a')))
    expect(effects).toEqual([voted('precommit', 0, 'a')])
  })

  it('L32: an invalid re-proposal gets nil once its polka is there', () => {
    give(...votes(precommit(0, 'v1'), precommit(0, 'v2'), precommit(0, 'v3')), timeout('precommit', 0))
    give(proposed(1, 'v2', 'x', 0), judged(1, 'x', false))
    expect(kinds()).toEqual(['validateValue'])
    give({ kind: 'polkaCertificate', certificate: polka(0, 'x', ['v1', 'v2', 'v3']) })
    expect(effects).toEqual([voted('prevote', 1)])
  })

  it('are asked for again in a later round only for what is not known', () => {
    give(proposed(0, 'v1', 'a'), judged(0, 'a'))
    give(...votes(precommit(0, 'v1'), precommit(0, 'v2'), precommit(0, 'v3')), timeout('precommit', 0))
    give(proposed(1, 'v2', 'a'))
    expect(kinds()).toEqual(['validateValue']) // a fresh proposal of another round needs its own verdict `fresh`
    give(...votes(precommit(1, 'v1'), precommit(1, 'v2'), precommit(1, 'v3')), timeout('precommit', 1))
    give(proposed(2, 'v3', 'a', 1, ['v1', 'v2', 'v3']))
    expect(effects).toContainEqual(voted('prevote', 2, 'a')) // a re-proposal is not judged for freshness
    expect(kinds()).not.toContain('validateValue')
  })

  it('of rounds ahead are asked for when the round begins', () => {
    give(proposed(1, 'v2', 'b'))
    expect(effects).toEqual([])
    give(...votes(prevote(1, 'v1'), prevote(1, 'v2', 'b')))
    expect(effects.at(-1)).toMatchObject({ kind: 'validateValue', round: 1, valueId: value('b') })
  })
})

describe('proposing', () => {
  it('L18: asks for a value once a round, and proposes the first answer', () => {
    driver = new Driver(inTurn)
    give(startInput('v1'))
    expect(kinds()).toEqual(['newRound', 'scheduleTimeout', 'getValue'])
    const built = (of: string): DriverInput => ({ kind: 'valueBuilt', height: height(1), round: round(0), valueId: value(of) })
    give(built('a'))
    expect(effects).toEqual([
      {
        kind: 'propose',
        proposal: { height: 1, round: 0, valueId: value('a'), polRound: undefined, proposer: address('v1') },
        polka: undefined,
      },
    ])
    expect(driver.step(built('b'))).toEqual({ effects: [], refusal: { verdict: 'ignore', code: 'late' } })
    give(proposed(0, 'v1', 'a'))
    // No validateValue: the own value has had its verdict since it was built.
    expect(effects).toMatchObject([{ kind: 'vote', vote: { kind: 'prevote', valueId: value('a') } }])
  })

  it('L16, L42: proposes validValue again with its polka, though it precommitted nil', () => {
    give(proposed(0, 'v1', 'a'), judged(0, 'a'), ...votes(prevote(0, 'v1', 'a'), prevote(0, 'v2', 'a'), prevote(0, 'v4')))
    give(timeout('prevote', 0))
    expect(effects).toEqual([voted('precommit', 0)])
    give(...votes(prevote(0, 'v3', 'a')))
    expect(driver.state).toMatchObject({ locked: undefined, valid: { valueId: value('a'), round: 0 } })
    give(...votes(prevote(3, 'v1'), prevote(3, 'v2')))
    expect(effects.slice(1)).toMatchObject([
      { kind: 'propose', proposal: { round: 3, valueId: value('a'), polRound: 0 }, polka: { round: 0, valueId: value('a') } },
      { kind: 'scheduleTimeout', timeout: 'propose', round: 3 },
    ])
    const { signatures } = (effects[1] as Extract<Effect, { kind: 'propose' }>).polka!
    expect(signatures.map(({ validator }) => validator)).toEqual(['v1', 'v2', 'v3'].map(address))
  })

  it('L16: proposes a validValue again with its polka, though the prevotes were forgotten', () => {
    give(proposed(0, 'v1', 'a'), judged(0, 'a'), ...votes(prevote(0, 'v1', 'a'), prevote(0, 'v2', 'a'), prevote(0, 'v4', 'a')))
    // v4 proposes in round 67. The first of two skips does not prune anything yet.
    for (const r of [3, CONSENSUS_LIMITS.pastRoundsMax + 3]) give(...votes(prevote(r, 'v1'), prevote(r, 'v2')))
    expect(driver.votes(round(0), 'prevote')).toEqual([])
    expect(effects).toContainEqual(expect.objectContaining({ kind: 'propose', polka: polka(0, 'a', ['v1', 'v2', 'v4']) }))
    expect(driver.rebroadcast().polkaCertificate).toEqual(polka(0, 'a', ['v1', 'v2', 'v4']))
  })

  it('publishes the polka of a precommit from round 1 on', () => {
    give(...votes(precommit(0, 'v1'), precommit(0, 'v2'), precommit(0, 'v3')), timeout('precommit', 0))
    give(proposed(1, 'v2', 'a'), judged(1, 'a'), ...votes(prevote(1, 'v1', 'a'), prevote(1, 'v2', 'a'), prevote(1, 'v4', 'a')))
    expect(effects.slice(-2)).toEqual([
      voted('precommit', 1, 'a'),
      { kind: 'publishPolkaCertificate', certificate: polka(1, 'a', ['v1', 'v2', 'v4']) },
    ])
  })
})

describe('votes', () => {
  it('a polka for nil survives precommits that came first (L44, L47)', () => {
    give(
      ...votes(precommit(0, 'v1'), precommit(0, 'v2'), precommit(0, 'v3'), prevote(0, 'v1'), prevote(0, 'v2'), prevote(0, 'v3')),
    )
    expect(effects).toEqual([{ kind: 'scheduleTimeout', timeout: 'precommit', height: 1, round: 0 }])
    give(timeout('propose', 0))
    expect(effects).toEqual([voted('prevote', 0), voted('precommit', 0)])
  })

  it('2f+1 prevotes for anything survive them too (L34, L47)', () => {
    give(
      ...votes(
        precommit(0, 'v1'),
        precommit(0, 'v2'),
        precommit(0, 'v3'),
        prevote(0, 'v1', 'a'),
        prevote(0, 'v2'),
        prevote(0, 'v3'),
      ),
    )
    give(timeout('propose', 0))
    expect(effects).toEqual([voted('prevote', 0), { kind: 'scheduleTimeout', timeout: 'prevote', height: 1, round: 0 }])
  })

  it('both proposals of an equivocating proposer are looked at', () => {
    give(proposed(0, 'v1', 'b'), proposed(0, 'v1', 'a'))
    expect(kinds()).toEqual(['validateValue', 'evidence', 'validateValue'])
    give(judged(0, 'b'))
    expect(effects).toEqual([voted('prevote', 0, 'b')])
    give(judged(0, 'a'), ...votes(prevote(0, 'v1', 'a'), prevote(0, 'v2', 'a'), prevote(0, 'v3', 'a')))
    expect(effects).toEqual([voted('precommit', 0, 'a')])
  })

  it('are never requested of a node that is not a validator', () => {
    for (const self of [undefined, 'v9']) {
      driver = new Driver(inTurn)
      give(startInput(self), proposed(0, 'v1', 'a'), judged(0, 'a'))
      give(...['v1', 'v2', 'v3'].flatMap((by) => votes(prevote(0, by, 'a'), precommit(0, by, 'a'))))
      expect(kinds()).toEqual(['decide'])
    }
  })
})

describe('deciding', () => {
  const all = votes(precommit(7, 'v1', 'a'), precommit(7, 'v2', 'a'), precommit(7, 'v3', 'a'))

  it('L49: from a later round, after the value is there', () => {
    give(...all)
    expect(effects.at(-1)).toEqual({ kind: 'needValue', height: 1, round: 7, valueId: value('a'), reason: 'precommit' })
    give(judged(7, 'a'))
    expect(effects).toEqual([
      { kind: 'decide', height: 1, round: 7, valueId: value('a'), certificate: commit(7, 'a', ['v1', 'v2', 'v3']) },
    ])
    expect(driver.step(all[0]!).refusal).toEqual({ verdict: 'ignore', code: 'decided' })
    expect(driver.rebroadcast().votes).toEqual([])
  })

  it('L49: from an earlier round', () => {
    lockOnA()
    give(...votes(precommit(0, 'v1', 'a')))
    expect(effects).toEqual([])
    driver = new Driver(inTurn)
    give(startInput('v4'), proposed(0, 'v1', 'a'), judged(0, 'a'), ...votes(prevote(5, 'v1'), prevote(5, 'v2')))
    give(...votes(precommit(0, 'v1', 'a'), precommit(0, 'v2', 'a'), precommit(0, 'v3', 'a')))
    expect(effects).toMatchObject([{ kind: 'decide', round: 0 }])
  })

  it('of an early round, though its votes were forgotten before the value came', () => {
    give(...votes(precommit(0, 'v1', 'a'), precommit(0, 'v2', 'a'), precommit(0, 'v3', 'a')))
    const late = CONSENSUS_LIMITS.pastRoundsMax + 1
    // A certificate of more than f, because single votes so far ahead are refused.
    give(skipTo(late))
    expect([driver.state?.round, driver.votes(round(0), 'precommit')]).toEqual([late, []])
    give(judged(0, 'a'))
    expect(effects).toEqual([
      { kind: 'decide', height: 1, round: 0, valueId: value('a'), certificate: commit(0, 'a', ['v1', 'v2', 'v3']) },
    ])
  })

  it('by a certificate, even if one of its signers told us something else', () => {
    const certificate = commit(2, 'a', ['v1', 'v2', 'v3'])
    give(judged(0, 'a'), ...votes(precommit(2, 'v3')))
    give({ kind: 'commitCertificate', certificate })
    expect(kinds()).toEqual(
      ['evidence', 'newRound', 'scheduleTimeout', 'decide'].filter((kind) => kinds().includes(kind as never)),
    )
    expect(effects.at(-1)).toEqual({ kind: 'decide', height: 1, round: 2, valueId: value('a'), certificate })
  })

  it('for a value found invalid stops the node', () => {
    give(judged(7, 'a', false), ...all)
    expect(effects.at(-1)).toEqual({ kind: 'invalidDecision', certificate: commit(7, 'a', ['v1', 'v2', 'v3']) })
    give(...votes(precommit(7, 'v4', 'a')))
    expect(effects).toEqual([])
  })
})

describe('refusals', () => {
  const refusal = (input: DriverInput) => driver.step(input).refusal

  it('tell an honest peer from one that is not', () => {
    expect(refusal({ kind: 'vote', vote: prevote(0, 'v1', 'a', 2) })).toEqual({ verdict: 'ignore', code: 'height' })
    expect(refusal({ kind: 'vote', vote: prevote(0, 'v9', 'a') })).toEqual({ verdict: 'reject', code: 'unknown-validator' })
    expect(refusal(proposed(0, 'v2', 'a'))).toEqual({ verdict: 'reject', code: 'not-proposer' })
    expect(refusal(proposed(0, 'v9', 'a'))).toEqual({ verdict: 'reject', code: 'unknown-validator' })
    expect(refusal(proposed(1, 'v2', 'a', 1))).toEqual({ verdict: 'reject', code: 'polka-mismatch' })
    const mismatched: DriverInput = {
      kind: 'proposal',
      proposal: proposal(1, 'v2', 'a', 0),
      polka: polka(0, 'b', ['v1', 'v2', 'v3']),
    }
    expect(refusal(mismatched)).toEqual({ verdict: 'reject', code: 'polka-mismatch' })
    expect(refusal(timeout('prevote', 0))).toEqual({ verdict: 'ignore', code: 'late' })
    expect(refusal(judged(0, 'a'))).toBeUndefined()
    expect(refusal(judged(0, 'a'))).toEqual({ verdict: 'ignore', code: 'duplicate' })
  })

  it('before the first height are of height', () => {
    expect(new Driver().step(timeout('propose', 0)).refusal).toEqual({ verdict: 'ignore', code: 'height' })
  })
})

describe('a new height', () => {
  it('forgets the one before', () => {
    lockOnA()
    give({ kind: 'startHeight', height: height(2), validators: FOUR, self: address('v4') })
    expect(driver.state).toEqual({
      height: 2,
      round: 0,
      step: 'propose',
      locked: undefined,
      valid: undefined,
      decision: undefined,
    })
  })
})

describe('rounds far ahead', () => {
  const { roundsAheadMax } = CONSENSUS_LIMITS
  const codeOf = (input: DriverInput) => driver.step(input).refusal?.code

  it('of single votes and proposals are refused, because a validator could sign for every round', () => {
    expect(codeOf({ kind: 'vote', vote: prevote(roundsAheadMax, 'v1', 'a') })).toBeUndefined()
    expect(codeOf({ kind: 'vote', vote: prevote(roundsAheadMax + 1, 'v2', 'a') })).toBe('far-round')
    expect(codeOf(proposed(roundsAheadMax + 1, 'v2', 'a'))).toBe('far-round')
    expect(driver.state?.round).toBe(0)
  })

  it('are reached by a certificate, however far', () => {
    const far = 1_000 * roundsAheadMax
    give(skipTo(far))
    expect(driver.state?.round).toBe(far)
  })
})
