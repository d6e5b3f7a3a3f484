import { type Address, bytesToHex, Hash } from '@quoin/protocol'
import { type Abi, keccak256, zeroAddress } from 'viem'
import { describe, expect, it } from 'vitest'
import { containerOf } from '../../../../../test/contracts/contract.mjs'
import { abiOf, giveCode, OTHER, TEST_BLOCK, type TestContract, TestContracts, USER } from '../../../test/contracts.ts'
import { readRecord } from '../record.ts'
import { CODE_REGISTRY_ABI, CODE_REGISTRY_ADDRESS } from './code-registry.ts'
import { NATIVE_CODE } from './native.ts'

const registry: TestContract = { address: CODE_REGISTRY_ADDRESS, abi: CODE_REGISTRY_ABI as Abi }
const LINES = ['function get() view returns (uint256)', 'function set(uint256 n)']
const V1 = "export default { functions: { get: () => quoin.load('uint256', 'n'), set(n) { quoin.store('uint256', 'n', n) } } }"
const V2 = `export default {
  migrate(data) { if (data.length > 1) throw new Error('too much'); quoin.store('uint256', 'n', quoin.load('uint256', 'n') * 10n + BigInt(data[0] ?? 0)) },
  functions: { get: () => quoin.load('uint256', 'n') + 1000n, set(n) { quoin.store('uint256', 'n', n) } } }`

const containerText = (source: string, rest = {}) =>
  bytesToHex(containerOf(source, abiOf(LINES), { upgradeAuthority: { kind: 'deployer' }, ...rest }))

function start(rest = {}) {
  const chain = new TestContracts()
  const contract = chain.deploy(LINES, V1, [], { upgradeAuthority: { kind: 'deployer' }, ...rest })
  chain.call(contract, 'set', [4n])
  return { chain, contract }
}

const codes = (chain: TestContracts, address: Address) =>
  Array.from({ length: readRecord(chain.journal, address)!.version }, (_, i) =>
    chain.call(registry, 'codeVersion', [address, BigInt(i + 1)]),
  )

describe('an upgrade', () => {
  it('replaces the code and runs migrate; every code stays readable', () => {
    const { chain, contract } = start()
    const before = chain.journal.checkpoint()
    chain.call(registry, 'upgrade', [contract.address, containerText(V2), '0x03'])
    expect(chain.journal.logsSince(before)).toHaveLength(1)
    expect(chain.call(contract, 'get')).toBe(1043n)
    const [first, second] = [containerText(V1), containerText(V2)]
    expect(codes(chain, contract.address)).toEqual([
      [keccak256(first), BigInt(TEST_BLOCK.number), first],
      [keccak256(second), BigInt(TEST_BLOCK.number), second],
    ])
    expect(chain.call(registry, 'describe', [contract.address])).toEqual([
      2n,
      keccak256(second),
      expect.stringMatching(new RegExp(USER, 'i')),
      false,
    ])
    expect(chain.journal.codeAt(contract.address)).toEqual(
      containerOf(V2, abiOf(LINES), { upgradeAuthority: { kind: 'deployer' } }),
    )
  })

  it.each([
    ['another sender', { from: OTHER }, containerText(V2), '0x', /is not the authority/],
    ['data that is not a container', {}, '0x1234', '0x', /contract code rejected/],
    ['a source that does not evaluate', {}, containerText('null.x; export default {}'), '0x', /TypeError/],
    ['an abi that the module does not fit', {}, containerText('export default {}'), '0x', /the abi has get\(\)/],
    ['a migrate that throws', {}, containerText(V2), '0x0102', /too much/],
    ['data without a migrate function', {}, containerText(V1), '0x01', /the new module has no migrate\(\)/],
    ['bytes behind the container', {}, `${containerText(V2)}00`, '0x', /1 bytes follow/],
  ] as const)('by or with %s changes nothing', (_, options, container, data, reason) => {
    const { chain, contract } = start()
    const before = chain.journal.changes()
    expect(chain.failure(registry, 'upgrade', [contract.address, container, data], options)).toMatch(reason)
    expect(chain.journal.changes()).toEqual(before)
    expect(chain.call(contract, 'get')).toBe(4n)
  })

  it('is refused for ever where no authority was named, was given up, or the new code names none', () => {
    const immutable = start({ upgradeAuthority: { kind: 'none' } })
    expect(immutable.chain.failure(registry, 'upgrade', [immutable.contract.address, containerText(V2), '0x'])).toMatch(
      /which is immutable/,
    )
    const given = start()
    given.chain.call(registry, 'setAuthority', [given.contract.address, zeroAddress])
    expect(given.chain.failure(registry, 'setAuthority', [given.contract.address, USER])).toMatch(/which is immutable/)
    const last = start()
    last.chain.call(registry, 'upgrade', [last.contract.address, containerText(V2, { upgradeAuthority: { kind: 'none' } }), '0x'])
    expect(last.chain.failure(registry, 'upgrade', [last.contract.address, containerText(V2), '0x'])).toMatch(
      /which is immutable/,
    )
  })

  it('goes with the authority that was handed over, a contract among others', () => {
    const { chain, contract } = start()
    const upgrader = chain.deploy(
      ['function go(address target, bytes container)', 'function self()'],
      `export default { functions: {
        go(target, container) { quoin.call('${CODE_REGISTRY_ADDRESS}', 'upgrade(address,bytes,bytes)', [target, container, new Uint8Array(0)]) },
        self() { quoin.call('${CODE_REGISTRY_ADDRESS}', 'setAuthority(address,address)', [quoin.self, quoin.self]) } } }`,
    )
    giveCode(chain.journal, CODE_REGISTRY_ADDRESS, NATIVE_CODE, Hash(keccak256(NATIVE_CODE)))
    chain.call(registry, 'setAuthority', [contract.address, upgrader.address])
    expect(chain.failure(registry, 'upgrade', [contract.address, containerText(V2), '0x'])).toMatch(/is not the authority/)
    chain.call(upgrader, 'go', [contract.address, containerText(V2)])
    expect(chain.call(contract, 'get')).toBe(1040n)
  })
})

describe('a contract that is paused', () => {
  it('is entered by static calls only, until its authority lets go', () => {
    const { chain, contract } = start()
    expect(chain.failure(registry, 'setPaused', [contract.address, true], { from: OTHER })).toMatch(/is not the authority/)
    chain.call(registry, 'setPaused', [contract.address, true])
    expect(chain.failure(contract, 'set', [5n])).toMatch(/is paused/)
    expect(chain.call(contract, 'get')).toBe(4n)
    chain.call(registry, 'setPaused', [contract.address, false])
    chain.call(contract, 'set', [5n])
  })
})

it('the registry says what is wrong with a call', () => {
  const { chain, contract } = start()
  expect(chain.failure(registry, 'describe', [OTHER])).toMatch(/is not a contract/)
  expect(chain.failure(registry, 'codeVersion', [contract.address, 2n])).toMatch(/has versions 1 to 1, not 2/)
  expect(chain.failure(registry, 'codeVersion', [contract.address, 0n])).toMatch(/not 0/)
  chain.fund(USER, 1n)
  expect(chain.failure(registry, 'describe', [contract.address], { value: 1n })).toMatch(/not payable/)
  expect(chain.send(CODE_REGISTRY_ADDRESS, new Uint8Array(0))).toMatchObject({ ok: false })
  expect(chain.failure(registry, 'describe', [contract.address], { gas: 1000 })).toBe('out of gas')
})
