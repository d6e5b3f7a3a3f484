import { Hash, nobleCrypto } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { containerOf } from '../../../../test/contracts/contract.mjs'
import { abiOf, TEST_BLOCK, TEST_GAS, type TestContract, TestContracts, USER } from '../../test/contracts.ts'
import { imageBytes } from '../vm/index.ts'
import { readCodeRecord } from './code-record.ts'
import { LoadedCodes } from './loaded-codes.ts'
import { Machine } from './machine.ts'
import { MESSAGE_LIMITS, PROGRAM_CACHE_LIMITS } from './message-limits.ts'

const hash = (n: number) => Hash(new Uint8Array(32).fill(n))
const has = (codes: LoadedCodes, hashes: readonly Hash[]) => hashes.map((one) => codes.has(one))

describe('the codes that a block has loaded', () => {
  const [a, b, c, d] = [1, 2, 3, 4].map(hash) as [Hash, Hash, Hash, Hash]

  it('are those used last, up to the limit', () => {
    const codes = new LoadedCodes(30)
    expect([codes.use(a, 10), codes.use(b, 10), codes.use(c, 10)]).toEqual([true, true, true])
    expect(codes.use(a, 10)).toBe(false)
    expect(codes.use(d, 11)).toBe(true)
    expect(has(codes, [a, b, c, d])).toEqual([true, false, false, true])
    expect(codes.use(b, 9)).toBe(true)
    expect(has(codes, [a, b, c, d])).toEqual([true, true, false, true])
  })

  it('are none, if the last one alone is too large', () => {
    const codes = new LoadedCodes(30)
    codes.use(a, 31)
    expect(codes.has(a)).toBe(false)
    codes.use(b, 30)
    expect(codes.has(b)).toBe(true)
  })

  it('are all in the program cache', () => {
    expect(PROGRAM_CACHE_LIMITS.bytesMax).toBeGreaterThanOrEqual(2 * MESSAGE_LIMITS.loadedBytesMax)
    expect(MESSAGE_LIMITS.loadedBytesMax).toBeGreaterThan(2 * MESSAGE_LIMITS.imageGrowthBytesMax)
  })
})

describe('a block that uses more codes in turn than memory holds', () => {
  const lines = ['function f()']
  const sourceOf = (mark: number) => `const big = new Uint8Array(100000).fill(${mark}); export default { functions: { f() {} } }`
  const containers = [1, 2, 3].map((mark) => containerOf(sourceOf(mark), abiOf(lines)))
  const hashes = containers.map((container) => Hash(nobleCrypto.keccak256(container)))

  it('pays for each load, by calls, creations and clones alike', () => {
    const chain = new TestContracts()
    const targets = [1, 2, 3].map((mark) => chain.deploy(lines, sourceOf(mark)))
    const factory = chain.deploy(
      ['function copy(bytes32 hash)'],
      'export default { functions: { copy(hash) { quoin.clone(hash) } } }',
    )
    const { contracts } = chain.machine
    const bytes = imageBytes(contracts.programs.get(hashes[0]!, () => containers[0]!).image)
    const block = (bytesMax?: number) => {
      const on = new TestContracts(chain.journal)
      Object.assign(on, { machine: new Machine(contracts, chain.journal, TEST_BLOCK, { loaded: new LoadedCodes(bytesMax) }) })
      return on
    }
    const call = (on: TestContracts, target: TestContract) => on.attempt(target, 'f').gasUsed
    const roomy = block()
    const [cold, warm] = [call(roomy, targets[0]!), call(roomy, targets[0]!)]
    const { loadGas } = readCodeRecord(chain.journal, hashes[0]!)!
    expect(cold - warm).toBe(loadGas)

    const small = block(2.5 * bytes)
    const rounds = [1, 2].map(() => targets.map((target) => call(small, target)))
    expect(rounds).toEqual([Array(3).fill(cold), Array(3).fill(cold)])
    // The third and the second of them are loaded now.
    expect([targets[2]!, targets[1]!, targets[0]!].map((target) => call(small, target))).toEqual([warm, warm, cold])

    const create = (on: TestContracts, i: number) => {
      const outcome = on.machine.run({ from: USER, to: undefined, value: 0n, data: containers[i]!, gas: TEST_GAS })
      expect(outcome.ok).toBe(true)
      return outcome.gasUsed
    }
    const creating = block(2.5 * bytes)
    const [first, again] = [create(creating, 0), create(creating, 0)]
    expect(first - again).toBe(loadGas)
    expect([1, 2, 0].map((i) => create(creating, i))).toEqual([first, first, first])

    const clone = (on: TestContracts, i: number) => on.attempt(factory, 'copy', [hashes[i]]).gasUsed
    const cloning = block(3.5 * bytes)
    clone(cloning, 0)
    const [loaded, reused] = [clone(cloning, 1), clone(cloning, 1)]
    expect(loaded - reused).toBe(loadGas)
    expect([2, 0].map((i) => clone(cloning, i))).toEqual([loaded, loaded])
  })
})
