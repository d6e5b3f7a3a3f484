import { executionVersion } from '@quoin/execution'
import { createContracts, Journal, Machine } from '@quoin/execution/contract'
import { loadContractInterpreter } from '@quoin/platform'
import { Address, type ChainId, type Height, hexToBytes, nobleCrypto, type TimeMs } from '@quoin/protocol'
import { encodeFunctionData } from 'viem'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildFiles, built } from '../../test/build/project.ts'
import { type BuiltContract, createTracer, mapStack } from './index.ts'

const USER = Address(`0x${'a1'.repeat(20)}`)

const SOURCE = `import { contract, mapping } from '@quoin/contracts'
import { deep } from './lib/deep.ts'

export default contract({
  abi: ['function fail(uint256 n)', 'function misuse()'],
  state: { balances: mapping('address', 'uint256') },
  functions: {
    fail({ state, sender }, n) {
      const label = '😀'; state.balances.set(sender, deep(label, n))
    },
    misuse({ state, sender }) {
      state.balances.set(sender, 'not an integer' as never)
    },
  },
})
`
const DEEP = `export function deep(label: string, n: bigint): bigint {
  if (n > 0n) throw new Error(label + n)
  return n
}
`

describe('the backtrace of a failed call', () => {
  let contract: BuiltContract
  let fail: (functionName: string, args?: readonly unknown[]) => { readonly reason: string; readonly stack: string }
  beforeAll(async () => {
    contract = built(await buildFiles(SOURCE, { 'contracts/lib/deep.ts': DEEP }))
    const interpreter = await loadContractInterpreter()
    const contracts = createContracts({
      crypto: nobleCrypto,
      chainId: 1 as ChainId,
      interpreter,
      reader: { get: () => undefined },
      executionVersion: executionVersion(nobleCrypto),
    })
    const block = { number: 1 as Height, timeMs: 1_000 as TimeMs, proposer: USER, gasLimit: 60_000_000, baseFee: 0n }
    const machine = new Machine(contracts, new Journal(), block)
    const run = (to: Address | undefined, data: Uint8Array) => machine.run({ from: USER, to, value: 0n, data, gas: 300_000_000 })
    const made = run(undefined, contract.code)
    if (!made.ok) throw new Error(made.reason)
    fail = (functionName, args = []) => {
      const outcome = run(made.contractAddress, hexToBytes(encodeFunctionData({ abi: contract.abi, functionName, args })))
      if (outcome.ok) throw new Error('it succeeded')
      return { reason: outcome.reason, stack: outcome.error?.stack ?? '' }
    }
  })

  it("names the author's files, lines and columns", () => {
    const { stack } = fail('fail', [7n])
    const lines = mapStack(stack, contract.sourceMap, contract.source).split('\n')
    expect(lines[0]).toMatch(/^ {4}at deep \(contracts\/lib\/deep\.ts:2:\d+\)$/)
    expect(lines[1]).toMatch(/^ {4}at \S+ \(contracts\/token\.ts:9:(54|58)\)$/)
    expect(lines).toHaveLength(stack.trimEnd().split('\n').length)
  })

  it('marks the frames of the kit and leaves none out', () => {
    const { stack } = fail('misuse')
    const tracer = createTracer([contract])
    const frames = tracer.frames('token', stack)
    expect(frames[0]?.isKit).toBe(true)
    const own = frames.find(({ isKit }) => !isKit)
    expect(own?.position).toMatchObject({ file: 'contracts/token.ts', line: 12 })
    expect(own?.position?.lineText).toContain('not an integer')
    const text = tracer.stack('token', stack)
    expect(text).toMatch(/@quoin\/contracts\/src\/kit\/\S+:\d+:\d+\) \[kit\]/)
    expect(text.split('\n')).toHaveLength(stack.trimEnd().split('\n').length)
  })

  it('reasons contain the place in the author’s file', () => {
    const tracer = createTracer([contract])
    const at = contract.source.indexOf('throw') + 1
    const column = Array.from(contract.source.slice(contract.source.lastIndexOf('\n', at) + 1, at)).length
    const line = contract.source.slice(0, at).split('\n').length
    const reason = `contract code rejected: Error: x (line ${line}, column ${column} of the source)`
    // The position in the expression depends on the order of the bundle. Only the file matters.
    expect(tracer.reason('token', reason)).toMatch(/^contract code rejected: Error: x \(\S+\.ts:\d+:\d+\)$/)
    expect(tracer.reason('other', reason)).toBe(reason)
    expect(tracer.stack('other', 'as it is')).toBe('as it is')
    expect(tracer.stack('token', '    at f (native)\n')).toBe('    at f (native)')
  })
})
