import { SYSTEM_ADDRESS } from '@quoin/execution'
import type { Abi } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHAIN_ABI } from '../../packages/execution/src/contract/native/chain/chain-abi.ts'
import { Network, walletClient } from './harness.ts'

/*
 * The consortium halts its chain at a height, and agrees to go on; then it schedules an upgrade that no node has.
 */

let network: Network

beforeAll(async () => {
  network = await Network.start()
}, 60_000)

afterAll(async () => {
  await network?.close()
})

async function governs(functionName: string, ...args: readonly unknown[]): Promise<void> {
  const [first] = network.validators
  const wallet = walletClient(first!.url, 0)
  const call = { address: SYSTEM_ADDRESS, abi: CHAIN_ABI as Abi, functionName, args }
  const receipt = await first!.client.waitForTransactionReceipt({ hash: await wallet.writeContract(call as never) })
  expect(receipt.status).toBe('success')
}

/** Resolves with the exit codes of all nodes, once they have ended by themselves. */
const ends = async () => {
  const exits = await Promise.all(network.validators.map(({ program }) => program.exit))
  return exits.map(({ code }) => code)
}

describe('a chain with a schedule', () => {
  it('halts after the block that was decided, on every node, with an exit code of its own', async () => {
    const halt = (await network.validators[0]!.height()) + 60
    await governs('setHaltHeight', BigInt(halt))
    expect(await ends()).toEqual([78, 78, 78, 78])
    for (const { log } of network.validators) expect(log).toContain(`start the node with --chain-resume-after ${halt}`)

    // A node that is started again stops again, and one that is told to go on waits for the others.
    await network.validators[0]!.start()
    expect((await network.validators[0]!.program.exit).code).toBe(78)
    const resume = ['--chain-resume-after', String(halt)]
    await Promise.all(network.validators.map((validator) => validator.start({}, resume)))
    await network.reach(halt + 5)
    expect(await network.agreement()).toBeGreaterThan(halt)
  })

  it('stops before a height whose execution version it lacks, and names it', async () => {
    const height = (await network.validators[0]!.height()) + 60
    const version = `0x${'77'.repeat(32)}`
    await governs('scheduleUpgrade', BigInt(height), version)
    expect(await ends()).toEqual([78, 78, 78, 78])
    for (const { log } of network.validators) expect(log).toContain(`block ${height} needs execution version ${version}`)
  })
})
