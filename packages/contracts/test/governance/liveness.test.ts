import { DEFAULT_PARAMETERS, LIMITS, PARAMETER_RANGES, ROLES } from '@quoin/protocol'
import fc from 'fast-check'
import type { Hex } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runs } from '../../../../test/long.ts'
import { ContractRevert, type SnapshotId } from '../../src/testing/index.ts'
import {
  type Call,
  CHAIN,
  chainCall,
  idOf,
  MEMBERS,
  NO_DOCUMENT,
  nameRole,
  PHASE_BLOCKS,
  rulesTuple,
  Stage,
  setAccount,
  suspend,
} from './stage.ts'

/**
 * Whatever a chain's organisations decide, all of them together can decide again. Excepted are two decisions that put another in the governor's
 * place: an offer that is accepted, and new code.
 */

const NEW = 'newcomer'
const NAMES = [...MEMBERS.map(({ name }) => name), NEW]
const organisation = fc.constantFrom(...NAMES)
const U256_MAX = 2n ** 256n - 1n
const account = fc.nat(9)

/** A call that could make deciding harder. `accounts` are all voters of the beginning, some others, the governor, the chain contract. */
type Hostile = (stage: Stage, accounts: readonly Hex[]) => Call

const edges = Object.entries(PARAMETER_RANGES).flatMap(([name, [min, max]]) =>
  [min, max].map((value) => [name, BigInt(value)] as const),
)
const parameter = fc.oneof(
  fc.constantFrom<readonly [string, bigint]>(
    ...edges,
    ...(['feePolicy', 'initialBaseFee'] as const).flatMap((name) =>
      [0n, 1n, 2n, U256_MAX].map((value) => [name, value] as const),
    ),
    ['transactionGasMax', 4_000_000n],
    ['blockGasMax', 8_000_000n],
  ),
  fc.tuple(fc.constantFrom(...Object.keys(DEFAULT_PARAMETERS)), fc.bigInt({ min: 0n, max: U256_MAX })),
)

const hostile: fc.Arbitrary<Hostile> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(1, 10_000),
      fc.constantFrom(5_001, 10_000),
      fc.constantFrom(1n, 7_776_000n),
      fc.constantFrom(0n, 7_776_000n),
      fc.constantFrom(1n, 31_536_000n),
    )
    .map(
      ([quorum, threshold, votingTime, timeLock, executionTime]): Hostile =>
        (stage) =>
          stage.own(
            'setRules',
            ...rulesTuple({ quorum, threshold, emergencyThreshold: 10_000, votingTime, timeLock, executionTime }),
          ),
    ),
  fc.tuple(organisation, fc.boolean()).map(
    ([name, suspended]): Hostile =>
      () =>
        suspend(name, suspended),
  ),
  fc.tuple(organisation, fc.constantFrom(0, 1, LIMITS.votesMax)).map(
    ([name, votes]): Hostile =>
      () =>
        chainCall('setOrganisation', idOf(name), name, votes, 1, 0),
  ),
  organisation.map(
    (name): Hostile =>
      () =>
        chainCall('removeOrganisation', idOf(name)),
  ),
  fc.tuple(account, organisation, fc.constantFrom(0, ROLES.voter, ROLES.sender, ROLES.admin | ROLES.voter), fc.boolean()).map(
    ([at, name, roles, suspended]): Hostile =>
      (_stage, accounts) =>
        setAccount(accounts[at]!, name, roles, suspended),
  ),
  account.map(
    (at): Hostile =>
      (_stage, accounts) =>
        chainCall('removeAccount', accounts[at]!),
  ),
  fc.tuple(fc.constantFrom('sending', 'deploying', 'reading'), fc.constantFrom('open', 'members')).map(
    ([name, access]): Hostile =>
      () =>
        chainCall('setPolicy', name, access),
  ),
  parameter.map(
    ([name, value]): Hostile =>
      () =>
        chainCall('setParameter', name, value),
  ),
  fc.tuple(account, fc.constantFrom(0, ROLES.auditor)).map(
    ([at, roles]): Hostile =>
      (_stage, accounts) =>
        chainCall('restrict', accounts[at]!, roles),
  ),
  account.map(
    (at): Hostile =>
      (stage, accounts) =>
        chainCall('offerGovernor', accounts[at]!, stage.chain.block.number + 1_000n),
  ),
  fc.uniqueArray(account, { maxLength: 3 }).map(
    (some): Hostile =>
      (_stage, accounts) =>
        chainCall('setParticipants', [...new Set(some.map((at) => accounts[at]!))]),
  ),
)

/** One voter of each organisation that has votes: together they have all votes. */
async function everybody(stage: Stage, accounts: readonly Hex[]): Promise<readonly Hex[]> {
  await stage.chain.mine()
  const voters = new Map<Hex, Hex>()
  // Contracts do not vote of their own accord.
  for (const one of accounts.filter((each) => each !== stage.address && each !== CHAIN))
    voters.set(await stage.tells('votesAs', one), one)
  voters.delete(NO_DOCUMENT)
  const height = stage.chain.block.number - 1n
  const found: Hex[] = []
  let votes = 0n
  for (const [id, voter] of voters) {
    const weight: bigint = await stage.tells('votesAt', id, height)
    votes += weight
    if (weight > 0n) found.push(voter)
  }
  expect(votes).toBe(await stage.tells('totalVotesAt', height))
  expect(found.length).toBeGreaterThan(0)
  return found
}

/** All voters propose, vote for and execute calls, by the ordinary way or the emergency path. */
async function decide(stage: Stage, voters: readonly Hex[], calls: readonly Call[], emergency: boolean): Promise<void> {
  await stage.send('propose', [calls, '', NO_DOCUMENT, emergency], voters[0]!)
  const id = (await stage.read('proposalCount')) - 1n
  for (const voter of voters) await stage.vote(id, voter).catch(ownSuspension)
  if (!emergency) {
    const [, closesAt, dueAt] = await stage.read('ballot', [id])
    await stage.pass(closesAt - stage.chain.block.timestamp)
    if (dueAt > closesAt) await stage.pass(dueAt - stage.chain.block.timestamp)
  }
  try {
    await stage.execute(id, calls, voters[0]!)
  } catch (error) {
    // The chain contract or the governor refuses the decision: nothing has changed.
    if (
      !(error instanceof ContractRevert && ['GovernanceCallFailed', 'GovernanceUnexpectedState'].includes(error.errorName ?? ''))
    )
      throw error
    await stage.send('cancel', [id], voters[0]!).catch(ownSuspension)
  }
}

function ownSuspension(error: unknown): void {
  const isExpected =
    error instanceof ContractRevert && ['GovernanceExcluded', 'GovernanceUnexpectedState'].includes(error.errorName ?? '')
  if (!isExpected) throw error
}

describe('whatever was decided', () => {
  let stage: Stage
  let accounts: readonly Hex[]
  let start: SnapshotId
  beforeAll(async () => {
    stage = await Stage.open()
    await stage.decide([chainCall('setOrganisation', idOf(NEW), 'Newcomer', 3, 1, 0)])
    accounts = [
      ...Object.values(stage.voters).flat(),
      ...stage.chain.accounts.slice(40, 42),
      stage.outsider,
      stage.address,
      CHAIN,
    ]
    start = stage.chain.snapshot()
  })
  afterAll(() => stage.close())

  it('all together decide again, by both ways', { timeout: runs(120_000) }, async () => {
    let decided = 0
    await fc.assert(
      fc.asyncProperty(fc.array(hostile, { minLength: 6, maxLength: 14, size: 'max' }), async (sequence) => {
        await stage.chain.revert(start)
        for (const each of sequence) {
          const before = stage.chain.block.number
          await decide(stage, await everybody(stage, accounts), [each(stage, accounts)], true)
          decided += Number(stage.chain.block.number > before)
        }
        for (const [emergency, name] of [
          [false, 'ordinary'],
          [true, 'emergency'],
        ] as const) {
          await stage.chain.mine(PHASE_BLOCKS)
          await decide(stage, await everybody(stage, accounts), [nameRole(name)], emergency)
          expect(await stage.tells('roleName', 16)).toBe(name)
        }
      }),
      { numRuns: runs(12), endOnFailure: true },
    )
    expect(decided).toBeGreaterThan(50)
  })
})
