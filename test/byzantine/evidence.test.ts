import { type FirstEvidence, readEntry, readSystemRecord, SYSTEM_ENTRIES, SYSTEM_RECORDS } from '@quoin/execution'
import type { RosterEntry } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { operatorAccount } from '../../packages/node/src/evidence/operator-account.ts'
import { runs } from '../long.ts'
import { simCrypto } from '../sim/crypto.ts'
import { operatorSecret } from '../sim/genesis.ts'
import type { SimNode } from '../sim/sim-node.ts'
import { equivocator } from './equivocator.ts'
import { type Role, Stage } from './stage.ts'

const VALIDATORS_MIN = 4

/** The equivocator among nodes of which some have an account to report from. */
const playedWith = (operators: readonly number[]): Role => ({
  ...equivocator,
  options: () => ({
    parameters: { validatorsMin: VALIDATORS_MIN },
    operatorOf: (index) => (operators.includes(index) ? operatorAccount(simCrypto, operatorSecret(index)) : undefined),
  }),
})

const entryOf = ({ disk }: SimNode, { address }: SimNode): RosterEntry =>
  readSystemRecord(disk.kv, SYSTEM_RECORDS.roster).value.find((entry) => entry.address === address)!

const firstOf = ({ disk }: SimNode, id: RosterEntry['id']): FirstEvidence | undefined =>
  readEntry(disk.kv, SYSTEM_ENTRIES.firstEvidence, id)

/** Plays until every honest node's chain has flagged the liar, then some heights more. */
async function play(nodeCount: number, operators: readonly number[], seed: number): Promise<Stage> {
  const stage = new Stage(playedWith(operators), nodeCount, seed)
  const { simulation, honest, liars } = stage
  const [liar] = liars as [SimNode]
  simulation.start()
  const isFlagged = (node: SimNode) => node.node !== undefined && node.committedHeight > 0 && entryOf(node, liar).equivocated
  expect(
    await simulation.until(() => honest.every(isFlagged), 240_000),
    `flagged with seed ${seed}: ${simulation.describe()}`,
  ).toBe(true)
  const height = Math.max(...honest.map(({ committedHeight }) => committedHeight))
  const goesOn = await simulation.until(() => honest.every(({ committedHeight }) => committedHeight >= height + 6), 120_000)
  expect(goesOn, `liveness with seed ${seed}: ${simulation.describe()}`).toBe(true)
  return stage
}

const votes = ({ honest: [first] }: Stage, { address }: SimNode): boolean =>
  first!.node!.chain.head.validators.get(address) !== undefined

describe('a validator that equivocates', () => {
  it.each([
    { nodeCount: 5, operators: [0, 1, 2, 3], leaves: true },
    // One that reports is enough, whichever nodes can prove it.
    { nodeCount: 5, operators: [2], leaves: true },
    { nodeCount: 4, operators: [0, 1, 2], leaves: false },
  ])('of $nodeCount, where $operators report, is flagged; leaves the set: $leaves', async ({ nodeCount, operators, leaves }) => {
    for (let seed = 1; seed <= runs(1); seed++) {
      const stage = await play(nodeCount, operators, seed)
      const { honest, liars, simulation } = stage
      const [liar] = liars as [SimNode]
      expect(votes(stage, liar)).toBe(!leaves)
      for (const node of honest) {
        const first = firstOf(node, entryOf(node, liar).id)!
        expect(operators.map((index) => operatorAccount(simCrypto, operatorSecret(index))!.address)).toContain(first.reporter)
        // What is on the chain has left every pool.
        expect(node.node!.evidence).toEqual([])
        for (const other of honest) expect(entryOf(node, other).equivocated).toBe(false)
      }
      const blamed = simulation.network.penalties.filter(({ peer }) => honest.some((node) => node.peer === peer))
      expect(blamed).toEqual([])
      await simulation.stop()
    }
  })
})
