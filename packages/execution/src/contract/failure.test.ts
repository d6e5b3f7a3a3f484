import { expect, it } from 'vitest'
import { creationOf, type TestContract, TestContracts } from '../../test/contracts.ts'

const INNER = `export default { functions: {
  refuse() { throw new Error('inner') },
  silent() { quoin.revert('Refused') },
} }`
const OUTER = `export default { functions: {
  pass(to) { quoin.call(to, 'refuse()', []) },
  again(to) { try { quoin.call(to, 'silent()', []) } catch (error) { throw error } },
  reword(to) { try { quoin.call(to, 'refuse()', []) } catch { throw new Error('outer') } },
  other(to) { try { quoin.call(to, 'refuse()', []) } catch {} quoin.revert('Refused') },
} }`

function world() {
  const chain = new TestContracts()
  const inner = chain.deploy(['function refuse()', 'function silent()', 'error Refused()'], INNER)
  const names = ['pass', 'again', 'reword', 'other']
  const outer = chain.deploy([...names.map((name) => `function ${name}(address to)`), 'error Refused()'], OUTER)
  const traceOf = (name: string, contract: TestContract = outer, args: readonly unknown[] = [inner.address]) => {
    const outcome = chain.attempt(contract, name, args)
    if (outcome.ok) throw new Error(`${name} succeeded`)
    return outcome.trace.map(({ address, stack }) => [address, /at (\w+)/.exec(stack)?.[1]])
  }
  return { chain, inner, outer, traceOf }
}

it('traces an exception through the contracts that it left, innermost first', () => {
  const { inner, outer, traceOf } = world()
  expect(traceOf('refuse', inner, [])).toEqual([[inner.address, 'refuse']])
  expect(traceOf('pass')).toEqual([
    [inner.address, 'refuse'],
    [outer.address, 'pass'],
  ])
  expect(traceOf('again').map(([address]) => address)).toEqual([inner.address, outer.address])
})

it('leaves out caught exceptions', () => {
  const { outer, traceOf } = world()
  expect(traceOf('reword')).toEqual([[outer.address, 'reword']])
  expect(traceOf('other').map(([address]) => address)).toEqual([outer.address])
})

it('has the backtrace of a module that throws, which has no address', () => {
  const { chain } = world()
  const outcome = chain.create(creationOf('const start = () => { throw new Error("no") }\nstart()\nexport default {}', []))
  expect(outcome).toMatchObject({ ok: false, trace: [{ address: undefined, stack: expect.stringMatching(/start.*:1:/) }] })
  expect(chain.create(Uint8Array.of(1))).toMatchObject({ ok: false, trace: [] })
})
