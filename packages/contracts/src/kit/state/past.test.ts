import fc from 'fast-check'
import { bytesToHex, decodeFunctionResult, encodeFunctionData, hexToBytes } from 'viem'
import { describe, expect, it } from 'vitest'
import { runs } from '../../../../../test/long.ts'
import { runCall } from '../../../../execution/src/call/index.ts'
import { CallWorld } from '../../../../execution/test/call-world.ts'
import type { TestContract } from '../../../../execution/test/contracts.ts'
import { program, step } from '../../../test/kit/arbitraries.ts'
import { collectionsContract, deployPair, runProgram } from '../../../test/kit/collections.ts'
import type { FieldName } from '../../../test/kit/fields.ts'
import { ModelWorld } from '../../../test/kit/model.ts'
import { decodeWire, encodeWire, type Program, type Wire } from '../../../test/kit/wire.ts'

/** Results of a read-only program at a height. */
async function readAt(world: CallWorld, { address, abi }: TestContract, height: number, reads: Program): Promise<Wire> {
  const args = [encodeWire(reads as unknown as Wire)]
  const data = hexToBytes(encodeFunctionData({ abi, functionName: 'read', args }))
  const outcome = await runCall(
    world.host,
    world.request({ to: address, data }, { block: world.blockAt(height), gasMax: 1_000_000_000 }),
  )
  if (outcome.kind !== 'returned') throw new Error(JSON.stringify(outcome))
  return decodeWire(decodeFunctionResult({ abi, functionName: 'read', data: bytesToHex(outcome.data) }) as string)
}

const whole = (field: FieldName, verb: string): Program[number] => ({ kind: 'do', field, keys: [], verb, args: [] })

const TABLES: readonly FieldName[] = ['levels', 'owned']
const OTHERS: readonly FieldName[] = ['texts', 'words', 'byText']
const ALL_OF_TABLES = TABLES.flatMap((field) => [whole(field, 'range'), whole(field, 'size'), whole(field, 'last')])
const ALL_OF_OTHERS = [whole('texts', '*'), whole('words', '*')]

describe('collections at past heights', () => {
  it.each([
    ['tables', TABLES, ALL_OF_TABLES],
    ['others', OTHERS, ALL_OF_OTHERS],
  ])('have their values at that height, including range scans: %s', async (_name, fields, all) => {
    const fixture = await collectionsContract(fields)
    const reads = fc.array(
      fc.constantFrom(...fields).chain((field) => step(field, false)),
      { maxLength: 6 },
    )
    const blocks = fc.array(program(fields, 0, 25), { minLength: 1, maxLength: 6 })
    const follow = async (programs: readonly Program[], some: Program) => {
      const world = new CallWorld()
      const [contract] = world.commit((contracts) => deployPair(fixture, contracts))
      const model = new ModelWorld()
      const asked = [...all, ...some]
      const expected = new Map<number, Wire>()
      for (const changes of programs) {
        world.commit((contracts) => runProgram(contracts, contract, changes, false))
        model.run(0, changes, false)
        expected.set(world.height, model.run(0, asked, false))
      }
      // From the last height to the first, then again forwards: data that a reader caches for one height must not appear at another.
      for (const height of [...expected.keys()].reverse())
        expect(await readAt(world, contract, height, asked)).toEqual(expected.get(height))
      for (const [height, answers] of expected) expect(await readAt(world, contract, height, asked)).toEqual(answers)
    }
    await fc.assert(fc.asyncProperty(blocks, reads, follow), { numRuns: runs(10) })
  })
})
