import { ROLES } from '@quoin/protocol'
import { type Hex, stringToHex } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { SnapshotId } from '../../src/testing/index.ts'
import {
  ABSTAIN,
  AGAINST,
  chainCall,
  FOR,
  hashOf,
  idOf,
  NO_DOCUMENT,
  nameRole,
  PHASE_BLOCKS,
  preset,
  RULES,
  rulesTuple,
  Stage,
  setAccount,
} from './stage.ts'

const NOBODY = NO_DOCUMENT
let stage: Stage
let start: SnapshotId

beforeAll(async () => {
  stage = await Stage.open()
  start = stage.chain.snapshot()
})
afterAll(() => stage.close())
beforeEach(() => stage.chain.revert(start))

const calls = [nameRole('teller')]
const roleName = (): Promise<string> => stage.tells('roleName', 16)
/** Lets organisations vote for a proposal. */
async function votesFor(id: bigint, ...names: readonly string[]): Promise<void> {
  for (const name of names) await stage.vote(id, stage.voter(name))
}

describe('a proposal', () => {
  it('is made, voted on, locked, due and executed by anybody, once', async () => {
    const text = 'Rôle 16: teller'
    const document = stringToHex('hash of a document', { size: 32 })
    const receipt = await stage.send('propose', [calls, text, document, false], stage.voter('bank-b'))
    const [height, timestamp] = [stage.chain.block.number, stage.chain.block.timestamp]
    expect(receipt.logs).toHaveLength(1)
    expect(await stage.read('proposal', [0n])).toEqual([
      idOf('bank-b'),
      stage.voter('bank-b'),
      hashOf(calls),
      text,
      document,
      false,
      NOBODY,
    ])
    const [closesAt, dueAt] = [timestamp + RULES.votingTime, timestamp + RULES.votingTime + RULES.timeLock]
    expect(await stage.read('ballot', [0n])).toEqual([height, closesAt, dueAt, dueAt + RULES.executionTime, 10n, 5_000, 6_000])
    expect(await stage.read('hashCalls', [calls])).toBe(hashOf(calls))
    expect(await stage.stateOf(0n)).toBe('voting')
    await votesFor(0n, 'bank-a', 'bank-b')
    await stage.vote(0n, stage.voter('bank-c'), AGAINST)
    await stage.vote(0n, stage.voter('bank-d'), ABSTAIN)
    expect(await stage.read('tally', [0n])).toEqual([2n, 7n, 1n])
    expect(await stage.read('voteOf', [0n, idOf('bank-c')])).toEqual([true, AGAINST, 2n])
    await stage.pass(RULES.votingTime)
    expect(await stage.stateOf(0n)).toBe('locked')
    expect(await stage.refusal(stage.execute(0n, calls))).toEqual(['GovernanceUnexpectedState', 0n, 'locked'])
    await stage.pass(RULES.timeLock)
    expect(await stage.stateOf(0n)).toBe('due')
    await stage.execute(0n, calls)
    expect([await stage.stateOf(0n), await roleName()]).toEqual(['executed', 'teller'])
    expect(await stage.refusal(stage.execute(0n, calls))).toEqual(['GovernanceUnexpectedState', 0n, 'executed'])
    expect(await stage.refusal(stage.vote(0n, stage.voter('bank-a')))).toEqual(['GovernanceUnexpectedState', 0n, 'executed'])
  })

  it('is made by voters of organisations with votes only', async () => {
    const propose = (by: Hex) => stage.refusal(stage.propose(calls, { by }))
    expect(await propose(stage.outsider)).toEqual(['GovernanceNotVoter', stage.outsider])
    const [mute] = stage.chain.accounts.slice(50) as [Hex]
    await stage.decide([chainCall('setOrganisation', idOf('mute'), 'Mute', 0, 1, 0), setAccount(mute, 'mute', ROLES.voter)])
    expect(await propose(mute)).toEqual(['GovernanceNoVotes', idOf('mute')])
  })

  it('needs a quorum of all votes, abstentions included', async () => {
    const id = await stage.propose(calls)
    await votesFor(id, 'bank-a')
    const other = await stage.propose(calls)
    await votesFor(other, 'bank-a')
    await stage.vote(other, stage.voter('bank-d'), ABSTAIN)
    await stage.pass(RULES.votingTime)
    expect([await stage.stateOf(id), await stage.stateOf(other)]).toEqual(['defeated', 'locked'])
  })

  it('needs the threshold of the votes for and against', async () => {
    const [fails, passes, none] = [await stage.propose(calls), await stage.propose(calls), await stage.propose(calls)]
    for (const id of [fails, passes]) await votesFor(id, 'bank-a')
    await stage.vote(fails, stage.voter('bank-b'), AGAINST)
    await stage.vote(passes, stage.voter('bank-c'), AGAINST)
    for (const name of ['bank-a', 'bank-b']) await stage.vote(none, stage.voter(name), ABSTAIN)
    await stage.pass(RULES.votingTime)
    expect(await Promise.all([fails, passes, none].map(stage.stateOf))).toEqual(['defeated', 'locked', 'defeated'])
  })

  it('that everybody abstains from is defeated', async () => {
    const id = await stage.propose(calls)
    for (const name of Object.keys(stage.voters)) await stage.vote(id, stage.voter(name), ABSTAIN)
    await stage.pass(RULES.votingTime)
    expect(await stage.stateOf(id)).toBe('defeated')
  })

  it('expires', async () => {
    const id = await stage.propose(calls)
    await votesFor(id, 'bank-a', 'bank-b')
    await stage.pass(RULES.votingTime)
    await stage.pass(RULES.timeLock)
    await stage.chain.mine(PHASE_BLOCKS)
    const { 3: expiresAt } = await stage.read('ballot', [id])
    await stage.chain.setNextBlockTimestamp(expiresAt - 1n)
    await stage.chain.mine()
    expect(await stage.stateOf(id)).toBe('due')
    await stage.chain.mine()
    expect(await stage.refusal(stage.execute(id, calls))).toEqual(['GovernanceUnexpectedState', id, 'expired'])
  })

  it('is cancelled by any voter of its organisation until it is executed, and by nobody else', async () => {
    const id = await stage.propose(calls)
    const cancel = (by: Hex) => stage.send('cancel', [id], by)
    expect(await stage.refusal(cancel(stage.voter('bank-b')))).toEqual(['GovernanceNotProposer', id, stage.voter('bank-b')])
    expect(await stage.refusal(cancel(stage.outsider))).toEqual(['GovernanceNotVoter', stage.outsider])
    await cancel(stage.voter('bank-a', 1))
    expect(await stage.stateOf(id)).toBe('cancelled')
    expect(await stage.refusal(cancel(stage.voter('bank-a')))).toEqual(['GovernanceUnexpectedState', id, 'cancelled'])
    expect(await stage.refusal(stage.vote(id, stage.voter('bank-a')))).toEqual(['GovernanceUnexpectedState', id, 'cancelled'])
    const due = await stage.propose(calls)
    await votesFor(due, 'bank-a', 'bank-b')
    await stage.pass(RULES.votingTime)
    await stage.pass(RULES.timeLock)
    await stage.send('cancel', [due], stage.voter('bank-a'))
    expect(await stage.refusal(stage.execute(due, calls))).toEqual(['GovernanceUnexpectedState', due, 'cancelled'])
  })

  it('that does not exist is named', async () => {
    for (const [name, ...args] of [
      ['vote', 7n, FOR],
      ['cancel', 7n],
      ['execute', 7n, calls],
    ] as const)
      expect(await stage.refusal(stage.send(name, args, stage.voter('bank-a')))).toEqual(['GovernanceUnknownProposal', 7n])
    for (const name of ['stateOf', 'proposal', 'ballot', 'tally'])
      expect(await stage.refusal(stage.read(name, [7n]))).toEqual(['GovernanceUnknownProposal', 7n])
  })

  it('sends coins of the governor', async () => {
    await stage.chain.send({ from: stage.outsider, to: stage.address, value: 9n })
    const nobody: Hex = '0x00000000000000000000000000000000000000AA'
    await stage.decide([{ target: nobody, value: 5n, data: '0x' }])
    expect([await stage.chain.balanceOf(nobody), await stage.chain.balanceOf(stage.address)]).toEqual([5n, 4n])
  })
})

describe('a vote', () => {
  it('is one for each organisation, cast by any of its voters, and the last one counts', async () => {
    const id = await stage.propose(calls)
    await stage.vote(id, stage.voter('bank-a'), FOR)
    expect(await stage.read('tally', [id])).toEqual([0n, 4n, 0n])
    await stage.vote(id, stage.voter('bank-a', 1), AGAINST)
    expect(await stage.read('tally', [id])).toEqual([4n, 0n, 0n])
    await stage.vote(id, stage.voter('bank-a', 1), ABSTAIN)
    expect(await stage.read('tally', [id])).toEqual([0n, 0n, 4n])
    await stage.vote(id, stage.voter('bank-a'), ABSTAIN)
    expect(await stage.read('tally', [id])).toEqual([0n, 0n, 4n])
  })

  it('is for, against or abstaining', async () => {
    const id = await stage.propose(calls)
    expect(await stage.refusal(stage.vote(id, stage.voter('bank-a'), 3))).toEqual(['GovernanceInvalidSupport', 3])
    expect(await stage.refusal(stage.vote(id, stage.outsider))).toEqual(['GovernanceNotVoter', stage.outsider])
    expect(await stage.read('voteOf', [id, idOf('bank-a')])).toEqual([false, 0, 0n])
  })

  it('ends with its time, but not before the blocks of a phase', async () => {
    const id = await stage.propose(calls)
    await stage.pass(RULES.votingTime * 50n, 1)
    await stage.vote(id, stage.voter('bank-a'))
    expect(await stage.stateOf(id)).toBe('voting')
    const [height] = await stage.read('ballot', [id])
    await stage.chain.mine(height + BigInt(PHASE_BLOCKS) - stage.chain.block.number - 1n)
    await stage.vote(id, stage.voter('bank-b'), AGAINST).then(
      () => expect.unreachable(),
      () => undefined,
    )
    expect(await stage.stateOf(id)).toBe('defeated')
  })
})

describe('the emergency path', () => {
  it('is due as soon as its part of all votes is for it, without time lock', async () => {
    const id = await stage.propose(calls, { emergency: true })
    await votesFor(id, 'bank-a', 'bank-b')
    expect(await stage.refusal(stage.execute(id, calls))).toEqual(['GovernanceUnexpectedState', id, 'voting'])
    await votesFor(id, 'bank-c')
    expect(await stage.stateOf(id)).toBe('due')
    await stage.execute(id, calls)
    expect(await roleName()).toBe('teller')
  })

  it('takes votes until its close, also against what is due', async () => {
    const id = await stage.propose(calls, { emergency: true })
    await votesFor(id, 'bank-a', 'bank-b', 'bank-c')
    await stage.vote(id, stage.voter('bank-c'), ABSTAIN)
    expect(await stage.refusal(stage.execute(id, calls))).toEqual(['GovernanceUnexpectedState', id, 'voting'])
    await stage.pass(RULES.votingTime)
    expect(await stage.stateOf(id)).toBe('defeated')
  })

  it('has a higher threshold than the other: what would pass there is defeated here', async () => {
    const id = await stage.propose(calls, { emergency: true })
    await votesFor(id, 'bank-a', 'bank-b')
    await stage.pass(RULES.votingTime)
    expect(await stage.stateOf(id)).toBe('defeated')
  })

  it('expires', async () => {
    const id = await stage.propose(calls, { emergency: true })
    await votesFor(id, 'bank-a', 'bank-b', 'bank-c')
    await stage.pass(RULES.votingTime)
    expect(await stage.stateOf(id)).toBe('due')
    await stage.pass(RULES.executionTime)
    expect(await stage.stateOf(id)).toBe('expired')
  })
})

describe('the rules', () => {
  it('are set by the constructor and changed by proposals, for proposals after it', async () => {
    expect(await stage.read('rules')).toEqual(rulesTuple())
    const before = await stage.propose(calls)
    await stage.decide([stage.own('setRules', ...rulesTuple({ quorum: 9_000, votingTime: 20n }))])
    expect(await stage.read('rules')).toEqual(rulesTuple({ quorum: 9_000, votingTime: 20n }))
    const after = await stage.propose(calls)
    expect((await stage.read('ballot', [before]))[5]).toBe(5_000)
    const [, closesAt, , , , quorum] = await stage.read('ballot', [after])
    expect([closesAt - stage.chain.block.timestamp, quorum]).toEqual([20n, 9_000])
  })

  it.each([
    ['no quorum', { quorum: 0 }, 'quorum'],
    ['an impossible quorum', { quorum: 10_001 }, 'quorum'],
    ['a threshold of half', { threshold: 5_000 }, 'threshold'],
    ['an impossible threshold', { threshold: 10_001 }, 'threshold'],
    ['an emergency threshold below the other', { emergencyThreshold: 5_999 }, 'emergencyThreshold'],
    ['an impossible emergency threshold', { emergencyThreshold: 10_001 }, 'emergencyThreshold'],
    ['no time to vote', { votingTime: 0n }, 'votingTime'],
    ['a vote without end', { votingTime: 2n ** 64n - 1n }, 'votingTime'],
    ['a lock without end', { timeLock: 90n * 86_400n + 1n }, 'timeLock'],
    ['no time to execute', { executionTime: 0n }, 'executionTime'],
    ['a proposal that never expires', { executionTime: 2n ** 64n - 1n }, 'executionTime'],
  ])('refuse %s', async (_what, rules, name) => {
    const own = await stage.refusal(stage.decide([stage.own('setRules', ...rulesTuple(rules))]))
    expect(own[0]).toBe('GovernanceCallFailed')
    const deployment = await stage.refusal(stage.chain.deploy((await preset()) as never, { args: rulesTuple(rules) } as never))
    expect(deployment.slice(0, 2)).toEqual(['GovernanceInvalidRule', name])
  })

  it('are changed by the contract alone', async () => {
    for (const from of [stage.voter('bank-a'), stage.outsider])
      expect(await stage.refusal(stage.send('setRules', rulesTuple(), from))).toEqual(['GovernanceUnauthorizedCaller', from])
  })
})
