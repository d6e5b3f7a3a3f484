import { type Abi, type Address, encodeDeployData, encodeFunctionData, getContract, type Hex, parseAbi } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { account, alice, bob, carol, dave, eventsOf, revertOf, STANDARDS, Stage, ZERO } from './harness.ts'

const abi = parseAbi([
  'event Proposed(uint256 indexed id, address indexed proposer, address to, uint256 value, bytes data)',
  'event Confirmed(uint256 indexed id, address indexed owner)',
  'event Revoked(uint256 indexed id, address indexed owner)',
  'event Executed(uint256 indexed id, address indexed executor)',
  'event OwnerAdded(address indexed owner)',
  'event OwnerRemoved(address indexed owner)',
  'event ThresholdChanged(uint256 threshold)',
  'event Received(address indexed sender, uint256 value)',
  'error MultisigNotOwner(address account)',
  'error MultisigUnauthorizedCaller(address caller)',
  'error MultisigInvalidOwner(address owner)',
  'error MultisigInvalidThreshold(uint256 threshold, uint256 owners)',
  'error MultisigNonexistentProposal(uint256 id)',
  'error MultisigAlreadyExecuted(uint256 id)',
  'error MultisigAlreadyConfirmed(uint256 id, address owner)',
  'error MultisigNotConfirmed(uint256 id, address owner)',
  'error MultisigInsufficientConfirmations(uint256 id, uint256 confirmations, uint256 threshold)',
  'error Failed(uint256 number)',
  'function owners() view returns (address[])',
  'function isOwner(address account) view returns (bool)',
  'function threshold() view returns (uint256)',
  'function proposalCount() view returns (uint256)',
  'function getProposal(uint256 id) view returns (address to, uint256 value, bytes data, bool executed, uint256 confirmations)',
  'function isConfirmed(uint256 id, address owner) view returns (bool)',
  'function propose(address to, uint256 value, bytes data) returns (uint256 id)',
  'function confirm(uint256 id)',
  'function revoke(uint256 id)',
  'function execute(uint256 id) returns (bytes)',
  'function addOwner(address owner)',
  'function removeOwner(address owner)',
  'function setThreshold(uint256 threshold)',
])
const targetAbi = parseAbi([
  'function set(uint256 number) payable returns (uint256)',
  'function fail(uint256 number) payable',
  'function failEmptily()',
  'function callBack(bytes data) payable',
  'function number() view returns (uint256)',
  'function caller() view returns (address)',
])

const registryAbi = parseAbi(['function upgrade(address target, bytes container, bytes data)'])

const walletAt = (address: Address) => getContract({ address, abi, client: stage.client })
const targetAt = (address: Address) => getContract({ address, abi: targetAbi, client: stage.client })

let stage: Stage
let wallet: ReturnType<typeof walletAt>
let target: ReturnType<typeof targetAt>
const [a, b, c, d] = [alice.address, bob.address, carol.address, dave.address]
type Signer = typeof alice

beforeAll(async () => {
  stage = await Stage.open('packages/contracts/src/standards/presets/multisig.ts', 'target')
})
afterAll(() => stage.close())
/** Two of Alice, Bob and Carol must confirm. */
beforeEach(async () => {
  wallet = walletAt(await stage.deploy('multisig', [[a, b, c], 2n], dave))
  target = targetAt(await stage.deploy('target'))
})

const setTo = (number: bigint) => encodeFunctionData({ abi: targetAbi, functionName: 'set', args: [number] })
/** Alice proposes a call. Returns its number. */
async function propose(to: Address, data: Hex, value = 0n): Promise<bigint> {
  const id = await wallet.read.proposalCount()
  await stage.done(wallet.write.propose([to, value, data], { account: alice }))
  return id
}
const confirm = (id: bigint, by: Signer = bob) => stage.done(wallet.write.confirm([id], { account: by }))
const execute = (id: bigint, by: Signer = carol) => stage.done(wallet.write.execute([id], { account: by }))
/** A call of the wallet to itself, confirmed by Alice and Bob. */
async function change(functionName: 'addOwner' | 'removeOwner', owner: Address) {
  const id = await propose(wallet.address, encodeFunctionData({ abi, functionName, args: [owner] }))
  await confirm(id)
  return execute(id, alice)
}

describe('the constructor', () => {
  it('takes owners and a threshold', async () => {
    const receipt = await stage.deployment('multisig', [[a, b], 1n])
    expect(eventsOf(abi, receipt)).toEqual([
      ['OwnerAdded', { owner: a }],
      ['OwnerAdded', { owner: b }],
      ['ThresholdChanged', { threshold: 1n }],
    ])
    expect(await Promise.all([wallet.read.owners(), wallet.read.threshold(), wallet.read.isOwner([d])])).toEqual([
      [a, b, c],
      2n,
      false,
    ])
  })

  it.each([
    ['a threshold of zero', [a, b], 0n],
    ['a threshold above the number of owners', [a, b], 3n],
    ['no owners', [], 0n],
    ['an owner twice', [a, a], 1n],
    ['the zero address', [a, ZERO], 1n],
  ])('refuses %s', async (_case, owners, threshold) => {
    await expect(stage.deployment('multisig', [owners, threshold])).rejects.toThrow('reverted')
  })

  it('bounds how many owners there are, for all of them must be counted', async () => {
    const many = Array.from({ length: 51 }, (_, i) => account(i + 100).address)
    const { abi: built, bytecode } = stage.built('multisig')
    const data = encodeDeployData({ abi: built as Abi, bytecode, args: [many, 1n] })
    await expect(stage.client.call({ data })).rejects.toThrow('at most 50 owners')
  })

  it('takes as many as docs/standards.md says, who can all confirm', async () => {
    const most = Number(/There are at most (\d+) owners/.exec(STANDARDS)![1])
    expect(most).toBe(50)
    const owners = Array.from({ length: most }, (_, i) => account(i + 100).address)
    const full = walletAt(await stage.deploy('multisig', [owners, BigInt(most)]))
    await stage.done(full.write.propose([target.address, 0n, setTo(9n)], { account: account(100) }))
    for (let i = 1; i < most; i++) await stage.done(full.write.confirm([0n], { account: account(100 + i) }))
    await stage.done(full.write.execute([0n], { account: account(100) }))
    expect(await target.read.number()).toBe(9n)
  })
})

describe('a proposal', () => {
  it('is executed once, when enough owners confirmed, by any of them', async () => {
    const data = setTo(7n)
    expect((await wallet.simulate.propose([target.address, 0n, data], { account: alice })).result).toBe(0n)
    const proposed = await stage.done(wallet.write.propose([target.address, 0n, data], { account: alice }))
    expect(eventsOf(abi, proposed)).toEqual([
      ['Proposed', { id: 0n, proposer: a, to: target.address, value: 0n, data }],
      ['Confirmed', { id: 0n, owner: a }],
    ])
    expect(await wallet.read.getProposal([0n])).toEqual([target.address, 0n, data, false, 1n])
    expect(await revertOf(wallet.simulate.execute([0n], { account: alice }))).toEqual([
      'MultisigInsufficientConfirmations',
      0n,
      1n,
      2n,
    ])
    expect(eventsOf(abi, await confirm(0n))).toEqual([['Confirmed', { id: 0n, owner: b }]])
    expect((await wallet.simulate.execute([0n], { account: carol })).result).toBe(`0x${'8'.padStart(64, '0')}`)
    expect(eventsOf(abi, await execute(0n))).toEqual([['Executed', { id: 0n, executor: c }]])
    expect(await Promise.all([target.read.number(), target.read.caller()])).toEqual([7n, wallet.address])
    expect(await wallet.read.getProposal([0n])).toEqual([target.address, 0n, data, true, 2n])
  })

  it('is not executed, confirmed or revoked after it was executed; the same again is another one', async () => {
    const id = await propose(target.address, setTo(7n))
    await confirm(id)
    await execute(id)
    for (const call of [wallet.simulate.execute, wallet.simulate.confirm, wallet.simulate.revoke])
      expect(await revertOf(call([id], { account: bob }))).toEqual(['MultisigAlreadyExecuted', id])
    const again = await propose(target.address, setTo(7n))
    expect(await revertOf(wallet.simulate.execute([again], { account: bob }))).toEqual([
      'MultisigInsufficientConfirmations',
      again,
      1n,
      2n,
    ])
  })

  it('is confirmed once by each owner; a confirmation can be revoked', async () => {
    const id = await propose(target.address, setTo(7n))
    expect(await revertOf(wallet.simulate.confirm([id], { account: alice }))).toEqual(['MultisigAlreadyConfirmed', id, a])
    await confirm(id)
    expect(await Promise.all([a, b, c].map((owner) => wallet.read.isConfirmed([id, owner])))).toEqual([true, true, false])
    const revoked = await stage.done(wallet.write.revoke([id], { account: alice }))
    expect(eventsOf(abi, revoked)).toEqual([['Revoked', { id, owner: a }]])
    expect(await revertOf(wallet.simulate.revoke([id], { account: alice }))).toEqual(['MultisigNotConfirmed', id, a])
    expect(await revertOf(wallet.simulate.execute([id], { account: bob }))).toEqual([
      'MultisigInsufficientConfirmations',
      id,
      1n,
      2n,
    ])
    await confirm(id, alice)
    await execute(id)
  })

  it('is for owners only, and must be there', async () => {
    const id = await propose(target.address, setTo(7n))
    expect(await revertOf(wallet.simulate.propose([target.address, 0n, '0x'], { account: dave }))).toEqual([
      'MultisigNotOwner',
      d,
    ])
    for (const call of [wallet.simulate.execute, wallet.simulate.confirm, wallet.simulate.revoke]) {
      expect(await revertOf(call([id], { account: dave }))).toEqual(['MultisigNotOwner', d])
      expect(await revertOf(call([id + 1n], { account: bob }))).toEqual(['MultisigNonexistentProposal', id + 1n])
    }
    expect(await revertOf(wallet.read.getProposal([id + 1n]))).toEqual(['MultisigNonexistentProposal', id + 1n])
  })

  it('sends coins, also without data, and says when it received some', async () => {
    const received = await stage.done(stage.client.sendTransaction({ to: wallet.address, value: 9n, account: dave }))
    expect(eventsOf(abi, received)).toEqual([['Received', { sender: d, value: 9n }]])
    const nobody = '0x00000000000000000000000000000000000000aa'
    const id = await propose(nobody, '0x', 5n)
    await confirm(id)
    await execute(id)
    expect(
      await Promise.all([nobody, wallet.address].map((address) => stage.client.getBalance({ address: address as Address }))),
    ).toEqual([5n, 4n])
  })

  it('that fails passes the error on, stays open and can be executed later', async () => {
    const id = await propose(target.address, encodeFunctionData({ abi: targetAbi, functionName: 'fail', args: [9n] }))
    await confirm(id)
    expect(await revertOf(wallet.simulate.execute([id], { account: carol }))).toEqual(['Failed', 9n])
    await stage.failed(wallet.write.execute([id], { account: carol, gas: 3_000_000n }))
    const poor = await propose(target.address, setTo(1n), 5n)
    await confirm(poor)
    await stage.failed(wallet.write.execute([poor], { account: carol, gas: 3_000_000n }))
    await stage.done(stage.client.sendTransaction({ to: wallet.address, value: 5n, account: dave }))
    await execute(poor)
    expect(await target.read.number()).toBe(1n)
  })

  it('that fails with an empty error names the call', async () => {
    const id = await propose(target.address, encodeFunctionData({ abi: targetAbi, functionName: 'failEmptily' }))
    await confirm(id)
    expect(await revertOf(wallet.simulate.execute([id], { account: carol }))).toBe(
      `the call of ${target.address} failed without a reason`,
    )
  })

  it('cannot be executed again by the contract that it calls', async () => {
    const owning = walletAt(await stage.deploy('multisig', [[a, target.address], 1n]))
    const again = encodeFunctionData({ abi, functionName: 'execute', args: [0n] })
    const data = encodeFunctionData({ abi: targetAbi, functionName: 'callBack', args: [again] })
    await stage.done(owning.write.propose([target.address, 0n, data], { account: alice }))
    expect(await revertOf(owning.simulate.execute([0n], { account: alice }))).toMatch(/reentrant call refused/)
  })
})

describe('owners', () => {
  it('and threshold are changed by the wallet alone', async () => {
    expect(await revertOf(wallet.simulate.addOwner([d], { account: alice }))).toEqual(['MultisigUnauthorizedCaller', a])
    expect(await revertOf(wallet.simulate.removeOwner([b], { account: alice }))).toEqual(['MultisigUnauthorizedCaller', a])
    expect(await revertOf(wallet.simulate.setThreshold([1n], { account: alice }))).toEqual(['MultisigUnauthorizedCaller', a])
    expect(eventsOf(abi, await change('addOwner', d))).toMatchObject([
      ['Executed', { executor: a }],
      ['OwnerAdded', { owner: d }],
    ])
    expect(await wallet.read.owners()).toEqual([a, b, c, d])
    expect(eventsOf(abi, await change('removeOwner', b))).toMatchObject([
      ['Executed', {}],
      ['OwnerRemoved', { owner: b }],
    ])
    expect((await wallet.read.owners()).toSorted()).toEqual([a, c, d].toSorted())
    const id = await propose(wallet.address, encodeFunctionData({ abi, functionName: 'setThreshold', args: [3n] }))
    await confirm(id, dave)
    expect(eventsOf(abi, await execute(id))).toMatchObject([
      ['Executed', {}],
      ['ThresholdChanged', { threshold: 3n }],
    ])
    expect(await wallet.read.threshold()).toBe(3n)
  })

  it('who left do not count any longer in proposals that are open, nor can they act', async () => {
    const id = await propose(target.address, setTo(7n))
    await confirm(id, carol)
    await change('removeOwner', c)
    expect(await wallet.read.getProposal([id])).toMatchObject([expect.any(String), 0n, expect.any(String), false, 1n])
    expect(await revertOf(wallet.simulate.execute([id], { account: alice }))).toEqual([
      'MultisigInsufficientConfirmations',
      id,
      1n,
      2n,
    ])
    expect(await revertOf(wallet.simulate.confirm([id], { account: carol }))).toEqual(['MultisigNotOwner', c])
    await confirm(id)
    await execute(id, alice)
  })

  it('who come back must confirm again', async () => {
    const id = await propose(target.address, setTo(7n))
    await confirm(id, carol)
    await change('removeOwner', c)
    await change('addOwner', c)
    expect(await wallet.read.isConfirmed([id, c])).toBe(false)
    expect(await revertOf(wallet.simulate.execute([id], { account: alice }))).toEqual([
      'MultisigInsufficientConfirmations',
      id,
      1n,
      2n,
    ])
    await confirm(id, carol)
    await execute(id)
  })

  it('who are new may confirm what was proposed before; the present threshold holds', async () => {
    const id = await propose(target.address, setTo(7n))
    const raise = await propose(wallet.address, encodeFunctionData({ abi, functionName: 'setThreshold', args: [3n] }))
    await confirm(raise)
    await confirm(id)
    await change('addOwner', d)
    await execute(raise)
    expect(await revertOf(wallet.simulate.execute([id], { account: alice }))).toEqual([
      'MultisigInsufficientConfirmations',
      id,
      2n,
      3n,
    ])
    await confirm(id, dave)
    await execute(id, dave)
  })

  it('are never fewer than the threshold, and never include a duplicate, the zero address or the wallet', async () => {
    await change('removeOwner', c)
    const refusals = [
      ['removeOwner', b, ['MultisigInvalidThreshold', 2n, 1n]],
      ['removeOwner', d, ['MultisigInvalidOwner', d]],
      ['addOwner', b, ['MultisigInvalidOwner', b]],
      ['addOwner', ZERO, ['MultisigInvalidOwner', ZERO]],
      ['addOwner', wallet.address, ['MultisigInvalidOwner', wallet.address]],
    ] as const
    for (const [functionName, owner, refusal] of refusals) {
      const id = await propose(wallet.address, encodeFunctionData({ abi, functionName, args: [owner] }))
      await confirm(id)
      expect(await revertOf(wallet.simulate.execute([id], { account: alice }))).toEqual(refusal)
    }
    const id = await propose(wallet.address, encodeFunctionData({ abi, functionName: 'setThreshold', args: [0n] }))
    await confirm(id)
    expect(await revertOf(wallet.simulate.execute([id], { account: alice }))).toEqual(['MultisigInvalidThreshold', 0n, 2n])
  })
})

it('a wallet proposes an upgrade with as much code as docs/standards.md says, and not much more', async () => {
  const [, bytes] = /propose a container of at\s+most \*\*([\d,]+) bytes/.exec(STANDARDS)!
  const most = Number(bytes!.replaceAll(',', ''))
  const proposing = (size: number) => {
    const call = encodeFunctionData({ abi: registryAbi, functionName: 'upgrade', args: [a, `0x${'ab'.repeat(size)}`, '0x'] })
    return revertOf(wallet.simulate.propose([target.address, 0n, call], { account: alice }))
  }
  await expect(proposing(most)).rejects.toThrow('the call succeeded')
  expect(await proposing(most + 1_024)).toMatch(/the value takes \d+ bytes, at most 65536/)
})
