import { ROLES } from '@quoin/protocol'
import fc from 'fast-check'
import type { Hex } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runs } from '../../../../test/long.ts'
import { ChainError, ContractRevert, type SnapshotId } from '../../src/testing/index.ts'
import { type Act, Model } from './model.ts'
import {
  type Call,
  chainCall,
  idOf,
  MEMBERS,
  nameRole,
  RULES,
  type Rules,
  rulesTuple,
  Stage,
  setAccount,
  suspend,
} from './stage.ts'

const QUICK: Rules = { ...RULES, votingTime: 20n, timeLock: 10n, executionTime: 30n }
const NAMES = MEMBERS.map(({ name }) => name)
const organisation = fc.constantFrom(...NAMES)

const rules: fc.Arbitrary<Act> = fc.oneof(
  fc
    .record({
      quorum: fc.integer({ min: 1, max: 10_000 }),
      threshold: fc.integer({ min: 5_001, max: 10_000 }),
      votingTime: fc.bigInt({ min: 1n, max: 60n }),
      timeLock: fc.constantFrom(0n, 1n, 40n),
      executionTime: fc.bigInt({ min: 1n, max: 60n }),
    })
    .map(
      (some): Act => ({ kind: 'rules', rules: { ...some, emergencyThreshold: Math.max(some.threshold, 9_000) }, valid: true }),
    ),
  fc.constant<Act>({ kind: 'rules', rules: { ...QUICK, quorum: 0 }, valid: false }),
)

/** `account` is a position in the list of accounts. */
type Drawn =
  | Act
  | {
      readonly kind: 'account'
      readonly at: number
      readonly organisation: string
      readonly voter: boolean
      readonly suspended: boolean
    }
const act: fc.Arbitrary<Drawn> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('name' as const), name: fc.constantFrom('teller', 'clerk', 'pilot') }) },
  { weight: 1, arbitrary: fc.constant<Act>({ kind: 'fail' }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('votes' as const), organisation, votes: fc.integer({ min: 0, max: 8 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('account' as const),
      at: fc.nat(6),
      organisation,
      voter: fc.boolean(),
      suspended: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: rules },
)
const acts: fc.Arbitrary<readonly Drawn[]> = fc.oneof(
  { weight: 4, arbitrary: fc.array(act, { minLength: 1, maxLength: 3 }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('suspend' as const), organisation, suspended: fc.boolean() }).map((one) => [one]),
  },
  {
    weight: 1,
    arbitrary: fc.array(
      fc.oneof(
        act,
        organisation.map((name): Act => ({ kind: 'suspend', organisation: name, suspended: true })),
      ),
      { maxLength: 2 },
    ),
  },
)

type Step =
  | { readonly kind: 'propose'; readonly at: number; readonly acts: readonly Drawn[]; readonly emergency: boolean }
  | { readonly kind: 'vote'; readonly at: number; readonly back: number; readonly support: number }
  | { readonly kind: 'cancel'; readonly at: number; readonly back: number }
  | { readonly kind: 'execute'; readonly at: number; readonly back: number; readonly isSame: boolean }
  | { readonly kind: 'everybody'; readonly back: number }
  | { readonly kind: 'pass'; readonly blocks: number }
  /** Proposes by the emergency path, lets everybody vote for it, and executes it. */
  | { readonly kind: 'decide'; readonly at: number; readonly acts: readonly Drawn[] }

const at = fc.nat(7)
/** The last proposals, most of the time. */
const back = fc.oneof({ weight: 8, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.integer({ min: -1, max: 8 }) })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('propose' as const), at, acts, emergency: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('vote' as const), at, back, support: fc.constantFrom(0, 1, 1, 1, 2, 3) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), at, back }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('execute' as const), at, back, isSame: fc.constantFrom(true, true, true, false) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('everybody' as const), back }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('decide' as const), at, acts }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const), blocks: fc.constantFrom(1, 5, 31, 32, 33) }) },
)

/** The contract and its model, side by side. */
class Pair {
  readonly stage: Stage
  readonly model: Model
  readonly accounts: readonly Hex[]
  readonly #calls: (readonly Call[])[] = []
  executed = 0
  steps = 0

  constructor(stage: Stage) {
    this.stage = stage
    this.accounts = [...Object.values(stage.voters).flat(), ...stage.chain.accounts.slice(40, 42), stage.outsider]
    const members = new Map(MEMBERS.map(({ name, votes }) => [name, { votes, voters: stage.voters[name]! }]))
    this.model = new Model(Number(stage.chain.block.number), Number(stage.chain.block.timestamp), QUICK, members)
  }

  #actOf(drawn: Drawn): Act {
    if (drawn.kind !== 'account' || !('at' in drawn)) return drawn
    const { at: position, ...rest } = drawn
    return { ...rest, account: this.accounts[position]! }
  }

  #callOf(one: Act): Call {
    switch (one.kind) {
      case 'name':
        return nameRole(one.name)
      case 'fail':
        return chainCall('setPolicy', 'sending', 'nobody')
      case 'votes':
        return chainCall('setOrganisation', idOf(one.organisation), one.organisation, one.votes, 1, 0)
      case 'account':
        return setAccount(one.account as Hex, one.organisation, one.voter ? ROLES.voter : ROLES.reader, one.suspended)
      case 'suspend':
        return suspend(one.organisation, one.suspended)
      case 'rules':
        return this.stage.own('setRules', ...rulesTuple(one.rules))
    }
  }

  /** Sends a transaction and compares how it ends. */
  async #both(by: Hex, name: string, args: readonly unknown[], predicted: () => string): Promise<void> {
    this.steps++
    const { chain } = this.stage
    const next = { number: Number(chain.block.number) + 1, time: Number(chain.block.timestamp) + 1 }
    const sent = await this.stage.send(name, args, by).then(
      () => 'ok',
      (error: unknown) => {
        if (error instanceof ContractRevert) return error.errorName ?? error.message
        if (error instanceof ChainError) return 'not admitted'
        throw error
      },
    )
    if (!this.model.maySend(by)) return expect(sent).toBe('not admitted')
    this.model.begin(next.number, next.time)
    expect(`${name}: ${sent}`).toBe(`${name}: ${predicted()}`)
  }

  #idOf(of: number): number {
    return this.model.proposals.length - 1 - of
  }

  async run(taken: Step): Promise<void> {
    const { stage, model } = this
    const by = this.accounts[('at' in taken ? taken.at : 0) % this.accounts.length]!
    switch (taken.kind) {
      case 'propose': {
        const given = taken.acts.map((drawn) => this.#actOf(drawn))
        const calls = given.map((one) => this.#callOf(one))
        await this.#both(by, 'propose', [calls, '', idOf('document'), taken.emergency], () =>
          model.propose(by, given, taken.emergency),
        )
        if (model.proposals.length > this.#calls.length) this.#calls.push(calls)
        return
      }
      case 'vote':
        return this.#vote(by, this.#idOf(taken.back), taken.support)
      case 'everybody':
        for (const voter of this.accounts.slice(0, 5)) await this.#vote(voter, this.#idOf(taken.back), 1)
        return
      case 'cancel': {
        const id = this.#idOf(taken.back)
        if (id >= 0) await this.#both(by, 'cancel', [id], () => model.cancel(by, id))
        return
      }
      case 'execute': {
        const id = this.#idOf(taken.back)
        if (id < 0) return
        const calls = taken.isSame ? (this.#calls[id] ?? []) : [nameRole('other')]
        await this.#both(by, 'execute', [id, calls], () => model.execute(id, taken.isSame))
        this.executed = model.proposals.filter(({ outcome }) => outcome === 'executed').length
        return
      }
      case 'decide':
        await this.run({ ...taken, kind: 'propose', emergency: true })
        await this.run({ kind: 'everybody', back: 0 })
        return this.run({ ...taken, kind: 'execute', back: 0, isSame: true })
      case 'pass':
        await stage.chain.mine(taken.blocks)
        model.begin(Number(stage.chain.block.number), Number(stage.chain.block.timestamp))
    }
  }

  async #vote(by: Hex, id: number, support: number): Promise<void> {
    if (id >= 0) await this.#both(by, 'vote', [id, support], () => this.model.vote(by, id, support))
  }

  /** Compares everything that both tell. */
  async compare(): Promise<void> {
    const { stage, model } = this
    expect(await stage.read('proposalCount')).toBe(BigInt(model.proposals.length))
    expect(await stage.read('rules')).toEqual(rulesTuple(model.rules))
    expect(await stage.tells('roleName', 16)).toBe(model.name)
    for (let id = Math.max(0, model.proposals.length - 2); id < model.proposals.length; id++) {
      expect([id, await stage.stateOf(BigInt(id))]).toEqual([id, model.stateOf(id)])
      expect(await stage.read('tally', [id])).toEqual(model.tally(id))
    }
  }
}

describe('the governor and a plain model of it', () => {
  let stage: Stage
  let start: SnapshotId
  beforeAll(async () => {
    stage = await Stage.open({ rules: QUICK })
    await stage.chain.mine()
    start = stage.chain.snapshot()
  })
  afterAll(() => stage.close())

  it('do the same, whatever happens', { timeout: runs(120_000) }, async () => {
    let [executed, steps] = [0, 0]
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 60, size: 'max' }), async (taken) => {
        await stage.chain.revert(start)
        const pair = new Pair(stage)
        for (const each of taken) {
          await pair.run(each)
          await pair.compare()
        }
        executed += pair.executed
        steps += pair.steps
      }),
      { numRuns: runs(25), endOnFailure: true },
    )
    // Some of 1,000 steps decide and execute something, and it is the model that says so.
    expect(executed).toBeGreaterThan(10)
    expect(steps).toBeGreaterThan(1_000)
  })
})
