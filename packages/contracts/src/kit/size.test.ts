import { describe, expect, it } from 'vitest'
import { readContract } from '../../../../test/contracts/contract.mjs'
import { creationOf, OTHER, type TestContract, TestContracts, USER } from '../../../execution/test/contracts.ts'
import { kitContract, kitFixture } from '../../test/kit-contract.ts'

const BUNDLE_BYTES_MAX = 12_000
/** Maximum ratio of the gas of the kit's token to that of the hand-written one. */
const GAS_RATIO_MAX = 1.3

const ARGS = ['Token', 'TKN', USER, 1_000_000n] as const
const CALLS = [
  ['transfer', [OTHER, 5n]],
  ['approve', [OTHER, 5n]],
  ['balanceOf', [USER]],
  ['allowance', [USER, OTHER]],
] as const

function deployByHand(contracts: TestContracts): TestContract {
  const { source, abi } = readContract('token')
  const outcome = contracts.create(creationOf(source, abi, ARGS))
  if (!outcome.ok) throw new Error(outcome.reason)
  return { address: outcome.contractAddress!, abi }
}

describe('the token of the kit', () => {
  it(`is a bundle of at most ${BUNDLE_BYTES_MAX} bytes`, async () => {
    expect(Buffer.byteLength((await kitFixture('token')).source)).toBeLessThanOrEqual(BUNDLE_BYTES_MAX)
  })

  it.each(CALLS)(`takes at most ${GAS_RATIO_MAX} times the gas of one written by hand: %s`, async (name, args) => {
    const contracts = new TestContracts()
    const byHandContract = deployByHand(contracts)
    const gasOf = (contract: TestContract) => {
      // The first call pays for loading the code in this block, and sets the receiver's balance. Measure the second call.
      contracts.call(contract, name, args)
      const outcome = contracts.attempt(contract, name, args)
      expect(outcome.ok).toBe(true)
      return outcome.gasUsed
    }
    const byHand = gasOf(byHandContract)
    expect(gasOf((await kitFixture('token')).deploy(contracts, ARGS)) / byHand).toBeLessThanOrEqual(GAS_RATIO_MAX)
  })
})

describe('a contract', () => {
  it('has nothing of the collections that it does not use', async () => {
    const sizeOf = async (state: string) =>
      (await kitContract(`import * as kit from '@quoin/contracts'; export default kit.contract({ state: { ${state} } })`)).source
        .length
    const [none, value, mapping, set, list, table] = await Promise.all(
      ['', 'a: kit.value("bool")', 'a: kit.mapping("bool", "bool")', 'a: kit.set("bool")', 'a: kit.list("bool")']
        .map(sizeOf)
        .concat(sizeOf('a: kit.table({ key: "bool", row: { n: "bool" } })')),
    )
    expect(none).toBeLessThan(3_500)
    expect(value! - none!).toBeLessThan(1_200)
    expect(mapping! - none!).toBeLessThan(2_600)
    expect(list! - none!).toBeLessThan(2_000)
    expect(set! - none!).toBeLessThan(3_500)
    expect(table! - none!).toBeLessThan(6_500)
  })
})
