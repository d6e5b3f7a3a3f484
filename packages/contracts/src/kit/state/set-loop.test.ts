import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { runs } from '../../../../../test/long.ts'
import { TestContracts } from '../../../../execution/test/contracts.ts'
import { type KitContract, kitContract } from '../../../test/kit-contract.ts'

/** A loop of the contract ends after this many visits, because changes may keep it going for ever. */
const VISITS_MAX = 40

/** Its function `run` makes `changes[v]` when it visits the value v. Changes are numbers: 2 n adds n, 2 n + 1 removes it. */
let fixture: KitContract
beforeAll(async () => {
  fixture = await kitContract(`import { contract, mapping, set } from '@quoin/contracts'
    export default contract({
      abi: [
        'function run(uint256[] first, uint256[][] changes) returns (uint256[] seen, uint256[] left)',
        'function nested(uint256 n) returns (uint256[] outer, uint256[] inner, uint256[] left)',
        'function broken() returns (uint256[] seen)',
      ],
      state: { sets: mapping('bool', set('uint256')) },
      functions: {
        run({ state }, first, changes) {
          const values = state.sets.at(true)
          for (const value of first) values.add(value)
          const seen = []
          for (const value of values) {
            seen.push(value)
            if (seen.length === ${VISITS_MAX}) break
            for (const change of changes[Number(value)] ?? [])
              // Another object of the same set, and another set.
              if (change % 2n) { state.sets.at(true).remove(change / 2n); state.sets.at(false).remove(value) }
              else { values.add(change / 2n); state.sets.at(false).add(change) }
          }
          return [seen, [...values]]
        },
        nested({ state }, n) {
          const values = state.sets.at(true)
          for (let i = 0n; i < n; i++) values.add(i)
          const outer = [], inner = []
          for (const value of values) {
            outer.push(value)
            for (const other of values) {
              if (inner.length < 1000) inner.push(other)
              if (other % 2n === value % 2n) values.remove(other)
            }
          }
          return [outer, inner, [...values]]
        },
        broken({ state }) {
          const values = state.sets.at(true)
          for (let i = 0n; i < 5n; i++) values.add(i)
          for (const value of values) { values.remove(value); if (value === 1n) break }
          const seen = []
          for (const value of values) { seen.push(value); values.remove(value) }
          return seen
        },
      },
    })`)
})

function call(name: string, args: readonly unknown[]): readonly (readonly bigint[])[] {
  const contracts = new TestContracts()
  const result = contracts.call(fixture.deploy(contracts, []), name, args)
  return (Array.isArray((result as readonly unknown[])[0]) ? result : [result]) as readonly (readonly bigint[])[]
}

/** The definition: each value is visited once for each time that it is in the set when the loop gets there, and no value twice without being added anew. */
function follow(first: readonly bigint[], changes: readonly (readonly bigint[])[], seen: readonly bigint[]): ReadonlySet<bigint> {
  const values = new Set(first)
  const unseen = new Set(first)
  for (const [i, value] of seen.entries()) {
    expect(unseen.has(value), `${value}, visit ${i}`).toBe(true)
    unseen.delete(value)
    if (i === VISITS_MAX - 1) return values
    for (const change of changes[Number(value)] ?? []) {
      const changed = change / 2n
      if (change % 2n === 0n && !values.has(changed)) {
        values.add(changed)
        unseen.add(changed)
      } else if (change % 2n === 1n) {
        values.delete(changed)
        unseen.delete(changed)
      }
    }
  }
  expect([...unseen]).toEqual([])
  return values
}

const sorted = (values: Iterable<bigint>): readonly bigint[] => [...values].sort((a, b) => (a < b ? -1 : 1))

describe('a loop over a set that changes it', () => {
  const VALUES = 8
  const value = fc.bigInt({ min: 0n, max: BigInt(VALUES - 1) })
  const changes = fc.array(fc.array(fc.bigInt({ min: 0n, max: BigInt(2 * VALUES - 1) }), { maxLength: 4 }), { maxLength: VALUES })

  it("visits what JavaScript's Set would visit", () => {
    fc.assert(
      fc.property(fc.uniqueArray(value, { maxLength: VALUES }), changes, (first, made) => {
        const [seen, left] = call('run', [first, made])
        expect(sorted(left!)).toEqual(sorted(follow(first, made, seen!)))
      }),
      {
        numRuns: runs(60),
        examples: [
          [
            [0n, 1n, 2n, 3n],
            [[], [], [1n]],
          ],
          [
            [0n, 1n, 2n],
            [[], [], [1n, 6n, 7n, 8n]],
          ],
        ],
      },
    )
  })

  it('visits values in the order of insertion while nothing is removed', () => {
    expect(
      call('run', [
        [5n, 3n, 4n],
        [[], [], [], [2n]],
      ])[0],
    ).toEqual([5n, 3n, 4n, 1n])
  })

  it('may run within another one', () => {
    const [outer, inner, left] = call('nested', [5n])
    expect(outer).toEqual([0n, 1n])
    expect(sorted(inner!.slice(0, 5))).toEqual([0n, 1n, 2n, 3n, 4n])
    expect(sorted(inner!.slice(5))).toEqual([1n, 3n])
    expect(left).toEqual([])
  })

  it('leaves nothing behind when it is left early', () => {
    expect(sorted(call('broken', [])[0]!)).toEqual([2n, 3n, 4n])
  })
})
