import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../../../../test/long.ts'
import { TestContracts } from '../../../../execution/test/contracts.ts'
import { program } from '../../../test/kit/arbitraries.ts'
import { collectionsContract, deployPair, runProgram } from '../../../test/kit/collections.ts'
import type { FieldName } from '../../../test/kit/fields.ts'
import { ModelWorld } from '../../../test/kit/model.ts'
import type { Program } from '../../../test/kit/wire.ts'
import type { KitContract } from '../../../test/kit-contract.ts'

/** A step with two contracts that can call each other. */
type Event =
  | { readonly kind: 'run'; readonly contract: 0 | 1; readonly program: Program; readonly fails: boolean }
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'revert' }

function event(fields: readonly FieldName[], depth: number, stepsMax: number): fc.Arbitrary<Event> {
  const run = fc.record({
    kind: fc.constant('run' as const),
    contract: fc.constantFrom(0 as const, 1 as const),
    program: program(fields, depth, stepsMax),
    fails: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  })
  return fc.oneof(
    { weight: 6, arbitrary: run },
    { weight: 1, arbitrary: fc.constantFrom<Event>({ kind: 'checkpoint' }, { kind: 'revert' }) },
  )
}

const follow =
  (fixture: KitContract) =>
  (events: readonly Event[]): void => {
    const contracts = new TestContracts()
    const pair = deployPair(fixture, contracts)
    const model = new ModelWorld()
    const checkpoints: (readonly [ReturnType<typeof contracts.journal.checkpoint>, number])[] = []
    for (const event of events) {
      if (event.kind === 'checkpoint') checkpoints.push([contracts.journal.checkpoint(), model.checkpoint()])
      else if (event.kind === 'run') {
        const expected = model.run(event.contract, event.program, event.fails)
        expect(runProgram(contracts, pair[event.contract], event.program, event.fails)).toEqual(expected)
      } else {
        const [journal, done] = checkpoints.pop() ?? []
        if (journal === undefined) continue
        contracts.journal.revert(journal)
        model.revert(done!)
      }
    }
  }

const GROUPS = {
  values: ['word', 'small', 'flag', 'who', 'text', 'raw', 'tag', 'point', 'array', 'matrix'],
  mappings: [
    ...['byAddress', 'byText', 'byBytes', 'byInteger', 'byFlag', 'byTag'],
    'byHashWithANameAsLongAsNamesMayBeWhichIsSixtyFourCharactersInAll',
  ],
  'nested mappings': ['textByTextByText', 'bytesByBytes', 'deep'],
  sets: ['texts', 'members', 'integers', 'setsByText', 'setsByHash'],
  lists: ['points', 'words', 'listsByText', 'listsByNumber'],
} as const satisfies { readonly [name: string]: readonly FieldName[] }

const REPLACED = [
  ['formerValue', 'newValue'],
  ['formerMapping', 'newMapping'],
  ['formerNested', 'newNested'],
] as const satisfies readonly (readonly FieldName[])[]

const TABLES = [
  'orders',
  'levels',
  'hashes',
  'owned',
  'mixed',
  'tablesByText',
  'tablesByHash',
] as const satisfies readonly FieldName[]

const TOGETHER: readonly (readonly FieldName[])[] = [
  ['word', 'byText', 'deep', 'members', 'setsByText', 'points', 'listsByText', 'formerMapping', 'newMapping'],
  ['point', 'byInteger', 'orders', 'owned', 'tablesByText'],
]

/** Time limit for shrinking a failure; a successful run takes seconds. */
const SHRINKING = { interruptAfterTimeLimit: 60_000, markInterruptAsFailure: true }

describe('collections behave like a plain model, also after failures and reverts', () => {
  it.each(Object.entries<readonly FieldName[]>(GROUPS))('%s', async (_name, fields) => {
    const fixture = await collectionsContract(fields)
    // Use few fields at a time, so that steps affect each other.
    const some = fc.shuffledSubarray([...fields], { minLength: 1, maxLength: 2 })
    const events = some.chain((names) => fc.array(event(names, 1, 12), { maxLength: 8 }))
    fc.assert(fc.property(events, follow(fixture)), { numRuns: runs(25), ...SHRINKING })
  })

  it.each(REPLACED)('%s, and %s in its place', async (...names) => {
    const fixture = await collectionsContract(names)
    const events = fc.array(event(names, 1, 20), { maxLength: 8 })
    fc.assert(fc.property(events, follow(fixture)), { numRuns: runs(15), ...SHRINKING })
  })

  it.each(TABLES)('the table %s', async (field) => {
    const fixture = await collectionsContract([field])
    const events = fc.array(event([field], 1, 30), { maxLength: 6 })
    fc.assert(fc.property(events, follow(fixture)), { numRuns: runs(15), ...SHRINKING })
  })

  it.each(TOGETHER)('several of them, in calls that call back', async (...names) => {
    const fixture = await collectionsContract(names)
    const events = fc.array(event(names, 3, 10), { maxLength: 6 })
    fc.assert(fc.property(events, follow(fixture)), { numRuns: runs(15), ...SHRINKING })
  })
})
