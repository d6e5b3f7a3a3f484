import { LANE } from '@quoin/execution'
import { MemoryKv } from '@quoin/platform'
import { type Address, Height, hexToBytes, type SignedTransaction, Wei } from '@quoin/protocol'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import { crypto } from '../../test/fixture.ts'
import { createInlineRecovery } from '../crypto/recovery.ts'
import { TransactionPool } from './pool.ts'
import { Quarantine } from './quarantine.ts'

const CHAIN_ID = 31_337
const accounts = ['1', '2', '3'].map((digit) => privateKeyToAccount(`0x${digit.repeat(64)}`))
const addressOf = (sender: number): Address => accounts[sender]!.address.toLowerCase() as Address
const ALL = { gasMax: 1e12, bytesMax: 1e12, part: 1 }

/** A pool on a chain with fees. Transactions without value go by the lane, unless the chain has none. */
function createPool(hasLane = true): TransactionPool {
  const usesLane = ({ value }: SignedTransaction) => hasLane && value === 0n
  const clock = { now: () => 0, monotonic: () => 0, after: () => () => undefined }
  return new TransactionPool({
    crypto,
    chainId: CHAIN_ID,
    recovery: createInlineRecovery(crypto),
    clock,
    quarantine: new Quarantine(new MemoryKv()),
    state: () => ({
      account: () => ({ nonce: 0, balance: 10n ** 30n }),
      chargesFees: true,
      baseFee: Wei(0n),
      height: 1,
      check: () => undefined,
      cost: ({ value }) => value,
      lane: { usesLane, turn: (sender) => sender },
    }),
  })
}

async function add(
  pool: TransactionPool,
  sender: number,
  nonce: number,
  { value = 0n, fee = 0n, gas = 21_000n } = {},
): Promise<string> {
  const raw = await accounts[sender]!.signTransaction({
    type: 'eip1559',
    chainId: CHAIN_ID,
    nonce,
    to: accounts[0]!.address,
    ...{ gas, value, maxFeePerGas: fee, maxPriorityFeePerGas: fee },
  })
  const result = await pool.add(hexToBytes(raw), 'rpc')
  return result.ok ? 'ok' : result.error.code
}
const PAID = { value: 1n, fee: 10n ** 9n }
const offered = (pool: TransactionPool) => pool.candidates(ALL).flatMap(({ candidates }) => candidates)

describe('a transaction by the lane', () => {
  it('takes the place of whatever waits at its nonce, at no price', async () => {
    const pool = createPool()
    expect(await add(pool, 0, 0, PAID)).toBe('ok')
    expect(await add(pool, 0, 0)).toBe('ok')
    expect(offered(pool).map(({ value }) => value)).toEqual([0n])
    expect(pool.stats.count).toBe(1)
    // One by the lane does not take the place of another for nothing.
    expect(await add(pool, 0, 0, { gas: 22_000n })).toBe('underpriced-replacement')
    const ordinary = createPool(false)
    expect(await add(ordinary, 0, 0, PAID)).toBe('ok')
    expect(await add(ordinary, 0, 0)).toBe('underpriced-replacement')
  })

  it('is offered first and once, before those that pay more', async () => {
    const pool = createPool()
    for (const sender of [1, 2]) expect(await add(pool, sender, 0, PAID)).toBe('ok')
    expect(await add(pool, 0, 0)).toBe('ok')
    expect(await add(pool, 0, 1, PAID)).toBe('ok')
    const places = offered(pool).map(({ sender, nonce }) => `${sender} ${nonce}`)
    expect(places[0]).toBe(`${addressOf(0)} 0`)
    expect(new Set(places).size).toBe(places.length)
    // What its sender sent after it need not wait for another block.
    expect(places).toContain(`${addressOf(0)} 1`)
    expect(pool.candidates(ALL)[0]).toMatchObject({ use: 0, candidates: [{ nonce: 0 }] })
  })

  it('is not offered while it is suspended', async () => {
    const pool = createPool()
    expect(await add(pool, 0, 0)).toBe('ok')
    const [first] = offered(pool)
    pool.suspend([first!.hash], Height(9))
    expect(offered(pool)).toEqual([])
  })

  it('is offered as often as a block has room for it', async () => {
    const pool = createPool()
    for (let nonce = 0; nonce < LANE.transactionsMax + 2; nonce++) expect(await add(pool, 0, nonce)).toBe('ok')
    expect(pool.candidates(ALL)[0]!.candidates).toHaveLength(LANE.transactionsMax)
  })
})
