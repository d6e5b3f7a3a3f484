import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../../../test/long.ts'
import {
  type Accounts,
  type Chain,
  ChainError,
  type Contract,
  ContractRevert,
  createChain,
  type SnapshotId,
  TESTING_LIMITS,
} from '../../src/testing/index.ts'
import { lab } from './lab.ts'
import { token } from './token.ts'

type Step =
  | { readonly kind: 'transfer'; readonly from: number; readonly to: number; readonly value: bigint }
  | { readonly kind: 'pay'; readonly from: number; readonly to: number; readonly value: bigint }
  | { readonly kind: 'batch'; readonly to: readonly number[] }
  | { readonly kind: 'set-balance'; readonly who: number; readonly value: bigint }
  | { readonly kind: 'mine'; readonly blocks: number }
  | { readonly kind: 'increase-time'; readonly seconds: number }
  | { readonly kind: 'next-time'; readonly seconds: number }
  | { readonly kind: 'deploy' }

const ACCOUNTS = 4
const who = fc.nat(ACCOUNTS - 1)
const amount = fc.bigInt(0n, 30n)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('transfer' as const), from: who, to: who, value: amount }) },
  fc.record({ kind: fc.constant('pay' as const), from: who, to: who, value: amount }),
  fc.record({ kind: fc.constant('batch' as const), to: fc.array(who, { minLength: 1, maxLength: 3 }) }),
  fc.record({ kind: fc.constant('set-balance' as const), who, value: amount }),
  fc.record({ kind: fc.constant('mine' as const), blocks: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('increase-time' as const), seconds: fc.integer({ min: 1, max: 100 }) }),
  fc.record({ kind: fc.constant('next-time' as const), seconds: fc.integer({ min: 1, max: 100 }) }),
  fc.record({ kind: fc.constant('deploy' as const) }),
)

/** A step, a snapshot, or a revert to an existing snapshot. */
const move = fc.oneof(
  { weight: 5, arbitrary: step },
  { weight: 2, arbitrary: fc.constant({ kind: 'snapshot' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('revert' as const), to: fc.nat() }) },
)

interface World {
  readonly chain: Chain<Accounts<4>>
  readonly coin: Contract<typeof token.abi>
}

async function world(): Promise<World> {
  const chain = await createChain({ accounts: ACCOUNTS, balance: 100n })
  return { chain, coin: await chain.deploy(token, { args: ['Quoin', 'QUO', chain.accounts[0], 100n] }) }
}

async function take({ chain, coin }: World, one: Step): Promise<void> {
  const account = (index: number) => chain.accounts[index]!
  // A failed transaction is included in a block; an invalid one has no effect.
  const orFailed = (sent: Promise<unknown>) =>
    sent.catch((error: unknown) => {
      if (!(error instanceof ContractRevert) && !(error instanceof ChainError)) throw error
    })
  switch (one.kind) {
    case 'transfer':
      return void (await orFailed(coin.write.transfer([account(one.to), one.value], { from: account(one.from) })))
    case 'pay':
      return void (await orFailed(chain.send({ from: account(one.from), to: account(one.to), value: one.value })))
    case 'batch':
      return void (await orFailed(chain.batch(() => one.to.map((to) => coin.write.transfer([account(to), 1n])))))
    case 'set-balance':
      return chain.setBalance(account(one.who), one.value)
    case 'mine':
      return chain.mine(one.blocks)
    case 'increase-time':
      return chain.increaseTime(one.seconds)
    case 'next-time':
      return chain.setNextBlockTimestamp(chain.block.timestamp + BigInt(one.seconds))
    case 'deploy':
      return void (await chain.deploy(lab, { args: [1n] }))
  }
}

/** Everything that a test can observe of a chain. Block hashes cover state, transactions, receipts and time. */
async function seen({ chain, coin }: World) {
  const heights = Array.from({ length: Number(chain.block.number) + 1 }, (_, number) => BigInt(number))
  const past = heights
    .slice(1)
    .map((blockNumber) => Promise.all(chain.accounts.map((account) => coin.read.balanceOf([account], { blockNumber }))))
  return {
    blocks: heights.map((number) => chain.getBlock(number)),
    logs: await chain.getLogs(),
    balances: await Promise.all(chain.accounts.map((account) => chain.balanceOf(account))),
    past: await Promise.all(past),
  }
}

describe('a chain that went back', () => {
  it('equals a chain that never took the reverted steps', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 4, maxLength: 24 }), async (moves) => {
        const wandering = await world()
        /** The model: for each snapshot, the steps that lead to it. */
        const snapshots: { readonly id: SnapshotId; readonly path: readonly Step[] }[] = []
        let path: readonly Step[] = []
        for (const one of moves) {
          if (one.kind === 'snapshot') {
            snapshots.push({ id: wandering.chain.snapshot(), path })
          } else if (one.kind === 'revert') {
            if (snapshots.length === 0) continue
            const index = one.to % snapshots.length
            const { id, path: back } = snapshots[index]!
            await wandering.chain.revert(id)
            snapshots.length = index + 1
            path = back
          } else {
            await take(wandering, one)
            path = [...path, one]
          }
        }
        const straight = await world()
        for (const one of path) await take(straight, one)
        expect(await seen(wandering)).toEqual(await seen(straight))
        // The next steps give equal results too. This covers the time of the next block and hidden state.
        for (const { chain, coin } of [wandering, straight]) await coin.write.approve([chain.accounts[1], 1n])
        expect(wandering.chain.block).toEqual(straight.chain.block)
      }),
      { numRuns: runs(25) },
    )
  })
})

describe('snapshots', () => {
  it('nest: one can revert to an earlier one repeatedly, and later ones are removed', async () => {
    const { chain, coin } = await world()
    const [alice, bob] = chain.accounts
    const outer = chain.snapshot()
    await coin.write.transfer([bob, 1n])
    const inner = chain.snapshot()
    await coin.write.transfer([bob, 1n])
    await chain.revert(inner)
    expect(await coin.read.balanceOf([bob])).toBe(1n)
    await coin.write.transfer([bob, 5n])
    await chain.revert(inner)
    expect(await coin.read.balanceOf([bob])).toBe(1n)
    await chain.revert(outer)
    expect(await coin.read.balanceOf([alice])).toBe(100n)
    await expect(chain.revert(inner)).rejects.toThrow(
      new ChainError(`there is no snapshot ${inner}: it belongs to another chain, or a revert to an earlier snapshot removed it`),
    )
    await chain.revert(outer)
    expect(chain.block.number).toBe(1n)
  })

  it('are one for one state, however often they are taken', async () => {
    const { chain } = await world()
    const id = chain.snapshot()
    expect(chain.snapshot()).toBe(id)
    await chain.setNextBlockTimestamp(chain.block.timestamp + 9n)
    const later = chain.snapshot()
    expect(later).not.toBe(id)
    await chain.revert(id)
    expect(chain.snapshot()).toBe(id)
    await chain.mine()
    expect(chain.snapshot()).not.toBe(later)
  })

  it('take back the time that was set, and the balances', async () => {
    const { chain } = await world()
    const [alice] = chain.accounts
    const { timestamp } = chain.block
    const id = chain.snapshot()
    await chain.increaseTime(1_000)
    await chain.setBalance(alice, 1n)
    await chain.setNextBlockTimestamp(timestamp + 5_000n)
    await chain.revert(id)
    await chain.mine()
    expect(chain.block.timestamp).toBe(timestamp + 1n)
    expect(await chain.balanceOf(alice)).toBe(100n)
  })

  it('are limited', async () => {
    const { chain } = await world()
    for (let i = 0; i < TESTING_LIMITS.snapshotsMax; i++) {
      chain.snapshot()
      await chain.mine()
    }
    expect(() => chain.snapshot()).toThrow(`a chain keeps at most ${TESTING_LIMITS.snapshotsMax} snapshots`)
  })

  it('are not those of another chain', async () => {
    const [one, other] = [await world(), await world()]
    one.chain.snapshot()
    const id = other.chain.snapshot()
    await expect(one.chain.revert(id)).rejects.toThrow(/there is no snapshot/)
  })
})
