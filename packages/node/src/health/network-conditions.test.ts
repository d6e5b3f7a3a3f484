import { createValidatorSet, DEFAULT_PARAMETERS, nobleCrypto, Power, Round, type ValidatorSet } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { testValidators } from '../../test/chain.ts'
import { type NetworkView, networkConditions, peersNeeded, stallMs, witnessesNeeded } from './network-conditions.ts'

const { set } = testValidators(nobleCrypto, 4)
const addressOf = (index: number) => set.validators[index]!.address
const view = (changes: Partial<NetworkView> = {}, header: object = {}): NetworkView => ({
  head: {
    header: { number: 10, timeMs: 1_000, ...header } as NetworkView['head']['header'],
    validators: set,
    nodes: [{ peerId: 'self', kind: 'validator', organisation: set.validators[0]!.id, addresses: [] }],
    parameters: DEFAULT_PARAMETERS,
  },
  self: 'self',
  validator: addressOf(0),
  peerCount: 3,
  highest: 10,
  nowMs: 1_000,
  silence: undefined,
  round: Round(0),
  headForMs: 0,
  ...changes,
})
const codes = (...args: Parameters<typeof view>) => networkConditions(view(...args)).map(({ code }) => code)

describe('the position in the network', () => {
  it('has no condition, or one for each problem', () => {
    expect(codes()).toEqual([])
    expect(codes({ self: 'other' })).toEqual(['not-registered'])
    expect(codes({ silence: 'its sign state was lost' })).toEqual(['silent'])
    expect(codes({ peerCount: 0 })).toEqual(['no-peers'])
    expect(codes({ peerCount: 1 })).toEqual(['no-quorum'])
    expect(codes({ peerCount: 2 })).toEqual([])
    expect([codes({ highest: 13 }), codes({ highest: 14 })]).toEqual([[], ['syncing']])
    const { clockPrecisionMs } = DEFAULT_PARAMETERS
    expect(codes({}, { timeMs: 1_000 + clockPrecisionMs })).toEqual([])
    expect(codes({}, { timeMs: 1_001 + clockPrecisionMs })).toEqual(['head-ahead'])
  })

  it('does not assume that peers are validators when it counts them', () => {
    expect(networkConditions(view({ peerCount: 1 }))[0]!.message).toBe(
      '1 peer is connected (followers included), but blocks need at least 2 other validators: start them, or check the network between them',
    )
    // All connected peers may be followers: only the missing blocks reveal it.
    expect(codes({ peerCount: 2, headForMs: 3_600_000, nowMs: 3_600_000 })).toEqual(['stalled'])
  })

  it('says how far behind the node is', () => {
    expect(networkConditions(view({ highest: 500 }))[0]!.message).toBe(
      'block 10 is 490 blocks behind block 500 of the peers: wait until the node has caught up',
    )
  })
})

const weighted = (...powers: readonly number[]): ValidatorSet =>
  createValidatorSet(set.validators.slice(0, powers.length).map((validator, i) => ({ ...validator, power: Power(powers[i]!) })))

describe('a stalled chain', () => {
  const { heartbeatIntervalMs } = DEFAULT_PARAMETERS
  const limitMs = stallMs(DEFAULT_PARAMETERS, set)

  it('is one without a block for longer than a working chain can be', () => {
    const nowMs = 3_600_000
    expect(codes({ headForMs: limitMs, nowMs })).toEqual([])
    expect(networkConditions(view({ headForMs: limitMs + 1_000, nowMs, round: Round(7) }))).toEqual([
      {
        code: 'stalled',
        message:
          `no new block for ${Math.floor(limitMs / 1_000) + 1} s: the head is block 10 of 1970-01-01T00:00:01.000Z, height 11 is in round 7, ` +
          '3 peers are connected. Validators with more than two thirds of the power must run, reach each other, sign and have the right ' +
          'time: check the other validators, their silent and clock-off warnings, and the network between them',
      },
    ])
  })

  it('is not reported before its first block is due, or right after a start', () => {
    expect(codes({ headForMs: 3_600_000, nowMs: 1_000 + limitMs })).toEqual([])
    expect(codes({ headForMs: 0, nowMs: 3_600_000 })).toEqual([])
  })

  it('is allowed a heartbeat, every proposer that may be down, and some slack', () => {
    expect(limitMs).toBeGreaterThan(heartbeatIntervalMs + 20_000)
    expect(limitMs).toBeLessThan(60_000)
    const hour = { ...DEFAULT_PARAMETERS, heartbeatIntervalMs: 3_600_000 }
    expect(stallMs(hour, set) - limitMs).toBe(3_600_000 - heartbeatIntervalMs)
    const many = testValidators(nobleCrypto, 31).set
    expect(stallMs(DEFAULT_PARAMETERS, many)).toBeGreaterThan(limitMs + 20_000)
    expect(stallMs(DEFAULT_PARAMETERS, many)).toBeLessThan(180_000)
    // Round 1 of such a chain lasts more than an hour, but no timeout is ever longer than its base.
    const slow = { ...DEFAULT_PARAMETERS, timeoutProposeMs: 3_600_000, timeoutDeltaMs: 3_600_000 }
    expect(stallMs(slow, set)).toBeLessThan(3 * (3_600_000 + 2 * 3_600_000) + limitMs)
  })
})

describe('the number of peers that must agree', () => {
  it('is one more than may be faulty, but at most the number of connected peers', () => {
    expect([weighted(1), weighted(1, 1, 1), weighted(1, 1, 1, 1)].map((of) => witnessesNeeded(of, 9))).toEqual([1, 1, 2])
    // The three weakest together have a quarter of the power.
    expect([weighted(9, 1, 1, 1), weighted(1, 9, 9, 9)].map((of) => witnessesNeeded(of, 9))).toEqual([4, 2])
    expect([0, 1, 2, 3].map((peers) => witnessesNeeded(set, peers))).toEqual([1, 1, 2, 2])
  })
})

describe('the number of peers that a block needs', () => {
  it('reaches more than two thirds of the power together with this node', () => {
    expect(peersNeeded(weighted(1), addressOf(0))).toBe(0)
    expect(peersNeeded(weighted(1, 1), addressOf(0))).toBe(1)
    expect(peersNeeded(weighted(1, 1, 1), addressOf(0))).toBe(2)
    expect(peersNeeded(weighted(1, 1, 1, 1), addressOf(0))).toBe(2)
    expect(peersNeeded(weighted(1, 9, 1, 1), addressOf(0))).toBe(1)
    expect(peersNeeded(weighted(9, 1, 1, 1), addressOf(0))).toBe(0)
    expect(peersNeeded(weighted(1, 1), addressOf(3))).toBe(1)
  })
})
