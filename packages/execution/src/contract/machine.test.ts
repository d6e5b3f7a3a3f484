import { describe, expect, it } from 'vitest'
import { OTHER, TestContracts, USER } from '../../test/contracts.ts'

it('smoke', () => {
  const chain = new TestContracts()
  const counter = chain.deploy(
    [
      'constructor(uint256 start)',
      'function add(uint256 n) returns (uint256)',
      'function count() view returns (uint256)',
      'event Added(address indexed who, uint256 n)',
      'error TooMuch(uint256 n)',
    ],
    `
   export default { constructor(start) { quoin.store('uint256','n',start) }, functions: { add(n) { if (n > 100n) quoin.revert('TooMuch', n); const v = quoin.load('uint256','n') + n; quoin.store('uint256','n',v); quoin.emit('Added', quoin.sender, n); return v }, count() { return quoin.load('uint256','n') } } }
  `,
    [5n],
  )
  console.log(chain.attempt(counter, 'add', [3n]))
  console.log(chain.attempt(counter, 'add', [3n]))
  console.log(chain.attempt(counter, 'add', [300n]))
  console.log(chain.call(counter, 'count'))
  console.log(chain.journal.changes().length)
  expect(1).toBe(1)
})
