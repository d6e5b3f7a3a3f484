import { bytesToHex, decodeContainer, LIMITS, unwrap } from '@quoin/protocol'
import { type Abi, decodeErrorResult, getContractAddress, keccak256 } from 'viem'
import { describe, expect, it } from 'vitest'
import { containerOf } from '../../../../test/contracts/contract.mjs'
import { abiOf, creationOf, OTHER, TEST_BLOCK, TestContracts, USER } from '../../test/contracts.ts'
import { MESSAGE_LIMITS } from './message-limits.ts'
import { readCodeVersion, readRecord } from './record.ts'

const EMPTY = 'export default {}'
const NOTHING = abiOf([])

const longType = `uint256${'[1]'.repeat(14)}`
const [members, structs] = [62, 24] as const
/** A function whose signature, with structs, is longer than the longest entry name, and the signature as JavaScript. */
const LONG_ABI = [
  {
    type: 'function',
    name: 'f',
    inputs: new Array(structs).fill({
      name: '',
      type: 'tuple',
      components: new Array(members).fill({ name: '', type: longType }),
    }),
    outputs: [],
    stateMutability: 'nonpayable',
  },
] as unknown as Abi
const LONG_SIGNATURE = `'f(' + Array(${structs}).fill('(' + Array(${members}).fill('${longType}') + ')') + ')'`

/** Reason of a creation that must fail. */
function refused(data: Uint8Array, options = {}): string {
  const chain = new TestContracts()
  const outcome = chain.create(data, options)
  if (outcome.ok) throw new Error('a contract was made')
  const [text] = decodeErrorResult({ data: bytesToHex(outcome.data) }).args as [string]
  expect(outcome.reason.startsWith(text)).toBe(true)
  const left = chain.journal.changes()
  expect(left, 'nothing but the nonce stays').toHaveLength(1)
  expect(chain.journal.account(USER).nonce).toBe(1)
  return outcome.reason
}

describe('a creation', () => {
  it("leaves code, record, nonce and the constructor's changes at the address of the CREATE rule", () => {
    const chain = new TestContracts()
    const lines = [
      'constructor(string name, (uint256 a, address b)[] pairs) payable',
      'function get() view returns (string, uint256)',
    ]
    const source = `export default {
      constructor(name, pairs) { quoin.store('string', 'name', name); quoin.store('uint256', 'sum', pairs.reduce((s, { a }) => s + a, 0n)) },
      functions: { get: () => [quoin.load('string', 'name'), quoin.load('uint256', 'sum')] },
    }`
    chain.fund(USER, 100n)
    const args = [
      'Zürich',
      [
        { a: 2n ** 200n, b: OTHER },
        { a: 1n, b: USER },
      ],
    ] as const
    const { address, abi } = chain.deploy(lines, source, args, { upgradeAuthority: { kind: 'deployer' } }, { value: 9n })
    expect(address).toBe(getContractAddress({ from: USER, nonce: 0n }).toLowerCase())
    const code = chain.journal.codeAt(address)!
    const { codeHash, nonce, balance } = chain.journal.account(address)
    expect([codeHash, nonce, balance]).toEqual([keccak256(code), 1, 9n])
    expect(chain.journal.account(USER)).toMatchObject({ nonce: 1, balance: 91n })
    expect(unwrap(decodeContainer(code))).toMatchObject({ container: { source }, constructorArguments: new Uint8Array(0) })
    expect(readRecord(chain.journal, address)).toMatchObject({ version: 1, authority: USER, paused: false })
    expect(readCodeVersion(chain.journal, address, 1)).toEqual({
      codeHash,
      height: TEST_BLOCK.number,
      codeBytes: code.length,
    })
    expect(chain.call({ address, abi }, 'get')).toEqual(['Zürich', 2n ** 200n + 1n])
    const second = chain.deploy(lines, source, args)
    expect(second.address).toBe(getContractAddress({ from: USER, nonce: 1n }).toLowerCase())
  })

  it('shares no state between contracts with the same code', () => {
    const chain = new TestContracts()
    const lines = ['function next() returns (uint256)']
    const source = 'let calls = 0n; export default { functions: { next: () => ++calls } }'
    const [one, two] = [chain.deploy(lines, source), chain.deploy(lines, source)]
    expect([chain.call(one, 'next'), chain.call(one, 'next'), chain.call(two, 'next')]).toEqual([1n, 1n, 1n])
  })
})

describe('a creation fails, with a reason, for', () => {
  const fn = abiOf(['function f(uint256) returns (uint256)', 'function f()'])
  const place = 'contract code rejected: '

  it.each([
    ['data that is not a container', Uint8Array.of(0x60, 0x80), /begins with 0x6080/],
    ['a container that is cut', containerOf(EMPTY, []).subarray(0, 20), /claims \d+ bytes, the data has 20/],
    ['a container of another version', Uint8Array.of(0xef, 0x51, 9), /version 9/],
    [
      'a source that does not parse',
      creationOf('export default {\n  functions: { f( }', NOTHING),
      /SyntaxError: .* \(line 2(, column \d+)? of the source\)/,
    ],
    [
      'a source that throws',
      creationOf('\n\nnull.x\nexport default {}', NOTHING),
      /TypeError: .*null.* \(line 3, column \d+ of the source\)/,
    ],
    ['a module without a default export', creationOf('export const f = 1', NOTHING), /TypeError: .*exports f/],
    ['an import', creationOf('import fs from "fs"; export default {}', NOTHING), /ReferenceError|could not load|import/i],
    [
      'host functions at the top level',
      creationOf('quoin.store("uint256", "a", 1n); export default {}', NOTHING),
      /store cannot be called here/,
    ],
    [
      'the environment at the top level',
      creationOf('quoin.gasLeft; export default {}', NOTHING),
      /gasLeft cannot be called here/,
    ],
    [
      'a function of the abi that is missing',
      creationOf(EMPTY, abiOf(['function f()'])),
      /the abi has f\(\), but the module has no such function/,
    ],
    [
      'a function that is not in the abi',
      creationOf('export default { functions: { f() {}, g() {} } }', abiOf(['function f()'])),
      /the module has the function g/,
    ],
    [
      'an overloaded function under its plain name',
      creationOf('export default { functions: { f() {} } }', fn),
      /the abi has f\(uint256\)/,
    ],
    [
      'a function that is named by a signature without end',
      creationOf(`export default { functions: { [${LONG_SIGNATURE}]() {} } }`, LONG_ABI),
      /the name of an entry has more than 65536 characters/,
    ],
    ['receive that is missing', creationOf(EMPTY, abiOf(['receive() external payable'])), /the abi has receive/],
    ['fallback that is not in the abi', creationOf('export default { fallback() {} }', NOTHING), /the module has fallback/],
    ['a constructor that is missing', creationOf(EMPTY, abiOf(['constructor(uint256)']), [1n]), /constructor with parameters/],
    ['a member that no contract has', creationOf('export default { state: {} }', NOTHING), /has the unknown member state/],
    [
      'a reentrant selector that is not a function',
      creationOf(EMPTY, NOTHING, [], { reentrantSelectors: [7] }),
      /0x00000007 does not belong to a function/,
    ],
    [
      'an abi of two functions with one selector',
      creationOf(EMPTY, abiOf(['function collate_propagate_storage(bytes16)', 'function burn(uint256)'])),
      /selector/,
    ],
    [
      'a module that runs too long',
      creationOf('for (;;); export default {}', NOTHING),
      new RegExp(`${MESSAGE_LIMITS.evaluationGasMax} gas`),
    ],
    [
      'a module that takes too much memory',
      creationOf('export const x = new Uint8Array(4e6); export default {}', NOTHING),
      /out of memory/,
    ],
    ['a source that is not UTF-8', withByte(containerOf('export default "ÿ"', []), 0xc3, 0xff), /not UTF-8/],
  ])('%s', (_, data, reason) => {
    expect(refused(data)).toMatch(reason)
    expect(refused(data)).toMatch(new RegExp(`^${place}`))
  })

  it.each([
    [
      'missing arguments',
      creationOf(EMPTY.replace('{}', '{ constructor(a) {} }'), abiOf(['constructor(uint256 a)']), [1n]).slice(0, -1),
      {},
      /arguments are malformed: .*32 bytes are needed/,
    ],
    [
      'a constructor that throws',
      creationOf('export default { constructor() { throw new RangeError("no") } }', NOTHING),
      {},
      /^RangeError: no$/,
    ],
    ['a constructor that takes no value', creationOf(EMPTY, NOTHING), { value: 1n }, /insufficient balance|not payable/],
    ['too little gas', creationOf(EMPTY, NOTHING), { gas: 10_000 }, /^out of gas$/],
  ])('%s', (_, data, options, reason) => {
    expect(refused(data, options)).toMatch(reason)
  })

  it('a constructor that takes no value, from a sender that has it', () => {
    const chain = new TestContracts()
    chain.fund(USER, 10n)
    expect(chain.create(creationOf(EMPTY, NOTHING), { value: 1n })).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/not payable/),
    })
    expect(chain.journal.account(USER).balance).toBe(10n)
  })

  it('a container over the limit', () => {
    const data = containerOf(`export default {} // ${' '.repeat(1000)}`, [])
    new DataView(data.buffer, data.byteOffset).setUint32(3, LIMITS.containerBytesMax + 1)
    expect(refused(data)).toMatch(/at most 253952 are allowed/)
  })

  it('an error that a constructor gives, as the data says', () => {
    const abi = abiOf(['constructor(uint256)', 'error TooSmall(uint256 have)'])
    const data = creationOf('export default { constructor(a) { if (a < 5n) quoin.revert("TooSmall", a) } }', abi, [4n])
    const outcome = new TestContracts().create(data)
    expect(outcome.ok).toBe(false)
    expect(decodeErrorResult({ abi, data: bytesToHex(outcome.data) })).toMatchObject({ errorName: 'TooSmall', args: [4n] })
  })
})

/** A copy in which the first occurrence of one byte is replaced. */
function withByte(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const copy = bytes.slice()
  copy[copy.indexOf(from)] = to
  return copy
}
