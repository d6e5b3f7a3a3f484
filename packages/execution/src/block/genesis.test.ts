import { Address, bytesToHex, type Hex, hexToBytes } from '@quoin/protocol'
import { type Abi, decodeFunctionResult, encodeDeployData, encodeFunctionData, getAddress, parseAbi } from 'viem'
import { describe, expect, it } from 'vitest'
import { containerOf } from '../../../../test/contracts/contract.mjs'
import { testGenesis } from '../../test/chain.ts'
import { TestContracts, USER } from '../../test/contracts.ts'
import { SYSTEM_ADDRESS } from '../state/system-records.ts'
import { genesisState } from './genesis.ts'

const abi: Abi = parseAbi([
  'constructor(uint256 number, string text)',
  'function read() view returns (uint256 number, string text, address sender, address governor, uint256 height)',
])
const SOURCE = `const chain = '${SYSTEM_ADDRESS}'
export default {
  constructor(number, text) {
    if (number === 13n) throw new Error('unlucky')
    if (number === 14n) for (;;);
    quoin.store('uint256', 'number', number)
    quoin.store('string', 'text', text)
    quoin.store('address', 'sender', quoin.sender)
    quoin.store('address', 'governor', quoin.staticCall(chain, 'governor()(address)', []))
    quoin.store('uint256', 'height', quoin.block.number + 1n)
    if (text === 'names a role') quoin.call(chain, 'setRoleName(uint8,string)', [16n, 'teller'])
    const asked = { 'asks the first': '0x${'11'.repeat(20)}', 'asks the second': '0x${'22'.repeat(20)}' }[text]
    if (asked) quoin.store('uint256', 'number', quoin.staticCall(asked, 'read()(uint256,string,address,address,uint256)', [])[0])
  },
  functions: {
    read: () => [
      quoin.load('uint256', 'number'), quoin.load('string', 'text'), quoin.load('address', 'sender'),
      quoin.load('address', 'governor'), quoin.load('uint256', 'height'),
    ],
  },
}`
const [FIRST, SECOND] = ['11', '22'].map((byte) => Address(`0x${byte.repeat(20)}`)) as [Address, Address]

const system = (address: Address, ...args: readonly unknown[]) => ({
  address,
  code: hexToBytes(encodeDeployData({ abi, bytecode: bytesToHex(containerOf(SOURCE, abi)), args } as never) as Hex),
})

function stateOf(systemContracts: readonly { address: Address; code: Uint8Array }[], governor: Address = USER) {
  const genesis = testGenesis(new Map())
  const { contracts } = new TestContracts().machine
  return genesisState(contracts, { ...genesis, systemContracts, consortium: { ...genesis.consortium, governor } })
}

function readAt(journal: ReturnType<typeof stateOf>, address: Address): readonly unknown[] {
  const data = hexToBytes(encodeFunctionData({ abi, functionName: 'read' } as never) as Hex)
  const outcome = new TestContracts(journal).send(address, data)
  if (!outcome.ok) throw new Error(outcome.reason)
  return decodeFunctionResult({
    abi,
    functionName: 'read',
    data: bytesToHex(outcome.data),
  } as never) as unknown as readonly unknown[]
}

describe('a system contract of genesis', () => {
  it('is constructed by the chain contract, with arguments, after the records are written', () => {
    const journal = stateOf([system(FIRST, 7n, 'seven')])
    expect(readAt(journal, FIRST)).toEqual([7n, 'seven', getAddress(SYSTEM_ADDRESS), getAddress(USER), 1n])
  })

  it('sees those before it, and acts as governor if genesis names it', () => {
    const journal = stateOf([system(FIRST, 7n, 'names a role'), system(SECOND, 1n, 'asks the first')], FIRST)
    expect(readAt(journal, SECOND)[0]).toBe(7n)
    expect(readAt(journal, FIRST)[3]).toBe(getAddress(FIRST))
  })

  it('gives the same state each time', () => {
    const changes = () => stateOf([system(FIRST, 7n, 'names a role'), system(SECOND, 1n, '')], FIRST).changes()
    expect(changes()).toEqual(changes())
  })

  it.each([
    ['throws', [13n, ''], /^system contract 0x1111.*: unlucky$/],
    ['does not end', [14n, ''], /^system contract 0x1111.*: out of gas: constructor used up the 36000000 gas/],
    ['may not do what it does', [1n, 'names a role'], /^system contract 0x1111.*: NotGovernor/],
    ['asks one after it', [1n, 'asks the second'], /^system contract 0x1111.*: there is no contract at/],
  ])('makes genesis invalid if its constructor %s', (_what, args, reason) => {
    expect(() => stateOf([system(FIRST, ...args), system(SECOND, 1n, '')])).toThrow(reason)
  })

  it('makes genesis invalid without its arguments', () => {
    expect(() => stateOf([{ address: FIRST, code: containerOf(SOURCE, abi) }])).toThrow(
      /^system contract 0x1111.*: the arguments are malformed/,
    )
  })

  it('cannot be where a native contract is', () => {
    expect(() => stateOf([system(SYSTEM_ADDRESS, 1n, '')])).toThrow(/belongs to a native contract/)
  })
})
