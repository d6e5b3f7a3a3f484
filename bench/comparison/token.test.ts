import '@quoin/contracts/testing/matchers'
import { createChain } from '@quoin/contracts/testing'
import { beforeEach, expect, it } from 'vitest'
import * as artifact from '../artifacts/token.js'

const ZERO = '0x0000000000000000000000000000000000000000'
const UNLIMITED = 2n ** 256n - 1n

const chain = await createChain({ accounts: 3 })
const [alice, bob, carol] = chain.accounts
const deploy = () => chain.deploy(artifact, { args: ['Token', 'TOK', alice, 1000n], from: alice })
let token: Awaited<ReturnType<typeof deploy>>

beforeEach(async () => {
  token = await deploy()
})

it('gives the supply to its holder, and says so', async () => {
  expect(await token.read.totalSupply()).toBe(1000n)
  expect(await token.read.balanceOf([alice])).toBe(1000n)
  expect(await token.getEvents.Transfer({ from: ZERO, to: alice })).toMatchObject([{ args: { value: 1000n } }])
})

it('has a name, a symbol and decimals', async () => {
  expect(await token.read.name()).toBe('Token')
  expect(await token.read.symbol()).toBe('TOK')
  expect(await token.read.decimals()).toBe(18)
})

it('needs a holder', async () => {
  const attempt = chain.deploy(artifact, { args: ['Token', 'TOK', ZERO, 1000n] })
  await expect(attempt).toRevertWith('ERC20InvalidReceiver', [ZERO])
})

it('moves what is owned, and says so', async () => {
  const receipt = await token.write.transfer([bob, 5n], { from: alice })
  expect(receipt).toEmit(token, 'Transfer', { from: alice, to: bob, value: 5n })
  expect(await token.read.balanceOf([alice])).toBe(995n)
  expect(await token.read.balanceOf([bob])).toBe(5n)
})

it('does not move what is not owned', async () => {
  const attempt = token.write.transfer([alice, 1n], { from: bob })
  await expect(attempt).toRevertWith('ERC20InsufficientBalance', [bob, 0n, 1n])
})

it('does not move to nobody', async () => {
  await expect(token.write.transfer([ZERO, 1n], { from: alice })).toRevertWith('ERC20InvalidReceiver', [ZERO])
})

it('lets somebody spend, and says so', async () => {
  const receipt = await token.write.approve([bob, 10n], { from: alice })
  expect(receipt).toEmit(token, 'Approval', { owner: alice, spender: bob, value: 10n })
  expect(await token.read.allowance([alice, bob])).toBe(10n)
  await expect(token.write.approve([ZERO, 1n], { from: alice })).toRevertWith('ERC20InvalidSpender', [ZERO])
})

it('uses up what may be spent', async () => {
  await token.write.approve([bob, 10n], { from: alice })
  const receipt = await token.write.transferFrom([alice, carol, 7n], { from: bob })
  expect(receipt).toEmit(token, 'Transfer', { from: alice, to: carol, value: 7n })
  expect(await token.read.allowance([alice, bob])).toBe(3n)
  expect(await token.read.balanceOf([carol])).toBe(7n)
})

it('lets nobody spend more', async () => {
  await token.write.approve([bob, 10n], { from: alice })
  const attempt = token.write.transferFrom([alice, carol, 11n], { from: bob })
  await expect(attempt).toRevertWith('ERC20InsufficientAllowance', [bob, 10n, 11n])
})

it('does not use up an unlimited allowance', async () => {
  await token.write.approve([bob, UNLIMITED], { from: alice })
  await token.write.transferFrom([alice, carol, 7n], { from: bob })
  expect(await token.read.allowance([alice, bob])).toBe(UNLIMITED)
})
