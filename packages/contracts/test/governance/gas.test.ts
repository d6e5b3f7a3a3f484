import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chainCall, FOR, idOf, LANE_GAS, MEMBERS, NO_DOCUMENT, nameRole, Stage } from './stage.ts'

/** The gas figures that docs/permissions.md promises. */
const VOTE_GAS_MAX = 200_000n

describe('governance costs', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await Stage.open()
  })
  afterAll(() => stage.close())

  it('at most 200,000 gas for a vote, also the first use of the contract in a block, the first vote and a changed one', async () => {
    const id = await stage.propose([nameRole('teller')], { text: 'x'.repeat(1_024) })
    const used: bigint[] = []
    for (const { name } of MEMBERS) used.push((await stage.vote(id, stage.voter(name), FOR)).gasUsed)
    used.push((await stage.vote(id, stage.voter('bank-a', 1), 0)).gasUsed)
    for (const gas of used) expect(gas).toBeLessThanOrEqual(VOTE_GAS_MAX)
  })

  it('no more for a vote on a chain whose organisation had many other votes before, and a few since', async () => {
    const grown = await Stage.open()
    try {
      const votes = (count: number) => [chainCall('setOrganisation', idOf('bank-d'), 'bank-d', count, 1, 0)]
      for (let i = 2; i < 20; i++) await grown.decideAtOnce(votes(i))
      const id = await grown.propose([nameRole('teller')])
      await grown.decideAtOnce(votes(1))
      expect((await grown.vote(id, grown.voter('bank-d'), FOR)).gasUsed).toBeLessThanOrEqual(VOTE_GAS_MAX)
    } finally {
      await grown.close()
    }
  })

  it('what the lane allows for the largest proposals', async () => {
    const calls = Array.from({ length: 16 }, () => ({
      ...nameRole('x'),
      data: `${nameRole('teller').data}${'ff'.repeat(3_072 - 132)}` as const,
    }))
    const proposed = await stage.send('propose', [calls, 'é'.repeat(512), NO_DOCUMENT, false], stage.voter('bank-b'))
    const id = (await stage.read('proposalCount')) - 1n
    for (const { name } of MEMBERS) await stage.vote(id, stage.voter(name))
    await stage.pass(1_000)
    await stage.pass(500)
    const executed = await stage.execute(id, calls, stage.voter('bank-a'))
    expect(proposed.gasUsed).toBeLessThan(LANE_GAS)
    expect(executed.gasUsed).toBeLessThan(LANE_GAS)
  })
})
