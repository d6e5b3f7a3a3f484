import { type Address, bytesToHex, type Height, ZERO_HASH } from '@quoin/protocol'
import { type Abi, decodeErrorResult, encodeFunctionData, type Hex, keccak256, parseAbi } from 'viem'
import { describe, expect, it } from 'vitest'
import { containerOf } from '../../../../../../test/contracts/contract.mjs'
import { testGenesis } from '../../../../test/chain.ts'
import { OTHER, TEST_BLOCK, type TestContract, TestContracts, USER } from '../../../../test/contracts.ts'
import { writeFounding } from '../../../state/founding.ts'
import { SYSTEM_ADDRESS } from '../../../state/system-records.ts'
import { CODE_REGISTRY_ABI, CODE_REGISTRY_ADDRESS } from '../code-registry.ts'
import { CHAIN_ABI } from './chain-abi.ts'

const chainContract = { address: SYSTEM_ADDRESS, abi: CHAIN_ABI as Abi }
const registry = { address: CODE_REGISTRY_ADDRESS, abi: CODE_REGISTRY_ABI as Abi }
const GOVERNOR = USER
const LINES = [
  'function version() view returns (uint256)',
  'function apply(bytes data)',
  'function migrated() view returns (bytes)',
]
const abi = parseAbi(LINES as never) as Abi

/** A contract that tells its version, and passes data on to the chain contract. */
const source = (version: number, migrate = `quoin.store('bytes', 'migrated', data)`): string => `export default {
  functions: {
    version: () => ${version}n,
    apply(data) { quoin.callRaw('${SYSTEM_ADDRESS}', data) },
    migrated: () => quoin.load('bytes', 'migrated'),
  },
  migrate(data) { ${migrate} },
}`
const system = { upgradeAuthority: { kind: 'account', address: SYSTEM_ADDRESS } } as const
const containerOfVersion = (version: number, migrate?: string): Hex =>
  bytesToHex(containerOf(source(version, migrate), abi, system))

/** A chain with a system contract of version 1, in block 7. */
class Stage {
  contracts = new TestContracts()
  readonly target: TestContract

  constructor() {
    const genesis = testGenesis(new Map())
    writeFounding(this.contracts.journal, { ...genesis, consortium: { ...genesis.consortium, governor: GOVERNOR } })
    this.target = this.contracts.deploy(LINES, source(1), [], system)
  }

  at(number: number): void {
    this.contracts = new TestContracts(this.contracts.journal, { ...TEST_BLOCK, number: number as Height })
  }

  approve(container: Hex, data: Hex = '0x', lastHeight = 10, target = this.target.address, from = GOVERNOR): void {
    this.contracts.call(chainContract, 'approveCode', [target, keccak256(container), keccak256(data), lastHeight], { from })
  }

  apply(container: Hex, data: Hex = '0x', target = this.target.address): void {
    this.contracts.call(chainContract, 'applyCode', [target, container, data], { from: OTHER })
  }

  refusal(name: string, args: readonly unknown[], from: Address = OTHER): unknown {
    const outcome = this.contracts.attempt(chainContract, name, args, { from })
    if (outcome.ok) throw new Error(`${name} succeeded`)
    return decodeErrorResult({ abi: CHAIN_ABI as Abi, data: bytesToHex(outcome.data) }).errorName
  }

  get version(): unknown {
    return this.contracts.call(this.target, 'version')
  }

  get approved(): unknown {
    return this.contracts.call(chainContract, 'approvedCode', [this.target.address])
  }
}

describe('code for system contracts', () => {
  it('is approved by the governor, applied by anybody, and once', () => {
    const stage = new Stage()
    const container = containerOfVersion(2)
    stage.approve(container, '0xabcd')
    expect(stage.approved).toEqual([true, keccak256(container), keccak256('0xabcd'), 10n])
    stage.apply(container, '0xabcd')
    expect(stage.version).toBe(2n)
    expect(stage.contracts.call(stage.target, 'migrated')).toBe('0xabcd')
    expect(stage.approved).toEqual([false, ZERO_HASH, ZERO_HASH, 0n])
    expect(stage.refusal('applyCode', [stage.target.address, container, '0xabcd'])).toBe('Refused')
    // The authority is still the chain contract.
    stage.approve(containerOfVersion(3))
    stage.apply(containerOfVersion(3))
    expect(stage.version).toBe(3n)
  })

  it('is not approved by anybody else', () => {
    const stage = new Stage()
    const args = [stage.target.address, ZERO_HASH, ZERO_HASH, 10]
    for (const from of [OTHER, stage.target.address]) expect(stage.refusal('approveCode', args, from)).toBe('NotGovernor')
    expect(stage.refusal('withdrawCode', [stage.target.address])).toBe('NotGovernor')
  })

  it('is what was approved: neither another container, other data, nor another contract', () => {
    const stage = new Stage()
    const container = containerOfVersion(2)
    const twin = stage.contracts.deploy(LINES, source(1), [], system)
    stage.approve(container, '0xab')
    expect(stage.refusal('applyCode', [stage.target.address, containerOfVersion(3), '0xab'])).toBe('Invalid')
    expect(stage.refusal('applyCode', [stage.target.address, `${container}00`, '0xab'])).toBe('Invalid')
    expect(stage.refusal('applyCode', [stage.target.address, container, '0x'])).toBe('Invalid')
    expect(stage.refusal('applyCode', [twin.address, container, '0xab'])).toBe('Refused')
    expect(stage.version).toBe(1n)
  })

  it('is one for each contract: a later approval replaces it, and it can be withdrawn', () => {
    const stage = new Stage()
    stage.approve(containerOfVersion(2))
    stage.approve(containerOfVersion(3))
    expect(stage.refusal('applyCode', [stage.target.address, containerOfVersion(2), '0x'])).toBe('Invalid')
    stage.contracts.call(chainContract, 'withdrawCode', [stage.target.address], { from: GOVERNOR })
    expect(stage.refusal('applyCode', [stage.target.address, containerOfVersion(3), '0x'])).toBe('Refused')
    expect(stage.refusal('withdrawCode', [stage.target.address], GOVERNOR)).toBe('Refused')
  })

  it('is applied up to the last height', () => {
    const stage = new Stage()
    const container = containerOfVersion(2)
    expect(stage.refusal('approveCode', [stage.target.address, ZERO_HASH, ZERO_HASH, 6], GOVERNOR)).toBe('Invalid')
    expect(stage.refusal('approveCode', [stage.target.address, ZERO_HASH, ZERO_HASH, 2n ** 53n], GOVERNOR)).toBe('Invalid')
    stage.approve(container)
    stage.at(11)
    expect(stage.refusal('applyCode', [stage.target.address, container, '0x'])).toBe('Refused')
    stage.at(10)
    stage.apply(container)
    expect(stage.version).toBe(2n)
  })

  it('is only for contracts whose upgrade authority is the chain contract', () => {
    const stage = new Stage()
    const own = stage.contracts.deploy(LINES, source(1), [], { upgradeAuthority: { kind: 'deployer' } })
    for (const target of [own.address, OTHER, SYSTEM_ADDRESS, CODE_REGISTRY_ADDRESS])
      expect(stage.refusal('approveCode', [target, ZERO_HASH, ZERO_HASH, 10], GOVERNOR)).toBe('Invalid')
    // Approved while it was one, and then no longer: the new code gave it another authority.
    const given = bytesToHex(containerOf(source(2), abi, { upgradeAuthority: { kind: 'account', address: OTHER } }))
    stage.approve(given)
    stage.apply(given)
    expect(stage.contracts.call(registry, 'describe', [stage.target.address])).toMatchObject({
      2: expect.stringMatching(new RegExp(OTHER, 'i')),
    })
    expect(stage.refusal('approveCode', [stage.target.address, ZERO_HASH, ZERO_HASH, 10], GOVERNOR)).toBe('Invalid')
  })

  it('is not applied while the contract is under way, nor again by the new code itself', () => {
    const stage = new Stage()
    const container = containerOfVersion(2)
    stage.approve(container)
    const data = encode('applyCode', [stage.target.address, container, '0x'])
    expect(stage.contracts.failure(stage.target, 'apply', [data])).toMatch(/call stack/)
    const again = containerOfVersion(3, `quoin.callRaw('${SYSTEM_ADDRESS}', data)`)
    stage.approve(again, data)
    expect(stage.contracts.attempt(chainContract, 'applyCode', [stage.target.address, again, data]).ok).toBe(false)
    expect(stage.version).toBe(1n)
  })

  it('that cannot be installed leaves everything as it was, the approval included', () => {
    const stage = new Stage()
    for (const broken of [
      containerOfVersion(2, `throw new Error('no')`),
      containerOfVersion(2, 'for (;;);'),
      '0xef51',
    ] as const) {
      stage.approve(broken)
      expect(stage.contracts.attempt(chainContract, 'applyCode', [stage.target.address, broken, '0x']).ok).toBe(false)
      expect(stage.version).toBe(1n)
      expect(stage.approved).toMatchObject({ 0: true })
    }
    stage.approve(containerOfVersion(2, `throw new Error('why')`))
    expect(
      stage.contracts.failure(chainContract, 'applyCode', [
        stage.target.address,
        containerOfVersion(2, `throw new Error('why')`),
        '0x',
      ]),
    ).toBe('why')
  })

  it('is not applied by a static call', () => {
    const stage = new Stage()
    const reader = stage.contracts.deploy(
      ['function read(bytes data) view'],
      `export default { functions: { read(data) { quoin.staticCallRaw('${SYSTEM_ADDRESS}', data) } } }`,
    )
    stage.approve(containerOfVersion(2))
    const data = encode('applyCode', [stage.target.address, containerOfVersion(2), '0x'])
    expect(stage.contracts.failure(reader, 'read', [data])).toMatch(/static call cannot write/)
  })
})

const encode = (name: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: CHAIN_ABI as Abi, functionName: name, args } as never)
