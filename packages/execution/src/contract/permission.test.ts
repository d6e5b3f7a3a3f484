import { type Address, bytesToHex, concatBytes, OPEN_POLICIES, ROLES } from '@quoin/protocol'
import { type Abi, decodeErrorResult, type Hex } from 'viem'
import { describe, expect, it } from 'vitest'
import { containerOf } from '../../../../test/contracts/contract.mjs'
import { abiOf, creationOf, OTHER, TEST_BLOCK, type TestContract, TestContracts, USER } from '../../test/contracts.ts'
import { BANK_A, BANK_B, GOVERNOR, governedGenesis, member } from '../../test/governed.ts'
import { addressOf } from '../../test/transactions.ts'
import { writeFounding } from '../state/founding.ts'
import { Journal } from '../state/journal.ts'
import { SYSTEM_ADDRESS } from '../state/system-records.ts'
import type { MessageOutcome } from './message.ts'
import { CHAIN_ABI } from './native/chain/chain-abi.ts'
import { CODE_REGISTRY_ABI, CODE_REGISTRY_ADDRESS } from './native/code-registry.ts'
import { CREATE2_DEPLOYER_ADDRESS } from './native/create2-deployer.ts'

const chainContract: TestContract = { address: SYSTEM_ADDRESS, abi: CHAIN_ABI as Abi }
const registry: TestContract = { address: CODE_REGISTRY_ADDRESS, abi: CODE_REGISTRY_ABI as Abi }
const [DEPLOYER, CLERK] = [addressOf(0xd1), addressOf(0xc1)]
const TELLER = 2 ** 16

/** A contract that creates, calls on, and can be called. */
const LINES = [
  'function make(bytes container) returns (address)',
  'function pass(address to)',
  'function look(address to) returns (uint256)',
  'function touch()',
  'function seen() view returns (uint256)',
]
const SOURCE = `export default { functions: {
  make: (container) => quoin.create(container),
  pass(to) { quoin.call(to, 'touch()', []) },
  look: (to) => quoin.staticCall(to, 'seen()(uint256)', []),
  touch() {},
  seen: () => 7n,
} }`
const CONTAINER = creationOf('export default {}', abiOf([]))

/** A chain where only deployers deploy; `DEPLOYER` is one. */
function start(deploying: 'open' | 'members' = 'members') {
  const journal = new Journal()
  const accounts = [member(DEPLOYER, ROLES.deployer), member(CLERK, TELLER), member(OTHER, 0xffff_0077)]
  writeFounding(journal, governedGenesis({ accounts, policies: { ...OPEN_POLICIES, deploying } }))
  const contracts = new TestContracts(journal)
  const deploy = () =>
    contracts.deploy(LINES, SOURCE, [], { upgradeAuthority: { kind: 'account', address: USER } }, { from: DEPLOYER })
  const does = (name: string, args: readonly unknown[], from: Address = GOVERNOR) =>
    contracts.call(chainContract, name, args, { from })
  const enter = (account: Address, roles: number, rest: { suspended?: boolean; expiry?: number } = {}) =>
    does('setAccount', [account, BANK_B, roles, rest.expiry ?? 0, rest.suspended ?? false])
  return { contracts, deploy, does, enter }
}

/** The error NotPermitted of a message, as a client decodes it. */
function notPermitted(outcome: MessageOutcome): readonly unknown[] {
  if (outcome.ok) throw new Error('the message succeeded')
  const decoded = decodeErrorResult({ abi: CHAIN_ABI as Abi, data: bytesToHex(outcome.data) as Hex })
  expect(decoded.errorName).toBe('NotPermitted')
  return decoded.args!.map((value) => (typeof value === 'string' ? value.toLowerCase() : value))
}
const lacking = (account: Address, rule: string, roles: number) => [account.toLowerCase(), rule, roles]

describe('deploying where only deployers may', () => {
  it('is open to an account with the role, and to all on an open chain', () => {
    expect(start().contracts.create(CONTAINER, { from: DEPLOYER }).ok).toBe(true)
    expect(start('open').contracts.create(CONTAINER, { from: addressOf(99) }).ok).toBe(true)
  })

  it.each([
    ['without an entry', addressOf(99)],
    ['with every other role', OTHER],
    ['that governs', GOVERNOR],
  ])('is refused to an account %s, with a typed error, and nothing is left', (_who, from) => {
    const { contracts } = start()
    const before = contracts.journal.account(from)
    expect(notPermitted(contracts.create(CONTAINER, { from }))).toEqual(lacking(from, 'deploying', ROLES.deployer))
    expect(contracts.journal.account(from)).toEqual({ ...before, nonce: before.nonce + 1 })
  })

  it('is judged when the message runs, by the entry and the time of the block', () => {
    const { contracts, enter, does } = start()
    const from = addressOf(99)
    enter(from, ROLES.deployer)
    expect(contracts.create(CONTAINER, { from }).ok).toBe(true)
    const seconds = Math.floor(TEST_BLOCK.timeMs / 1_000)
    enter(from, ROLES.deployer, { expiry: seconds + 1 })
    expect(contracts.create(CONTAINER, { from }).ok).toBe(true)
    enter(from, ROLES.deployer, { expiry: seconds })
    expect(notPermitted(contracts.create(CONTAINER, { from }))).toEqual(lacking(from, 'deploying', ROLES.deployer))
    enter(from, ROLES.deployer, { suspended: true })
    expect(contracts.create(CONTAINER, { from }).ok).toBe(false)
    enter(from, ROLES.deployer)
    does('suspendOrganisation', [BANK_B, true])
    expect(contracts.create(CONTAINER, { from }).ok).toBe(false)
  })

  it('is a matter of the contract that creates, not of its caller: a contract with the role lends it', () => {
    const { contracts, deploy, enter } = start()
    const factory = deploy()
    const made = bytesToHex(CONTAINER)
    expect(notPermitted(contracts.attempt(factory, 'make', [made], { from: DEPLOYER }))).toEqual(
      lacking(factory.address, 'deploying', ROLES.deployer),
    )
    enter(factory.address, ROLES.deployer)
    expect(contracts.attempt(factory, 'make', [made], { from: addressOf(99) }).ok).toBe(true)
  })

  it('through the deterministic deployer needs its role', () => {
    const { contracts, enter } = start()
    const data = concatBytes(new Uint8Array(32), CONTAINER)
    expect(notPermitted(contracts.send(CREATE2_DEPLOYER_ADDRESS, data, { from: DEPLOYER }))).toEqual(
      lacking(CREATE2_DEPLOYER_ADDRESS, 'deploying', ROLES.deployer),
    )
    enter(CREATE2_DEPLOYER_ADDRESS, ROLES.deployer)
    expect(contracts.send(CREATE2_DEPLOYER_ADDRESS, data, { from: addressOf(99) }).ok).toBe(true)
  })

  it('ends as out of gas before the entry is read, if that cannot be paid', () => {
    const { contracts } = start()
    const outcomes = Array.from({ length: 60 }, (_, i) => contracts.create(CONTAINER, { from: OTHER, gas: 20_000 * i }))
    const reasons = new Set(outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.reason.split('(')[0])))
    expect(reasons).toEqual(new Set(['out of gas', 'NotPermitted']))
  })
})

describe('a restricted contract', () => {
  const restricted = () => {
    const world = start()
    const target = world.deploy()
    world.does('restrict', [target.address, TELLER | ROLES.auditor], USER)
    return { ...world, target }
  }

  it('is called by those with one of its roles', () => {
    const { contracts, target } = restricted()
    expect(contracts.attempt(target, 'touch', [], { from: CLERK }).ok).toBe(true)
    expect(contracts.attempt(target, 'touch', [], { from: OTHER }).ok).toBe(true)
    for (const from of [USER, DEPLOYER, GOVERNOR])
      expect(notPermitted(contracts.attempt(target, 'touch', [], { from }))).toEqual(
        lacking(from, 'calling', TELLER | ROLES.auditor),
      )
  })

  it('is read by everyone', () => {
    const { contracts, deploy, target } = restricted()
    expect(contracts.call(target, 'seen', [], { from: addressOf(99) })).toBe(7n)
    expect(contracts.call(deploy(), 'look', [target.address], { from: addressOf(99) })).toBe(7n)
  })

  it('sees the contract through which it is called, which lends its role and has no use of its caller’s', () => {
    const { contracts, deploy, enter, target } = restricted()
    const proxy = deploy()
    expect(notPermitted(contracts.attempt(proxy, 'pass', [target.address], { from: CLERK }))).toEqual(
      lacking(proxy.address, 'calling', TELLER | ROLES.auditor),
    )
    enter(proxy.address, TELLER)
    expect(contracts.attempt(proxy, 'pass', [target.address], { from: addressOf(99) }).ok).toBe(true)
  })

  it('is opened again by 0', () => {
    const { contracts, does, target } = restricted()
    expect(does('restriction', [target.address])).toBe(TELLER | ROLES.auditor)
    does('restrict', [target.address, 0])
    expect(does('restriction', [target.address])).toBe(0)
    expect(contracts.attempt(target, 'touch', [], { from: addressOf(99) }).ok).toBe(true)
  })

  it('keeps its restriction when its code is replaced', () => {
    const { contracts, target } = restricted()
    const code = bytesToHex(containerOf(SOURCE, target.abi, { upgradeAuthority: { kind: 'deployer' } }))
    contracts.call(registry, 'upgrade', [target.address, code, '0x'])
    expect(contracts.attempt(target, 'touch', [], { from: addressOf(99) }).ok).toBe(false)
  })
})

describe('restrict', () => {
  const refusal = (outcome: MessageOutcome): readonly unknown[] => {
    if (outcome.ok) throw new Error('the call succeeded')
    const { errorName, args } = decodeErrorResult({ abi: CHAIN_ABI as Abi, data: bytesToHex(outcome.data) as Hex })
    return [errorName, ...(args ?? [])]
  }

  it('is for the governor and the contract’s upgrade authority', () => {
    const { contracts, deploy, does } = start()
    const { address } = deploy()
    expect(refusal(contracts.attempt(chainContract, 'restrict', [address, TELLER], { from: DEPLOYER }))[0]).toBe('NotAllowed')
    for (const from of [USER, GOVERNOR]) does('restrict', [address, TELLER], from)
  })

  it.each([
    ['an account', USER],
    ['the chain contract', SYSTEM_ADDRESS],
    ['another native contract', CODE_REGISTRY_ADDRESS],
  ])('has no hold on %s', (_what, target) => {
    const { contracts } = start()
    expect(refusal(contracts.attempt(chainContract, 'restrict', [target, TELLER], { from: GOVERNOR }))[0]).toBe('Invalid')
  })

  it('refuses roles without a meaning, the governor, and system contracts; a restricted contract cannot come to govern', () => {
    const { contracts, deploy, does } = start()
    const [one, other, system] = [deploy(), deploy(), deploy()]
    const attempt = (target: Address, roles = TELLER, from = USER) =>
      refusal(contracts.attempt(chainContract, 'restrict', [target, roles], { from }))
    expect(attempt(one.address, 128)).toEqual(['Invalid', 'roles', expect.any(String)])
    does('restrict', [other.address, TELLER], USER)
    does('offerGovernor', [other.address, 100])
    expect(refusal(contracts.attempt(chainContract, 'acceptGovernor', [], { from: other.address }))).toEqual([
      'Refused',
      expect.stringContaining('paused or restricted'),
    ])
    contracts.call(registry, 'setAuthority', [system.address, SYSTEM_ADDRESS])
    expect(attempt(system.address, TELLER, GOVERNOR)[0]).toBe('Refused')
    does('offerGovernor', [one.address, 100])
    does('acceptGovernor', [], one.address)
    expect(attempt(one.address)).toEqual(['Refused', expect.stringContaining('the governor')])
  })
})

describe('an entry of a contract', () => {
  it('that an admin offers is accepted by its upgrade authority, or by the contract itself', () => {
    const { contracts, deploy, does, enter } = start()
    const admin = addressOf(0xad)
    enter(admin, ROLES.admin | ROLES.sender | ROLES.deployer)
    const [one, two] = [deploy(), deploy()]
    for (const { address } of [one, two]) does('setAccount', [address, BANK_B, ROLES.deployer, 0, false], admin)
    const accept = (args: readonly unknown[], from: Address) => contracts.attempt(chainContract, 'acceptEntryOf', args, { from })
    for (const from of [admin, DEPLOYER, GOVERNOR]) expect(accept([one.address, BANK_B], from).ok).toBe(false)
    expect(accept([one.address, BANK_A], USER).ok).toBe(false)
    expect(does('hasRole', [one.address, ROLES.deployer])).toBe(false)
    expect(accept([one.address, BANK_B], USER).ok).toBe(true)
    expect(does('hasRole', [one.address, ROLES.deployer])).toBe(true)
    expect(accept([one.address, BANK_B], USER).ok).toBe(false)
    does('acceptEntry', [BANK_B], two.address)
    expect(does('hasRole', [two.address, ROLES.deployer])).toBe(true)
    // An account has no authority: it accepts for itself.
    does('setAccount', [USER, BANK_B, ROLES.deployer, 0, false], admin)
    expect(accept([USER, BANK_B], USER).ok).toBe(false)
  })
})

describe('the registry of codes', () => {
  it('refuses to pause the governor and system contracts, and lets a paused one go on', () => {
    const { contracts, deploy, does } = start()
    const [governor, system, plain] = [deploy(), deploy(), deploy()]
    does('offerGovernor', [governor.address, 100])
    does('acceptGovernor', [], governor.address)
    expect(contracts.failure(registry, 'setPaused', [governor.address, true])).toMatch(/governs the chain and cannot be paused/)
    expect(contracts.attempt(registry, 'setPaused', [governor.address, false]).ok).toBe(true)
    contracts.call(registry, 'setAuthority', [system.address, SYSTEM_ADDRESS])
    expect(contracts.failure(registry, 'setPaused', [system.address, true], { from: SYSTEM_ADDRESS })).toMatch(
      /is a system contract and cannot be paused/,
    )
    contracts.call(registry, 'setPaused', [plain.address, true])
    contracts.call(registry, 'setPaused', [plain.address, false])
  })

  it('refuses a contract as its own authority, also from the container of an upgrade', () => {
    const { contracts, deploy } = start()
    const { address, abi } = deploy()
    expect(contracts.failure(registry, 'setAuthority', [address, address])).toMatch(/cannot be its own authority/)
    const code = bytesToHex(containerOf(SOURCE, abi, { upgradeAuthority: { kind: 'account', address } }))
    expect(contracts.failure(registry, 'upgrade', [address, code, '0x'])).toMatch(/cannot be its own authority/)
  })
})
