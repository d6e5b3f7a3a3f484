import { bytesToHex, decodeErrorResult } from 'viem'
import { beforeAll, describe, expect, it } from 'vitest'
import { OTHER, type TestContract, TestContracts, USER } from '../../../execution/test/contracts.ts'
import { type KitContract, kitContract } from '../../test/kit-contract.ts'

/** ABI of the callee as Solidity lines; the caller uses the same lines. */
const LINES = `[
  'struct Inner { int8[] list; bytes3 tag; }',
  'struct Outer { Inner inner; Inner[2] pair; string text; }',
  'function add(uint256 a, uint256 b) pure returns (uint256)',
  'function twice(Outer calldata outer, uint256[] memory more) external returns (Outer memory, uint256 sum)',
  'function over(uint256 n) view returns (string)',
  'function over(address who) view returns (string)',
  'function take() payable returns (uint256 value, uint256 gas)',
  'function write(uint256 n)',
  'function written() view returns (uint256)',
  'function lie() view returns (uint256)',
  'function refuse(uint256 n) pure',
  'error Refused(uint256 n)',
]`

let callee: KitContract
let caller: KitContract
beforeAll(async () => {
  callee = await kitContract(`import { contract, value } from '@quoin/contracts'
    export default contract({
      abi: ${LINES} as any,
      state: { n: value('uint256') },
      functions: {
        add: (_, a, b) => a + b,
        twice: (_, outer, more) => [{ ...outer, text: outer.text + outer.text }, more.reduce((a, b) => a + b, BigInt(outer.inner.list.length))],
        'over(uint256)': (_, n) => 'number ' + n, 'over(address)': () => 'address',
        take: ({ value, gasLeft }) => [value, gasLeft],
        write: ({ state }, n) => state.n.set(n), written: ({ state }) => state.n.get(),
        lie: ({ state }) => { state.n.set(1n); return 1n },
        refuse: ({ revert }, n) => revert.Refused(n),
      },
    } as any)`)
  caller = await kitContract(`import { contract, remote } from '@quoin/contracts'
    const other = remote(${LINES} as const)
    const json = remote([{ type: 'function', name: 'add', stateMutability: 'pure', inputs: [{ name: 'a', type: 'uint256' }, { name: 'b', type: 'uint256' }], outputs: [{ name: '', type: 'uint256' }] }])
    export default contract({
      abi: [
        'function add(address to) view returns (uint256, uint256)',
        'function twice(address to) returns (int8[], bytes3, bytes3, string, uint256)',
        'function over(address to) view returns (string, string)',
        'function take(address to, uint256 value, uint256 gas) payable returns (uint256 value, uint256 gas)',
        'function write(address to, uint256 n) returns (uint256)',
        'function writeFromView(address to) view',
        'function lie(address to) returns (uint256)',
        'function refuse(address to)',
        'function catching(address to) returns (string name, bytes data, uint256 n)',
      ],
      functions: {
        add: (_, to) => [other.add(to, 2n, 3n), json.add(to, 4n, 5n)],
        twice(_, to) {
          const inner = [[1n, -2n], new Uint8Array([1, 2, 3])] as const
          const [outer, sum] = other.twice(to, [inner, [inner, [[], new Uint8Array(3)]], 'ab'], [5n, 6n])
          return [outer[0][0], outer[1][0]![1], outer[1][1]![1], outer[2], sum]
        },
        over: (_, to) => [other['over(uint256)'](to, 7n), other['over(address)'](to, to)],
        take: (_, to, value, gas) => other.take({ to, value, ...(gas > 0n && { gas }) }) as any,
        write(_, to, n) { other.write(to, n); return other.written(to) },
        writeFromView: (_, to) => other.write(to, 1n),
        lie: (_, to) => other.lie(to),
        refuse: (_, to) => other.refuse(to, 9n),
        catching(_, to) {
          other.write(to, 4n)
          try { other.refuse(to, 9n) } catch (error) { return [(error as Error).name, (error as any).data, other.written(to)] }
          throw new Error('nothing was refused')
        },
      },
    })`)
})

function world() {
  const contracts = new TestContracts()
  contracts.fund(USER, 1_000n)
  const to = callee.deploy(contracts).address
  const contract = caller.deploy(contracts)
  const call = (name: string, args: readonly unknown[] = [], options = {}) =>
    contracts.call(contract, name, [to, ...args], options)
  return { contracts, contract, to, call }
}

describe('remote', () => {
  it('calls by name, from lines and from JSON', () => {
    expect(world().call('add')).toEqual([5n, 9n])
  })

  it('passes structs within structs and arrays as arrays', () => {
    expect(world().call('twice')).toEqual([[1, -2], '0x010203', '0x000000', 'abab', 13n])
  })

  it('distinguishes overloads by signature', () => {
    expect(world().call('over')).toEqual(['number 7', 'address'])
  })

  it('sends value, and as much gas as is asked for', () => {
    const { call, contracts, to } = world()
    const [value, gas] = call('take', [5n, 200_000n], { value: 8n }) as [bigint, bigint]
    expect([value, contracts.journal.account(to).balance]).toEqual([5n, 5n])
    expect(gas).toBeLessThan(200_000n)
    expect((call('take', [0n, 0n], { value: 8n }) as [bigint, bigint])[1]).toBeGreaterThan(1_000_000n)
  })

  it('can write only through functions that are not view', () => {
    const { call, contracts, contract, to } = world()
    expect(call('write', [6n])).toBe(6n)
    expect(contracts.failure(contract, 'writeFromView', [to])).toMatch(/write/)
    // The caller's ABI says `view`, so the call is static, whatever the callee's ABI says.
    expect(contracts.failure(contract, 'lie', [to])).toMatch(/write/)
  })

  it('passes failures on with their data, also to a catch block', () => {
    const { call, contracts, contract, to } = world()
    const outcome = contracts.attempt(contract, 'refuse', [to])
    expect(outcome.ok).toBe(false)
    expect(decodeErrorResult({ abi: callee.abi, data: bytesToHex(outcome.data) })).toMatchObject({
      errorName: 'Refused',
      args: [9n],
    })
    const [name, data, n] = call('catching') as [string, `0x${string}`, bigint]
    expect([name, n]).toEqual(['CallError', 4n])
    expect(decodeErrorResult({ abi: callee.abi, data })).toMatchObject({ errorName: 'Refused', args: [9n] })
  })

  it('fails if there is no contract', () => {
    const { contracts, contract }: { contracts: TestContracts; contract: TestContract } = world()
    expect(contracts.failure(contract, 'add', [OTHER])).toMatch(/no code|no contract/)
  })
})
