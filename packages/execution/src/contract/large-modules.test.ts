import { type Address, DEFAULT_PARAMETERS, emptyBytes, hexToBytes } from '@quoin/protocol'
import { encodeFunctionData } from 'viem'
import { describe, expect, it } from 'vitest'
import { containerOf } from '../../../../test/contracts/contract.mjs'
import { abiOf, TestContracts, USER } from '../../test/contracts.ts'
import { runMessage } from '../block/transaction.ts'
import { MESSAGE_LIMITS } from './message-limits.ts'
import { CODE_REGISTRY_ABI, CODE_REGISTRY_ADDRESS } from './native/code-registry.ts'

/** A module with this many functions as an author writes them, about 190 bytes each. `mark` is in one of them. */
function largeModule(count: number, mark: string): string {
  const functions = Array.from(
    { length: count },
    (_, i) => `
    f${i}(a, b) {
      let total = a + ${i}n
      for (let k = 0n; k < b; k++) { if (total % 7n === 0n) total = total * 3n + k; else total -= k }
      quoin.store('uint256', 'key' + total, total)
      return total
    },`,
  )
  return `export default { functions: {${functions.join('')}
    mark: () => '${mark}' } }`
}

const abiOfModule = (count: number) =>
  abiOf([
    ...Array.from({ length: count }, (_, i) => `function f${i}(uint256 a, uint256 b) returns (uint256)`),
    'function mark() pure returns (string)',
  ])

/** Runs a transaction's message with the default gas limit. Returns the gas used and the outcome. */
function transact(chain: TestContracts, to: Address | undefined, data: Uint8Array) {
  const { transactionGasMax: gasLimit } = DEFAULT_PARAMETERS
  const { outcome, gasUsed } = runMessage(chain.machine, { from: USER, to, value: 0n, data, accessList: [], gasLimit })
  if (!outcome.ok) throw new Error(`${outcome.reason}, ${gasUsed} gas`)
  return { gasUsed, contractAddress: outcome.contractAddress }
}

describe.each([
  [60_000, 300],
  [100_000, 480],
])('a module of %d bytes', (bytes, count) => {
  const abi = abiOfModule(count)
  const container = (mark: string) => containerOf(largeModule(count, mark), abi, { upgradeAuthority: { kind: 'deployer' } })

  it('is deployed and upgraded within the gas that a transaction may have by default', () => {
    expect(largeModule(count, '').length).toBeGreaterThan(bytes)
    const chain = new TestContracts()
    const made = transact(chain, undefined, container('first'))
    const address = made.contractAddress!
    expect(chain.call({ address, abi }, 'mark')).toBe('first')
    const args = [address, `0x${Buffer.from(container('second')).toString('hex')}`, '0x'] as const
    const upgrade = encodeFunctionData({ abi: CODE_REGISTRY_ABI, functionName: 'upgrade', args } as never)
    const renewed = transact(chain, CODE_REGISTRY_ADDRESS, hexToBytes(upgrade))
    expect(chain.call({ address, abi }, 'mark')).toBe('second')
    expect(chain.call({ address, abi }, `f${count - 1}`, [5n, 2n])).toBe(BigInt(count + 3))
    // Tools send 1.5 times the estimate. The rest is room for the author's own additions.
    for (const { gasUsed } of [made, renewed]) expect(1.5 * gasUsed).toBeLessThan(0.7 * DEFAULT_PARAMETERS.transactionGasMax)
  })
})

it('the gas limit of evaluating a module leaves gas for its bytes', () => {
  expect(MESSAGE_LIMITS.evaluationGasMax).toBeLessThan(DEFAULT_PARAMETERS.transactionGasMax)
  expect(emptyBytes()).toHaveLength(0)
})
