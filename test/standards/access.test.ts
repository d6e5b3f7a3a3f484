import { type Address, getContract, type Hex, keccak256, parseAbi, toHex, zeroHash } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { alice, bob, carol, eventsOf, revertOf, Stage, ZERO } from './harness.ts'

/** OpenZeppelin 5: IAccessControl, Ownable2Step, Pausable; ERC-165; and the test contract's own functions. */
const abi = parseAbi([
  'event RoleAdminChanged(bytes32 indexed role, bytes32 indexed previousAdminRole, bytes32 indexed newAdminRole)',
  'event RoleGranted(bytes32 indexed role, address indexed account, address indexed sender)',
  'event RoleRevoked(bytes32 indexed role, address indexed account, address indexed sender)',
  'error AccessControlUnauthorizedAccount(address account, bytes32 neededRole)',
  'error AccessControlBadConfirmation()',
  'function DEFAULT_ADMIN_ROLE() view returns (bytes32)',
  'function hasRole(bytes32 role, address account) view returns (bool)',
  'function getRoleAdmin(bytes32 role) view returns (bytes32)',
  'function grantRole(bytes32 role, address account)',
  'function revokeRole(bytes32 role, address account)',
  'function renounceRole(bytes32 role, address callerConfirmation)',
  'function supportsInterface(bytes4 interfaceId) view returns (bool)',
  'event OwnershipTransferStarted(address indexed previousOwner, address indexed newOwner)',
  'event OwnershipTransferred(address indexed previousOwner, address indexed newOwner)',
  'error OwnableUnauthorizedAccount(address account)',
  'error OwnableInvalidOwner(address owner)',
  'function owner() view returns (address)',
  'function pendingOwner() view returns (address)',
  'function transferOwnership(address newOwner)',
  'function acceptOwnership()',
  'function renounceOwnership()',
  'event Paused(address account)',
  'event Unpaused(address account)',
  'error EnforcedPause()',
  'error ExpectedPause()',
  'function paused() view returns (bool)',
  'function total() view returns (uint256)',
  'function add(uint256 amount)',
  'function rescue()',
  'function configure()',
  'function claim()',
  'function pause()',
  'function unpause()',
  'function setRoleAdmin(bytes32 role, bytes32 adminRole)',
])

const managedAt = (address: Address) => getContract({ address, abi, client: stage.client })

let stage: Stage
let managed: ReturnType<typeof managedAt>
let created: Awaited<ReturnType<Stage['deployment']>>
const [a, b, c] = [alice.address, bob.address, carol.address]
const CONFIGURER = keccak256(toHex('CONFIGURER_ROLE'))
const OTHER = keccak256(toHex('OTHER_ROLE'))

beforeAll(async () => {
  stage = await Stage.open('managed')
})
afterAll(() => stage.close())
/** Alice owns the contract, Bob administers its roles. */
beforeEach(async () => {
  created = await stage.deployment('managed', [a, b], carol)
  managed = managedAt(created.contractAddress!)
})

const lacks = (account: Address, role: Hex) => ['AccessControlUnauthorizedAccount', account, role]

describe('access control', () => {
  it('starts with what the constructor grants', async () => {
    expect(eventsOf(abi, created)).toContainEqual(['RoleGranted', { role: zeroHash, account: b, sender: c }])
    expect(await managed.read.DEFAULT_ADMIN_ROLE()).toBe(zeroHash)
    expect(await Promise.all([a, b, c].map((who) => managed.read.hasRole([zeroHash, who])))).toEqual([false, true, false])
    expect(await managed.read.getRoleAdmin([CONFIGURER])).toBe(zeroHash)
    expect(
      await Promise.all((['0x7965db0b', '0x01ffc9a7', '0xffffffff'] as const).map((id) => managed.read.supportsInterface([id]))),
    ).toEqual([...[true, true, false]])
  })

  it("lets accounts with the role through: the caller must be the role's admin to grant it", async () => {
    expect(await revertOf(managed.simulate.configure({ account: carol }))).toEqual(lacks(c, CONFIGURER))
    expect(await revertOf(managed.simulate.grantRole([CONFIGURER, c], { account: alice }))).toEqual(lacks(a, zeroHash))
    const receipt = await stage.done(managed.write.grantRole([CONFIGURER, c], { account: bob }))
    expect(eventsOf(abi, receipt)).toEqual([['RoleGranted', { role: CONFIGURER, account: c, sender: b }]])
    expect(receipt.logs[0]!.topics).toHaveLength(4)
    await stage.done(managed.write.configure({ account: carol }))
    expect(await revertOf(managed.simulate.configure({ account: bob }))).toEqual(lacks(b, CONFIGURER))
  })

  it('emits nothing for a role that is already granted, or already missing', async () => {
    await stage.done(managed.write.grantRole([CONFIGURER, c], { account: bob }))
    expect((await stage.done(managed.write.grantRole([CONFIGURER, c], { account: bob }))).logs).toEqual([])
    expect((await stage.done(managed.write.revokeRole([CONFIGURER, a], { account: bob }))).logs).toEqual([])
    expect((await stage.done(managed.write.renounceRole([OTHER, a], { account: alice }))).logs).toEqual([])
  })

  it('takes roles away: by the admin, or by the account itself, which names itself', async () => {
    for (const who of [a, c]) await stage.done(managed.write.grantRole([CONFIGURER, who], { account: bob }))
    expect(await revertOf(managed.simulate.revokeRole([CONFIGURER, a], { account: carol }))).toEqual(lacks(c, zeroHash))
    const revoked = await stage.done(managed.write.revokeRole([CONFIGURER, c], { account: bob }))
    expect(eventsOf(abi, revoked)).toEqual([['RoleRevoked', { role: CONFIGURER, account: c, sender: b }]])
    expect(await revertOf(managed.simulate.configure({ account: carol }))).toEqual(lacks(c, CONFIGURER))
    expect(await revertOf(managed.simulate.renounceRole([CONFIGURER, a], { account: bob }))).toEqual([
      'AccessControlBadConfirmation',
    ])
    const renounced = await stage.done(managed.write.renounceRole([CONFIGURER, a], { account: alice }))
    expect(eventsOf(abi, renounced)).toEqual([['RoleRevoked', { role: CONFIGURER, account: a, sender: a }]])
    expect(await managed.read.hasRole([CONFIGURER, a])).toBe(false)
  })

  it('gives a role another admin', async () => {
    const receipt = await stage.done(managed.write.setRoleAdmin([CONFIGURER, OTHER], { account: alice }))
    expect(eventsOf(abi, receipt)).toEqual([
      ['RoleAdminChanged', { role: CONFIGURER, previousAdminRole: zeroHash, newAdminRole: OTHER }],
    ])
    expect(receipt.logs[0]!.topics).toHaveLength(4)
    expect(await managed.read.getRoleAdmin([CONFIGURER])).toBe(OTHER)
    expect(await revertOf(managed.simulate.grantRole([CONFIGURER, c], { account: bob }))).toEqual(lacks(b, OTHER))
    await stage.done(managed.write.grantRole([OTHER, c], { account: bob }))
    await stage.done(managed.write.grantRole([CONFIGURER, a], { account: carol }))
    await stage.done(managed.write.configure({ account: alice }))
    const back = await stage.done(managed.write.setRoleAdmin([CONFIGURER, zeroHash], { account: alice }))
    expect(eventsOf(abi, back)).toEqual([
      ['RoleAdminChanged', { role: CONFIGURER, previousAdminRole: OTHER, newAdminRole: zeroHash }],
    ])
  })
})

describe('ownable, in two steps', () => {
  it('has an owner from the constructor on, which is not the zero address', async () => {
    expect(eventsOf(abi, created)).toContainEqual(['OwnershipTransferred', { previousOwner: ZERO, newOwner: a }])
    expect(await Promise.all([managed.read.owner(), managed.read.pendingOwner()])).toEqual([a, ZERO])
    const { abi: built, bytecode } = stage.built('managed')
    const hash = await stage.client.deployContract({ abi: built, bytecode, args: [ZERO, b], account: carol, gas: 15_000_000n })
    expect((await stage.client.getTransactionReceipt({ hash })).status).toBe('reverted')
    expect(
      await revertOf(stage.client.estimateContractGas({ address: managed.address, abi, functionName: 'claim', account: bob })),
    ).toEqual(['OwnableUnauthorizedAccount', b])
    await stage.done(managed.write.claim({ account: alice }))
  })

  it('changes hands when the new owner accepts', async () => {
    expect(await revertOf(managed.simulate.transferOwnership([c], { account: bob }))).toEqual(['OwnableUnauthorizedAccount', b])
    const started = await stage.done(managed.write.transferOwnership([c], { account: alice }))
    expect(eventsOf(abi, started)).toEqual([['OwnershipTransferStarted', { previousOwner: a, newOwner: c }]])
    expect(await Promise.all([managed.read.owner(), managed.read.pendingOwner()])).toEqual([a, c])
    expect(await revertOf(managed.simulate.acceptOwnership({ account: bob }))).toEqual(['OwnableUnauthorizedAccount', b])
    expect(await revertOf(managed.simulate.claim({ account: carol }))).toEqual(['OwnableUnauthorizedAccount', c])
    const accepted = await stage.done(managed.write.acceptOwnership({ account: carol }))
    expect(eventsOf(abi, accepted)).toEqual([['OwnershipTransferred', { previousOwner: a, newOwner: c }]])
    expect(accepted.logs[0]!.topics).toHaveLength(3)
    expect(await Promise.all([managed.read.owner(), managed.read.pendingOwner()])).toEqual([c, ZERO])
    expect(await revertOf(managed.simulate.acceptOwnership({ account: carol }))).toEqual(['OwnableUnauthorizedAccount', c])
    expect(await revertOf(managed.simulate.claim({ account: alice }))).toEqual(['OwnableUnauthorizedAccount', a])
  })

  it('calls a transfer off, or names somebody else', async () => {
    await stage.done(managed.write.transferOwnership([c], { account: alice }))
    await stage.done(managed.write.transferOwnership([b], { account: alice }))
    expect(await revertOf(managed.simulate.acceptOwnership({ account: carol }))).toEqual(['OwnableUnauthorizedAccount', c])
    await stage.done(managed.write.transferOwnership([ZERO], { account: alice }))
    expect(await revertOf(managed.simulate.acceptOwnership({ account: bob }))).toEqual(['OwnableUnauthorizedAccount', b])
  })

  it('is renounced for ever, and so is a pending transfer', async () => {
    await stage.done(managed.write.transferOwnership([c], { account: alice }))
    expect(await revertOf(managed.simulate.renounceOwnership({ account: carol }))).toEqual(['OwnableUnauthorizedAccount', c])
    const receipt = await stage.done(managed.write.renounceOwnership({ account: alice }))
    expect(eventsOf(abi, receipt)).toEqual([['OwnershipTransferred', { previousOwner: a, newOwner: ZERO }]])
    expect(await revertOf(managed.simulate.acceptOwnership({ account: carol }))).toEqual(['OwnableUnauthorizedAccount', c])
    expect(await revertOf(managed.simulate.claim({ account: alice }))).toEqual(['OwnableUnauthorizedAccount', a])
  })
})

describe('pausable', () => {
  it('stops functions with whenNotPaused and opens those with whenPaused', async () => {
    expect(await managed.read.paused()).toBe(false)
    await stage.done(managed.write.add([2n], { account: carol }))
    expect(await revertOf(managed.simulate.rescue({ account: carol }))).toEqual(['ExpectedPause'])
    const paused = await stage.done(managed.write.pause({ account: bob }))
    expect(eventsOf(abi, paused)).toEqual([['Paused', { account: b }]])
    expect(paused.logs[0]!.topics).toHaveLength(1)
    expect(await managed.read.paused()).toBe(true)
    expect(await revertOf(managed.simulate.add([2n], { account: carol }))).toEqual(['EnforcedPause'])
    await stage.failed(managed.write.add([2n], { account: carol, gas: 1_000_000n }))
    expect(await managed.read.total()).toBe(2n)
    await stage.done(managed.write.rescue({ account: carol }))
    const unpaused = await stage.done(managed.write.unpause({ account: alice }))
    expect(eventsOf(abi, unpaused)).toEqual([['Unpaused', { account: a }]])
    await stage.done(managed.write.add([3n], { account: carol }))
    expect(await managed.read.total()).toBe(5n)
  })

  it('is not paused twice, nor unpaused', async () => {
    expect(await revertOf(managed.simulate.unpause({ account: alice }))).toEqual(['ExpectedPause'])
    await stage.done(managed.write.pause({ account: alice }))
    expect(await revertOf(managed.simulate.pause({ account: alice }))).toEqual(['EnforcedPause'])
  })
})
