import { afterEach, expect, it, vi } from 'vitest'
import { GasStatistics } from '../../src/testing/gas-report.ts'
import { createChain } from '../../src/testing/index.ts'
import { lab } from './lab.ts'
import { token } from './token.ts'

afterEach(() => void vi.restoreAllMocks())

it('is counted by contract and function, of transactions that succeeded', async () => {
  const chain = await createChain()
  const [alice, bob] = chain.accounts
  const coin = await chain.deploy(token, { args: ['Quoin', 'QUO', alice, 1_000n] })
  const first = await coin.write.transfer([bob, 1n])
  const second = await coin.write.transfer([bob, 1n])
  await expect(coin.write.transfer([alice, 500n], { from: bob })).rejects.toThrow('ERC20InsufficientBalance')
  await coin.simulate.transfer([bob, 1n])
  await coin.read.name()
  const used = [first.gasUsed, second.gasUsed].toSorted((a, b) => (a < b ? -1 : 1))
  expect(used[0]).not.toBe(used[1])
  expect(chain.gas.of('token', 'transfer')).toEqual({
    contract: 'token',
    functionName: 'transfer',
    calls: 2,
    min: used[0],
    max: used[1],
    last: second.gasUsed,
    avg: (used[0]! + used[1]!) / 2n,
  })
  expect(chain.gas.functions).toHaveLength(1)
  expect(chain.gas.deployments).toMatchObject([{ contract: 'token', calls: 1 }])
  expect(chain.gas.of('token', 'approve')).toBeUndefined()
})

it('shows signatures of overloaded functions, and names for receive and fallback', async () => {
  const chain = await createChain()
  const contract = await chain.deploy(lab, { args: [1n] })
  await contract.write.add([1n])
  await contract.write.add([1n, 2n])
  await chain.send({ to: contract.address, value: 1n })
  await chain.send({ to: chain.accounts[1], value: 1n })
  expect(chain.gas.functions.map(({ functionName }) => functionName)).toEqual([
    '(receive)',
    'add(uint256)',
    'add(uint256,uint256)',
  ])
})

it('is a table with aligned columns', () => {
  const gas = new GasStatistics()
  expect(String(gas)).toBe('')
  gas.record('token', 'transfer', 51_234n)
  gas.record('token', 'transfer', 1_000_001n)
  gas.record('a longer name', 'f', 7n)
  gas.record('token', '(deployment)', 2_558_501n)
  expect(String(gas)).toBe(
    [
      'contract       function      calls        min        avg        max       last',
      '─────────────  ────────────  ─────  ─────────  ─────────  ─────────  ─────────',
      'token          (deployment)      1  2,558,501  2,558,501  2,558,501  2,558,501',
      'a longer name  f                 1          7          7          7          7',
      'token          transfer          2     51,234    525,617  1,000,001  1,000,001',
    ].join('\n'),
  )
})

it('is printed for each transaction where that is asked for', async () => {
  const print = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  const chain = await createChain({ gas: 'each' })
  const contract = await chain.deploy(lab, { args: [1n] })
  const { gasUsed } = await contract.write.add([1n])
  expect(print.mock.calls.map(([line]) => line)).toEqual([
    expect.stringMatching(/^gas: [0-9,]+ lab \(deployment\)$/),
    `gas: ${gasUsed.toLocaleString('en-US')} lab add(uint256)`,
  ])
})
