import { ROLES } from '@quoin/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FOR, LANE_GAS, MEMBERS, nameRole, NO_DOCUMENT, Stage } from './stage.ts'

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
    console.log(used)
  })

  it('what the lane allows for the largest proposals', async () => {
    const one = stage.own('hashCalls', [])
    const calls = Array.from({ length: 16 }, () => ({ ...nameRole('x'), data: `${nameRole('teller').data}${'00'.repeat(1_536 - 132)}` as const }))
    const proposed = await stage.send('propose', [calls, 'é'.repeat(512), NO_DOCUMENT, false], stage.voter('bank-b'))
    const id = (await stage.read('proposalCount')) - 1n
    for (const { name } of MEMBERS) await stage.vote(id, stage.voter(name))
    await stage.pass(1_000)
    await stage.pass(500)
    const executed = await stage.execute(id, calls, stage.voter('bank-a'))
    console.log(proposed.gasUsed, executed.gasUsed, one.data.length, ROLES.voter)
    expect(proposed.gasUsed).toBeLessThan(LANE_GAS)
    expect(executed.gasUsed).toBeLessThan(LANE_GAS)
  })
})
