import { type Abi, hexToBytes, nobleCrypto, parseAbi, unwrap } from '@quoin/protocol'
import { Interface } from 'ethers'
import fc from 'fast-check'
import { encodeFunctionData, parseAbi as parseHumanAbi, toEventSelector, toFunctionSelector } from 'viem'
import { describe, expect, it } from 'vitest'
import { abiItem, abiName, abiParameters } from '../../../../protocol/test/abi-arbitraries.ts'
import { compileAbi } from './abi.ts'
import { dispatch, selectorOf } from './dispatch.ts'

const compile = (abi: Abi) => compileAbi(nobleCrypto, abi)
const human = (...lines: readonly string[]) => unwrap(parseAbi(parseHumanAbi(lines)))
const compiled = (...lines: readonly string[]) => unwrap(compile(human(...lines)))
const refusal = (abi: Abi) => {
  const result = compile(abi)
  return result.ok ? undefined : result.error
}
const bytes = (text: string) => hexToBytes(`0x${text}`)

describe('an ABI', () => {
  it("has viem's and ethers' selectors and topics", () => {
    fc.assert(
      fc.property(abiItem, (item) => {
        const abi = compile([item])
        if (!abi.ok) return expect(item).toMatchObject({ type: 'event' })
        const { functions, errors, events } = abi.value
        for (const { selector, signature, name } of [...functions.values(), ...errors.values()]) {
          expect(signature.startsWith(`${name}(`)).toBe(true)
          expect(selector).toBe(Number(toFunctionSelector(item as never)))
        }
        for (const { topic } of events.values()) if (topic !== undefined) expect(topic).toBe(toEventSelector(item as never))
        const other = new Interface([item])
        other.forEachFunction((fragment) =>
          expect([...functions.values()][0]).toMatchObject({ signature: fragment.format('sighash') }),
        )
        other.forEachError((fragment) => expect([...errors.values()][0]).toMatchObject({ signature: fragment.format('sighash') }))
        other.forEachEvent((fragment) => expect([...events.keys()]).toEqual([fragment.format('sighash')]))
      }),
      { numRuns: 200 },
    )
  })

  it('has each part in its place', () => {
    const abi = compiled(
      'constructor(string name) payable',
      'function transfer(address to, uint256 amount) returns (bool)',
      'function transfer(address to)',
      'function total() view returns (uint256 sum)',
      'event Transfer(address indexed from, uint256 value)',
      'event Transfer(address indexed from)',
      'error Insufficient(uint256 have)',
      'receive() external payable',
      'fallback() external',
    )
    expect(abi.creation).toMatchObject({ payable: true, inputs: { name: '(string)' } })
    expect(
      [...abi.functions.values()].map(({ signature, mutability, outputs }) => [signature, mutability, outputs.name]),
    ).toEqual([
      ['transfer(address,uint256)', 'nonpayable', '(bool)'],
      ['transfer(address)', 'nonpayable', '()'],
      ['total()', 'view', '(uint256)'],
    ])
    expect(abi.functions.get(0xa9059cbb)).toMatchObject({ name: 'transfer', selector: 0xa9059cbb })
    expect([...abi.events.keys()]).toEqual(['Transfer(address,uint256)', 'Transfer(address)'])
    expect(abi.events.get('Transfer(address,uint256)')).toMatchObject({
      parameters: [
        { name: 'from', indexed: true },
        { name: 'value', indexed: false },
      ],
      data: { name: '(uint256)' },
    })
    expect([...abi.errors.values()]).toMatchObject([{ signature: 'Insufficient(uint256)' }])
    expect(abi).toMatchObject({ receive: true, fallback: { payable: false } })
    expect(compiled()).toMatchObject({
      creation: { payable: false, inputs: { members: [] } },
      receive: false,
      fallback: undefined,
    })
  })

  it('is refused when calls or logs could not tell two items apart', () => {
    const transfer = human('function transfer(address to)')[0]!
    const receive = human('receive() external payable')[0]!
    const fallback = human('fallback() external')[0]!
    const creation = human('constructor()')[0]!
    const event = human('event E(uint256 a)')[0]!
    const anonymous = (indexed: number) => {
      const inputs = Array.from({ length: indexed }, () => ({ name: '', type: 'uint256', indexed: true }))
      return { type: 'event' as const, name: 'E', inputs, anonymous: true }
    }
    const messages = [
      [transfer, { ...transfer, outputs: [{ name: '', type: 'bool' }] }],
      // Both have selector 0x42966c68.
      human('function collate_propagate_storage(bytes16)', 'function burn(uint256)'),
      human('error E(uint256 a)', 'error E(uint256 b)'),
      [event, event],
      [receive, receive],
      [fallback, fallback],
      [creation, creation],
      human('error Error(string reason)'),
      human('error Panic(uint256 code)'),
      human('event E(uint256 indexed a, uint256 indexed b, uint256 indexed c, uint256 indexed d)'),
      [anonymous(5)],
      human('function f(uint256[9999] a)'),
    ].map((abi) => refusal(abi as Abi)?.message)
    expect(messages).toEqual([
      'abi[1]: transfer(address) has the same selector as transfer(address)',
      'abi[1]: burn(uint256) has the same selector as collate_propagate_storage(bytes16)',
      'abi[1]: E(uint256) has the same selector as E(uint256)',
      'abi[1]: E(uint256) is defined twice',
      'abi[1]: receive is defined twice',
      'abi[1]: fallback is defined twice',
      'abi[1]: constructor is defined twice',
      "abi[0]: Error(string) is reserved for Solidity's own errors",
      "abi[0]: Panic(uint256) is reserved for Solidity's own errors",
      'abi[0]: E(uint256,uint256,uint256,uint256) has 4 indexed parameters, at most 3 are allowed',
      'abi[0]: E(uint256,uint256,uint256,uint256,uint256) has 5 indexed parameters, at most 4 are allowed',
      'abi[0]: a value takes 319968 bytes, more than fits into a transaction',
    ])
    expect(refusal([anonymous(4)])).toBeUndefined()
  })

  it('cannot have types whose size no number holds', () => {
    const nested = { name: 'a', type: `uint256${'[999999999]'.repeat(11)}` }
    const message = 'abi[0]: a value takes 31999999968 bytes, more than fits into a transaction'
    expect(refusal([{ type: 'error', name: 'E', inputs: [nested] }])).toEqual({ code: 'abi', message })
    expect(refusal([{ type: 'error', name: 'E', inputs: [{ ...nested, type: 'string[999999999]' }] }])).toEqual({
      code: 'abi',
      message,
    })
    expect(
      refusal([
        {
          type: 'error',
          name: 'E',
          inputs: [
            { ...nested, type: 'uint256[8192]' },
            { ...nested, type: 'bool' },
          ],
        },
      ]),
    ).toMatchObject({
      message: 'abi[0]: a value takes 262176 bytes, more than fits into a transaction',
    })
  })
})

describe('dispatch', () => {
  const abi = compiled('function pay(uint256 a) payable', 'function take(uint256 a)', 'function look() view')
  const withFallback = compiled('function take(uint256 a)', 'fallback() external')
  const open = compiled('function take(uint256 a)', 'fallback() external payable', 'receive() external payable')
  const takesValue = compiled('fallback() external payable')
  const pay = bytes('c290d691')
  const take = hexToBytes(encodeFunctionData({ abi: parseHumanAbi(['function take(uint256 a)']), args: [7n] }))

  it('finds the function that viem calls', () => {
    fc.assert(
      fc.property(abiName, abiParameters, (name, inputs) => {
        const item = { type: 'function', name, inputs, outputs: [], stateMutability: 'view' } as const
        const target = unwrap(dispatch(unwrap(compile([item])), hexToBytes(toFunctionSelector(item as never)), 0n))
        expect(target).toMatchObject({ kind: 'function', function: { name, mutability: 'view' }, data: new Uint8Array(0) })
      }),
      { numRuns: 30 },
    )
  })

  it('follows the rule', () => {
    const kinds = (target: typeof abi, data: Uint8Array, value = 0n) => {
      const result = dispatch(target, data, value)
      return result.ok ? result.value.kind : result.error.message
    }
    const nothing = new Uint8Array(0)
    expect(dispatch(abi, take, 0n)).toEqual({
      ok: true,
      value: { kind: 'function', function: abi.functions.get(selectorOf(take)!), data: take.subarray(4) },
    })
    expect(kinds(abi, take, 1n)).toBe('take(uint256) is not payable and takes no value')
    expect(kinds(abi, pay, 1n)).toBe('function')
    expect(kinds(abi, bytes('d1e1deb2'), 0n)).toBe('the contract has no function with selector 0xd1e1deb2 and no fallback')
    expect(kinds(abi, bytes('0000'))).toBe('2 bytes of calldata are too short for a selector, and the contract has no fallback')
    expect(kinds(abi, nothing)).toBe('the contract has neither receive nor fallback')
    expect(dispatch(withFallback, pay, 0n)).toEqual({ ok: true, value: { kind: 'fallback', data: pay } })
    expect(kinds(withFallback, pay, 1n)).toBe('fallback is not payable and takes no value')
    expect(kinds(withFallback, nothing)).toBe('fallback')
    expect(kinds(withFallback, nothing, 1n)).toBe('fallback is not payable and takes no value')
    expect(kinds(open, nothing, 1n)).toBe('receive')
    expect(kinds(open, bytes('00'), 1n)).toBe('fallback')
    expect(kinds(open, take)).toBe('function')
    expect(kinds(takesValue, nothing, 1n)).toBe('fallback')
  })

  it('reads the selector where the calldata lies in a larger buffer', () => {
    const inside = Uint8Array.of(1, 2, 0xa9, 0x05, 0x9c, 0xbb, 3)
    expect(selectorOf(inside.subarray(2, 6))).toBe(0xa9059cbb)
    expect(selectorOf(inside.subarray(2, 5))).toBeUndefined()
  })
})
