import '@quoin/contracts/testing/matchers'
import { createChain } from '@quoin/contracts/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import * as token from '../artifacts/token.js'

const chain = await createChain({ accounts: 3 })
const [alice, bob, carol] = chain.accounts

let deployed: Awaited<ReturnType<typeof deploy>>
const deploy = () => chain.deploy(token, { args: ['Example', 'EXM', 1000n], from: alice })

beforeEach(async () => {
  deployed = await deploy()
})

describe('the token', () => {
  it('gives the supply to the deployer', async () => {
    expect(await deployed.read.balanceOf([alice])).toBe(1000n)
    expect(await deployed.read.totalSupply()).toBe(1000n)
  })

  it('moves tokens and emits an event', async () => {
    const receipt = await deployed.write.transfer([bob, 5n], { from: alice })
    expect(receipt).toEmit(deployed, 'Transfer', { from: alice, to: bob, value: 5n })
    expect(await deployed.read.balanceOf([bob])).toBe(5n)
  })

  it('rejects a transfer above the balance', async () => {
    await expect(deployed.write.transfer([alice, 1n], { from: bob })).toRevertWith('InsufficientBalance', [bob, 0n, 1n])
  })

  it('lets a spender use the allowance, and no more', async () => {
    await deployed.write.approve([bob, 10n], { from: alice })
    await deployed.write.transferFrom([alice, carol, 7n], { from: bob })
    expect(await deployed.read.allowance([alice, bob])).toBe(3n)
    await expect(deployed.write.transferFrom([alice, carol, 7n], { from: bob })).toRevertWith('InsufficientAllowance', [
      bob,
      3n,
      7n,
    ])
  })
})
