import { CODE_REGISTRY_ABI, CODE_REGISTRY_ADDRESS, MULTICALL_ABI, MULTICALL_ADDRESS } from '@quoin/execution/contract'
import { ROLES } from '@quoin/protocol'
import { type Abi, encodeErrorResult, encodeFunctionData, type Hex, keccak256 } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { SnapshotId } from '../../src/testing/index.ts'
import {
  ABSTAIN,
  AGAINST,
  abiOfChain,
  type Call,
  CHAIN,
  chainCall,
  FOR,
  idOf,
  LANE_GAS,
  NO_DOCUMENT,
  nameRole,
  preset,
  RULES,
  refusalOf,
  rulesTuple,
  Stage,
  setAccount,
  suspend,
} from './stage.ts'
import { target, targetCall } from './target.ts'

let stage: Stage
let at: Hex
let start: SnapshotId

beforeAll(async () => {
  stage = await Stage.open()
  at = (await stage.chain.deploy(target as never)).address as Hex
  start = stage.chain.snapshot()
})
afterAll(() => stage.close())
beforeEach(() => stage.chain.revert(start))

const calls = [nameRole('teller')]
const ALL = ['bank-a', 'bank-b', 'bank-c', 'bank-d']
async function votesFor(id: bigint, ...names: readonly string[]): Promise<void> {
  for (const name of names) await stage.vote(id, stage.voter(name))
}
/** Proposes and passes calls, up to the moment when they are due. */
async function due(given: readonly Call[]): Promise<bigint> {
  const id = await stage.propose(given)
  await votesFor(id, ...ALL)
  await stage.pass(RULES.votingTime)
  await stage.pass(RULES.timeLock)
  expect(await stage.stateOf(id)).toBe('due')
  return id
}
const numberOf = async (): Promise<unknown> =>
  (stage.chain.at(target as never, at) as unknown as { read: { number: () => Promise<bigint> } }).read.number()

describe('calls of a proposal', () => {
  it('are all undone when one fails, which is named by its index, with its error', async () => {
    const given = [targetCall(at, 'set', [7n]), nameRole('teller'), targetCall(at, 'fail', [36n])]
    const id = await due(given)
    expect(await stage.refusal(stage.execute(id, given))).toEqual(['GovernanceCallFailed', 2n, `0x${'07'.repeat(36)}`])
    expect([await numberOf(), await stage.tells('roleName', 16), await stage.stateOf(id)]).toEqual([0n, '', 'due'])
  })

  it.each([
    [0, 0],
    [896, 896],
    [897, 0],
    [1_024, 0],
  ])('fail with an error of %i bytes, of which %i pass through', async (bytes, passed) => {
    const given = [targetCall(at, 'fail', [BigInt(bytes)])]
    const id = await due(given)
    expect(await stage.refusal(stage.execute(id, given))).toEqual(['GovernanceCallFailed', 0n, `0x${'07'.repeat(passed)}`])
  })

  it('that do not end take the gas of their executor and leave the proposal due', async () => {
    const given = [targetCall(at, 'endless')]
    const id = await due(given)
    expect((await stage.refusal(stage.execute(id, given)))[0]).toBe('GovernanceCallFailed')
    expect(await stage.stateOf(id)).toBe('due')
  })

  it('with too little gas fail and can be executed with more', async () => {
    const given = [targetCall(at, 'set', [7n])]
    const id = await due(given)
    const data = stage.data('execute', [id, given])
    for (const gas of [120_000n, 160_000n, 200_000n])
      await expect(stage.chain.send({ from: stage.outsider, to: stage.address, data, gas })).rejects.toThrow()
    await stage.execute(id, given)
    expect(await numberOf()).toBe(7n)
  })

  it.each(['propose', 'vote', 'cancel', 'execute', 'accept'])('cannot enter %s of the governor', async (name) => {
    const args = { propose: [calls, '', NO_DOCUMENT, false], vote: [0n, FOR], cancel: [0n], execute: [0n, calls], accept: [] }[
      name
    ]!
    const inner = stage.data(name, args)
    for (const given of [[stage.own(name, ...args)], [targetCall(at, 'callBack', [stage.address, inner])]]) {
      await stage.chain.revert(start)
      const id = await due(given)
      expect((await stage.refusal(stage.execute(id, given)))[0]).toBe('GovernanceCallFailed')
      expect(await stage.stateOf(id)).toBe('due')
    }
  })

  it("through another contract do not change the rules, and are not the governor's", async () => {
    for (const given of [
      [targetCall(at, 'callBack', [stage.address, stage.data('setRules', rulesTuple({ quorum: 1 }))])],
      [targetCall(at, 'callBack', [CHAIN, suspend('bank-b').data])],
    ]) {
      await stage.chain.revert(start)
      const id = await due(given)
      expect((await stage.refusal(stage.execute(id, given)))[0]).toBe('GovernanceCallFailed')
    }
  })

  it('are executed as they were proposed: not others, in another order, or fewer', async () => {
    const given = [targetCall(at, 'set', [7n]), nameRole('teller')]
    const id = await due(given)
    for (const other of [[given[1]!, given[0]!], [given[0]!], [], [...given, given[0]!], [given[0]!, nameRole('clerk')]])
      expect(await stage.refusal(stage.execute(id, other))).toEqual(['GovernanceWrongCalls', id])
  })

  it('are bounded in number and bytes, and there is one at least', async () => {
    const refused = async (given: readonly Call[], text = '') => stage.refusal(stage.propose(given, { text }))
    expect((await refused([]))[0]).toBe('GovernanceInvalidCalls')
    expect((await refused(Array.from({ length: 17 }, () => nameRole('x'))))[0]).toBe('GovernanceInvalidCalls')
    const bytes = (count: number): Call => ({ target: at, value: 0n, data: `0x${'00'.repeat(count)}` })
    expect((await refused([bytes(24_576), bytes(24_577)]))[0]).toBe('GovernanceInvalidCalls')
    expect(await refused(calls, 'x'.repeat(1_025))).toEqual(['GovernanceTextTooLong', 1_025n, 1_024n])
    expect(await refused(calls, 'é'.repeat(513))).toEqual(['GovernanceTextTooLong', 1_026n, 1_024n])
    await stage.propose([bytes(24_576), bytes(24_576)], { text: 'é'.repeat(512) })
  })
})

describe('open proposals', () => {
  it('are four for each organisation at most, and become free when they end', async () => {
    const ids: bigint[] = []
    for (let i = 0; i < 4; i++) ids.push(await stage.propose(calls, { by: stage.voter('bank-a', i % 2) }))
    expect(await stage.read('openProposals', [idOf('bank-a')])).toEqual(ids)
    for (const by of [stage.voter('bank-a'), stage.voter('bank-a', 1)])
      expect(await stage.refusal(stage.propose(calls, { by }))).toEqual(['GovernanceTooManyOpen', idOf('bank-a'), 4n])
    await stage.propose(calls, { by: stage.voter('bank-b') })
    await stage.send('cancel', [ids[1]], stage.voter('bank-a'))
    await stage.propose(calls)
    expect((await stage.refusal(stage.propose(calls)))[0]).toBe('GovernanceTooManyOpen')
    await stage.pass(RULES.votingTime)
    expect(await stage.read('openProposals', [idOf('bank-a')])).toEqual([])
    await stage.propose(calls)
  })
})

describe('votes', () => {
  it('replayed count once', async () => {
    const id = await stage.propose(calls)
    for (let i = 0; i < 3; i++) await stage.vote(id, stage.voter('bank-d'))
    expect(await stage.read('tally', [id])).toEqual([0n, 1n, 0n])
  })

  it("of an account that moved to another organisation count there; its former vote stays its former organisation's", async () => {
    const [mover] = [stage.voter('bank-a', 1)]
    const moving = await stage.propose([setAccount(mover, 'bank-d', ROLES.voter)], { emergency: true })
    const id = await stage.propose(calls)
    await stage.vote(id, mover)
    await votesFor(moving, 'bank-a', 'bank-b', 'bank-c')
    await stage.execute(moving, [setAccount(mover, 'bank-d', ROLES.voter)])
    await stage.vote(id, mover, AGAINST)
    expect(await stage.read('tally', [id])).toEqual([1n, 4n, 0n])
    await stage.vote(id, stage.voter('bank-a'), ABSTAIN)
    expect(await stage.read('tally', [id])).toEqual([1n, 0n, 4n])
  })

  it("of a suspended account are refused; the organisation's other voter may change what it voted", async () => {
    const off = [setAccount(stage.voter('bank-a', 1), 'bank-a', ROLES.voter, true)]
    const suspending = await stage.propose(off, { emergency: true })
    const id = await stage.propose(calls)
    await stage.vote(id, stage.voter('bank-a', 1))
    await votesFor(suspending, 'bank-a', 'bank-b', 'bank-c')
    await stage.execute(suspending, off)
    // A suspended account may not even send.
    const again = await stage.vote(id, stage.voter('bank-a', 1), AGAINST).then(() => 'sent', String)
    expect(again).toMatch(/suspended|GovernanceNotVoter/)
    await stage.vote(id, stage.voter('bank-a'), AGAINST)
    expect(await stage.read('tally', [id])).toEqual([4n, 0n, 0n])
  })

  it('weigh what they did in the block before the proposal, whatever the organisation got or lost since', async () => {
    const more = [
      chainCall('setOrganisation', idOf('bank-d'), 'bank-d', 1_000, 1, 0),
      chainCall('setOrganisation', idOf('bank-c'), 'bank-c', 0, 1, 0),
    ]
    const id = await stage.propose(calls)
    const raising = await stage.propose(more, { emergency: true })
    await votesFor(raising, 'bank-a', 'bank-b', 'bank-c')
    await stage.execute(raising, more)
    await votesFor(id, 'bank-c', 'bank-d')
    expect(await stage.read('tally', [id])).toEqual([0n, 3n, 0n])
    expect((await stage.read('ballot', [id]))[4]).toBe(10n)
    const next = await stage.propose(calls)
    await votesFor(next, 'bank-d')
    expect(await stage.refusal(stage.vote(next, stage.voter('bank-c')))).toEqual(['GovernanceNoVotes', idOf('bank-c')])
    expect([(await stage.read('tally', [next]))[1], (await stage.read('ballot', [next]))[4]]).toEqual([1_000n, 1_007n])
  })

  it('do not weigh what changed in the block of the proposal itself', async () => {
    const more = [chainCall('setOrganisation', idOf('bank-d'), 'bank-d', 1_000, 1, 0)]
    const raising = await stage.propose(more, { emergency: true })
    await votesFor(raising, 'bank-a', 'bank-b', 'bank-c')
    await stage.chain.batch(() => [stage.execute(raising, more), stage.propose(calls, { by: stage.voter('bank-d') })])
    const id = (await stage.read('proposalCount')) - 1n
    await votesFor(id, 'bank-d')
    expect([(await stage.read('tally', [id]))[1], (await stage.read('ballot', [id]))[4]]).toEqual([1n, 10n])
  })
})

describe('a proposal to its own advantage', () => {
  it('is judged by the rules that held when it was made', async () => {
    const lower = [stage.own('setRules', ...rulesTuple({ quorum: 1, threshold: 5_001, timeLock: 0n }))]
    const own = await stage.propose(lower, { by: stage.voter('bank-d') })
    const companion = await stage.propose(calls, { by: stage.voter('bank-d') })
    await votesFor(own, 'bank-d')
    // Others change the rules meanwhile.
    const changing = await stage.propose(lower, { emergency: true })
    await votesFor(changing, 'bank-a', 'bank-b', 'bank-c')
    await stage.execute(changing, lower)
    await votesFor(companion, 'bank-d')
    await stage.pass(RULES.votingTime)
    expect([await stage.stateOf(own), await stage.stateOf(companion)]).toEqual(['defeated', 'defeated'])
  })

  it('is not due before its own time lock, although it removes the lock', async () => {
    const lower = [stage.own('setRules', ...rulesTuple({ timeLock: 0n }))]
    const id = await stage.propose(lower)
    await votesFor(id, ...ALL)
    await stage.pass(RULES.votingTime)
    expect(await stage.stateOf(id)).toBe('locked')
  })
})

describe('a suspension', () => {
  it('is decided without the votes of the organisation that it suspends', async () => {
    const given = [suspend('bank-a')]
    const id = await stage.propose(given, { by: stage.voter('bank-b') })
    expect((await stage.read('ballot', [id]))[4]).toBe(6n)
    expect((await stage.read('proposal', [id]))[6]).toBe(idOf('bank-a'))
    for (const index of [0, 1])
      expect(await stage.refusal(stage.vote(id, stage.voter('bank-a', index), AGAINST))).toEqual([
        'GovernanceExcluded',
        id,
        idOf('bank-a'),
      ])
    expect(await stage.read('voteOf', [id, idOf('bank-a')])).toEqual([false, 0, 0n])
    await votesFor(id, 'bank-b', 'bank-c')
    await stage.pass(RULES.votingTime)
    await stage.pass(RULES.timeLock)
    await stage.execute(id, given)
    expect((await stage.tells('organisation', idOf('bank-a')))[5]).toBe(true)
  })

  it('makes no other call, or a minority could suspend all others in it and decide anything', async () => {
    for (const given of [
      [suspend('bank-a'), suspend('bank-b'), suspend('bank-c'), chainCall('offerGovernor', stage.voter('bank-d'), 100_000)],
      [nameRole('x'), suspend('bank-a')],
    ])
      expect((await stage.refusal(stage.propose(given, { by: stage.voter('bank-d') })))[0]).toBe('GovernanceInvalidCalls')
  })

  it('is seen behind bytes after its arguments, and the end of one is none', async () => {
    const hidden = { ...suspend('bank-a'), data: `${suspend('bank-a').data}00` as Hex }
    const id = await stage.propose([hidden], { by: stage.voter('bank-b') })
    expect((await stage.refusal(stage.vote(id, stage.voter('bank-a'))))[0]).toBe('GovernanceExcluded')
    const odd = { ...hidden, data: hidden.data.slice(0, -4).concat('02') as Hex }
    const other = await stage.propose([odd], { by: stage.voter('bank-b') })
    expect((await stage.read('proposal', [other]))[6]).toBe(idOf('bank-a'))
    const ending = await stage.propose([suspend('bank-a', false), nameRole('x')], { by: stage.voter('bank-b') })
    await votesFor(ending, 'bank-a')
    expect((await stage.read('ballot', [ending]))[4]).toBe(10n)
  })

  it("through Multicall3 is not the governor's", async () => {
    const inner = [{ target: CHAIN, allowFailure: false, callData: suspend('bank-a').data }]
    const data = encodeFunctionData({ abi: MULTICALL_ABI as Abi, functionName: 'aggregate3', args: [inner] } as never)
    const given = [{ target: MULTICALL_ADDRESS as Hex, value: 0n, data }]
    const id = await due(given)
    expect((await stage.refusal(stage.execute(id, given)))[0]).toBe('GovernanceCallFailed')
  })

  it('does not end the vote of the suspended: they vote on everything else, and to end it', async () => {
    const given = [suspend('bank-a')]
    const id = await stage.propose(given, { by: stage.voter('bank-b'), emergency: true })
    await votesFor(id, 'bank-b', 'bank-c', 'bank-d')
    await stage.execute(id, given)
    await stage.decide([suspend('bank-a', false)])
    expect((await stage.tells('organisation', idOf('bank-a')))[5]).toBe(false)
  })

  it('of the only organisation is never decided', async () => {
    const lonely = await Stage.open({ members: [{ name: 'bank-a', votes: 5, voters: 1 }] })
    try {
      const id = await lonely.propose([suspend('bank-a')], { emergency: true })
      expect((await lonely.refusal(lonely.vote(id, lonely.voter('bank-a'))))[0]).toBe('GovernanceExcluded')
      expect(await lonely.stateOf(id)).toBe('voting')
      await lonely.pass(RULES.votingTime)
      expect(await lonely.stateOf(id)).toBe('defeated')
    } finally {
      await lonely.close()
    }
  })
})

describe('hand-over', () => {
  const accept = (address: Hex) =>
    stage.chain.send({ from: stage.outsider, to: address, data: stage.data('accept', []), gas: LANE_GAS })
  const another = async (): Promise<Hex> =>
    (await stage.chain.deploy((await preset()) as never, { args: rulesTuple() } as never)).address as Hex

  it('to another governor is accepted by anybody in its name, once', async () => {
    const next = await another()
    expect((await refusalOf(accept(next), abiOfChain))[0]).toBe('NotAllowed')
    await stage.decide([chainCall('offerGovernor', next, 100_000)])
    await accept(next)
    expect(await stage.tells('governor')).toBe(next)
    expect((await refusalOf(accept(next), abiOfChain))[0]).toBe('NotAllowed')
    // The former governor's proposals change nothing any more.
    const id = await due(calls)
    expect((await stage.refusal(stage.execute(id, calls)))[0]).toBe('GovernanceCallFailed')
  })

  it('by an old offer, or one that another has replaced, is refused', async () => {
    const [next, other] = [await another(), await another()]
    await stage.decide([chainCall('offerGovernor', next, Number(stage.chain.block.number) + 100)])
    await stage.chain.mine(100)
    expect((await refusalOf(accept(next), abiOfChain))[0]).toBe('Refused')
    await stage.decide([chainCall('offerGovernor', next, 100_000)])
    await stage.decide([chainCall('offerGovernor', other, 100_000)])
    expect((await refusalOf(accept(next), abiOfChain))[0]).toBe('NotAllowed')
    await accept(other)
  })

  it('to a governor whose chain has no votes is refused: nobody could decide anything', async () => {
    await expect(Stage.open({ members: [] })).rejects.toThrow('GovernanceNoVotes')
  })
})

describe("the governor's own code", () => {
  it('is replaced by a proposal and a message of its own, and keeps its proposals', async () => {
    const { bytecode } = await preset()
    const approve = chainCall('approveCode', stage.address, keccak256(bytecode), keccak256('0x'), 100_000)
    const data = encodeFunctionData({ abi: abiOfChain, functionName: 'applyCode', args: [stage.address, bytecode, '0x'] })
    const apply = () => stage.chain.send({ from: stage.voter('bank-a'), to: CHAIN, data, gas: LANE_GAS })
    expect((await refusalOf(apply(), abiOfChain))[0]).toBe('Refused')
    const within = [approve, { target: CHAIN, value: 0n, data }]
    const id = await due(within)
    const why = encodeErrorResult({
      abi: abiOfChain,
      errorName: 'Refused',
      args: ['the contract is on the call stack: apply the code in a message of its own'],
    } as never)
    expect(await stage.refusal(stage.execute(id, within))).toEqual(['GovernanceCallFailed', 1n, why])
    await stage.send('cancel', [id], stage.voter('bank-a'))
    await stage.decide([approve])
    await apply()
    expect((await refusalOf(apply(), abiOfChain))[0]).toBe('Refused')
    expect(await stage.read('proposalCount')).toBe(2n)
    await stage.decide(calls)
  })

  it('is not paused, restricted or replaced in another way', async () => {
    const registry = (name: string, ...args: readonly unknown[]): Call => ({
      target: CODE_REGISTRY_ADDRESS as Hex,
      value: 0n,
      data: encodeFunctionData({ abi: CODE_REGISTRY_ABI as Abi, functionName: name, args: [stage.address, ...args] } as never),
    })
    for (const given of [
      chainCall('restrict', stage.address, ROLES.admin),
      registry('setPaused', true),
      registry('setAuthority', stage.outsider),
      registry('upgrade', (await preset()).bytecode, '0x'),
    ]) {
      await stage.chain.revert(start)
      const id = await due([given])
      expect((await stage.refusal(stage.execute(id, [given])))[0]).toBe('GovernanceCallFailed')
    }
  })
})
