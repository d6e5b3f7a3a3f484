import { type Address, bytesToHex } from '@quoin/protocol'
import { getContractAddress, type Hex, type TransactionReceipt } from 'viem'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { HOSTILE_CONTRACT, HOSTILE_KINDS, hostileCall, hostileGas } from '../contracts/hostile.ts'
import { account, Network, type Validator, walletClient } from './harness.ts'

/** Blocks of hostile load, with a restart between each two: every validator restarts several times. */
const ROUNDS = 5
const CREATION_GAS = 10_000_000

let network: Network
const contracts = [0, 1].map((i) => getContractAddress({ from: account(i).address, nonce: 0n }).toLowerCase() as Address)

beforeAll(async () => {
  // Rounds end early, so that rounds of a proposer that is down cost little time.
  const parameters = { blockIntervalMs: 300, heartbeatIntervalMs: 2_000, timeoutProposeMs: 1_000, timeoutDeltaMs: 300 }
  network = await Network.start({ parameters })
})
afterAll(() => network.close())

/** Sends from the funded account of an index; the test counts its nonces, no node is asked. */
async function send(from: number, nonce: number, to: Address | undefined, data: Uint8Array, gas: number): Promise<Hex> {
  const order = {
    to: to as Hex | undefined,
    data: bytesToHex(data),
    nonce,
    gas: BigInt(gas),
    maxFeePerGas: 1n,
    maxPriorityFeePerGas: 0n,
  }
  return walletClient(network.validators[from % 4]!.url, from).sendTransaction({ ...order, type: 'eip1559' } as never)
}

/** The receipts, which are the same on all validators. */
async function receiptsOf(hashes: readonly Hex[]): Promise<readonly TransactionReceipt[]> {
  const all = await Promise.all(hashes.map((hash) => network.receipts(hash)))
  for (const receipts of all) for (const receipt of receipts) expect(receipt).toEqual(receipts[0])
  return all.map(([receipt]) => receipt!)
}

async function restart(validator: Validator, isOrderly: boolean): Promise<void> {
  const height = await network.validators[0]!.height()
  const exit = await (isOrderly ? validator.stop() : validator.kill())
  expect(exit).toEqual(isOrderly ? { code: 0, signal: null } : { code: null, signal: 'SIGKILL' })
  await validator.start()
  await network.reach(height, [validator])
}

it('a restart of a validator between every two blocks of a hostile load changes no root, and no node halts', async () => {
  await receiptsOf(await Promise.all(contracts.map((_, i) => send(i, 0, undefined, HOSTILE_CONTRACT, CREATION_GAS))))
  const blocks = new Set<bigint>()
  for (let round = 0; round < ROUNDS; round++) {
    const [to, other] = round % 2 === 0 ? contracts : contracts.toReversed()
    // The first two accounts created the contracts.
    const hashes = await Promise.all(
      HOSTILE_KINDS.map((_, kind) => send(2 + kind, round, to, hostileCall(kind, other!), hostileGas(kind))),
    )
    const receipts = await receiptsOf(hashes)
    for (const status of ['success', 'reverted'])
      expect(receipts.filter((receipt) => receipt.status === status).length).toBeGreaterThan(3)
    for (const { blockNumber } of receipts) blocks.add(blockNumber)
    await restart(network.validators[round % 4]!, round % 3 === 0)
  }
  expect(blocks.size).toBeGreaterThanOrEqual(ROUNDS)
  const height = await network.advance(1)
  await network.reach(height, network.validators)
  expect(await network.agreement()).toBeGreaterThanOrEqual(height)
  for (const { log } of network.validators)
    expect(log).not.toMatch(/the node cannot continue|execution yields|interpreter failed/)
})
