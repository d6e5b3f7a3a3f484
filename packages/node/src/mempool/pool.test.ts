import { MemoryKv } from '@quoin/platform'
import { type Address, Height, nobleCrypto, type SignedTransaction, unwrap, Wei } from '@quoin/protocol'
import fc from 'fast-check'
import { parseGwei } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadCrypto } from '../crypto/load.ts'
import { createInlineRecovery } from '../crypto/recovery.ts'
import { POOL_LIMITS } from './limits.ts'
import { type PoolState, TransactionPool } from './pool.ts'
import { Quarantine } from './quarantine.ts'
import type { PooledTransaction } from './types.ts'

const CHAIN_ID = 31_337
const SENDERS = 3
const NONCES = 6
const TIPS = [1n, 2n, 3n]
const accounts = Array.from({ length: SENDERS }, (_, i) => privateKeyToAccount(`0x${String(i + 1).repeat(64)}`))

/** Raw transactions by sender, nonce and tip; signed once, by viem. */
let signed: Uint8Array[][][]
let crypto = nobleCrypto

beforeAll(async () => {
  crypto = await loadCrypto()
  const sign = async (sender: number, nonce: number, tip: bigint): Promise<Uint8Array> => {
    const raw = await accounts[sender]!.signTransaction({
      type: 'eip1559',
      chainId: CHAIN_ID,
      nonce,
      to: accounts[0]!.address,
      gas: 21_000n,
      value: 5n,
      maxFeePerGas: parseGwei(String(tip)),
      maxPriorityFeePerGas: parseGwei(String(tip)),
    })
    return Buffer.from(raw.slice(2), 'hex')
  }
  signed = await Promise.all(
    accounts.map((_, s) =>
      Promise.all(Array.from({ length: NONCES }, (_, n) => Promise.all(TIPS.map((tip) => sign(s, n, tip))))),
    ),
  )
})

const addressOf = (sender: number): Address => accounts[sender]!.address.toLowerCase() as Address

interface World {
  readonly pool: TransactionPool
  readonly nonces: number[]
  readonly balances: bigint[]
  now: number
  baseFee: bigint
  chargesFees: boolean
  /** Why the pool accepts nothing any more. */
  refusal: string | undefined
  recovered: () => number
}

function createWorld(): World {
  const recovery = createInlineRecovery(crypto)
  const state: PoolState = {
    account(address) {
      const sender = accounts.findIndex((_, i) => addressOf(i) === address)
      return { nonce: world.nonces[sender]!, balance: world.balances[sender]! }
    },
    get chargesFees() {
      return world.chargesFees
    },
    get baseFee() {
      return Wei(world.baseFee)
    },
    check: () => undefined,
    cost: ({ value }) => value,
    height: 1,
    lane: { usesLane: () => false, turn: (sender) => sender },
  }
  const clock = { now: () => world.now, monotonic: () => world.now, after: () => () => undefined }
  const quarantine = new Quarantine(new MemoryKv())
  const pool = new TransactionPool({
    crypto,
    chainId: CHAIN_ID,
    recovery,
    clock,
    quarantine,
    state: () => state,
    refusal: () => world.refusal,
  })
  const world: World = {
    pool,
    nonces: accounts.map(() => 0),
    balances: accounts.map(() => 1_000n),
    now: 0,
    baseFee: 0n,
    chargesFees: true,
    refusal: undefined,
    recovered: () => recovery.stats.recovered,
  }
  return world
}

const ALL = { gasMax: 1e12, bytesMax: 1e12, part: 1 }

/** The offer to a builder, one queue after another. */
const offered = ({ pool }: World): readonly SignedTransaction[] => pool.candidates(ALL).flatMap(({ candidates }) => candidates)

/** Tells the pool of a block with 21,000 gas per transaction. */
function tell({ pool }: World, height: number, transactions: readonly SignedTransaction[]): void {
  const gasUsed = transactions.map(() => 21_000)
  pool.onBlock({ height: Height(height), transactions, gasUsed, created: new Set() })
}

const add = async (world: World, sender: number, nonce: number, tip = 0) => {
  const result = await world.pool.add(signed[sender]![nonce]![tip]!, 'rpc')
  return result.ok ? 'ok' : result.error.code
}

/** Adds a transaction that costs nothing. */
async function addFree(world: World, sender: number, nonce: number): Promise<string> {
  const transaction = { type: 'eip1559', chainId: CHAIN_ID, nonce, to: accounts[0]!.address, gas: 21_000n } as const
  const raw = await accounts[sender]!.signTransaction({ ...transaction, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n })
  const result = await world.pool.add(Buffer.from(raw.slice(2), 'hex'), 'rpc')
  return result.ok ? 'ok' : result.error.code
}

/** Different transactions of the first sender, all with the first nonce and the same fees. */
const sameNonce = (count: number, dataBytes = 0): Promise<readonly Uint8Array[]> =>
  Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const transaction = { nonce: 0, gas: 21_000n, to: accounts[0]!.address, value: BigInt(i) } as const
      const fee = { maxFeePerGas: parseGwei('2'), maxPriorityFeePerGas: parseGwei('2') }
      const data = `0x${'00'.repeat(dataBytes)}` as const
      const raw = await accounts[0]!.signTransaction({ type: 'eip1559', chainId: CHAIN_ID, data, ...transaction, ...fee })
      return Buffer.from(raw.slice(2), 'hex')
    }),
  )

/** Makes a block from the pool's offer, as the chain would. */
function includeAll(world: World, transactions: readonly SignedTransaction[]): void {
  for (const { sender } of transactions) world.nonces[accounts.findIndex((_, i) => addressOf(i) === sender)]!++
  tell(world, 1, transactions)
}

describe('TransactionPool', () => {
  it('keeps what has a gap before it, and runs it when the gap closes', async () => {
    const world = createWorld()
    expect(await add(world, 0, 1)).toBe('ok')
    expect(offered(world)).toEqual([])
    expect(world.pool.pendingNonce(addressOf(0))).toBeUndefined()
    expect(await add(world, 0, 0)).toBe('ok')
    expect(offered(world).map(({ nonce }) => nonce)).toEqual([0, 1])
    expect(world.pool.pendingNonce(addressOf(0))).toBe(2)
    expect(world.pool.stats.queued).toBe(0)
  })

  it('walks over its content by sender and nonce, although it changes meanwhile', async () => {
    const world = createWorld()
    for (const nonce of [1, 0, 3]) await add(world, 0, nonce)
    for (const nonce of [1, 0]) await add(world, 1, nonce)
    await add(world, 2, 2)
    const told = ({ transaction: { sender, nonce }, isQueued }: PooledTransaction) => [sender, nonce, isQueued]
    const [a, b, c] = [addressOf(0), addressOf(1), addressOf(2)]
    expect([...world.pool.walk()].map(told)).toEqual([
      ...[
        [a, 0, false],
        [a, 1, false],
        [a, 3, true],
      ],
      ...[
        [b, 0, false],
        [b, 1, false],
      ],
      [c, 2, true],
    ])
    expect([...world.pool.walk(b)].map(told)).toEqual([
      [b, 0, false],
      [b, 1, false],
    ])
    expect([...world.pool.walk('0x' as Address)]).toEqual([])
    const walk = world.pool.walk()
    expect(told(walk.next().value as PooledTransaction)).toEqual([a, 0, false])
    // The first sender is shown as it was, the others as they are by then.
    world.pool.drop([...world.pool.walk()].map(({ transaction }) => transaction.hash).slice(0, 4))
    await add(world, 2, 0)
    // It left the pool and comes back: it is not shown again.
    await add(world, 0, 0)
    expect([...walk].map(told)).toEqual([
      ...[
        [a, 1, false],
        [a, 3, true],
      ],
      [b, 1, true],
      ...[
        [c, 0, false],
        [c, 2, true],
      ],
    ])
  })

  it('answers the same transaction twice with already-known, and recovers its sender once', async () => {
    const world = createWorld()
    const both = await Promise.all([add(world, 0, 0), add(world, 0, 0)])
    expect(both.sort()).toEqual(['already-known', 'ok'])
    unwrap(await world.pool.verify([signed[0]![0]![0]!]))
    expect(world.recovered()).toBe(1)
  })

  it('remembers what left the pool, so that a block that names it late costs no recovery', async () => {
    const world = createWorld()
    await add(world, 0, 0)
    includeAll(world, offered(world))
    expect(world.pool.stats.count).toBe(0)
    unwrap(await world.pool.verify([signed[0]![0]![0]!]))
    expect(world.recovered()).toBe(1)
  })

  it('drops what a block overtook, though it held other transactions, and what its sender can pay no more', async () => {
    const world = createWorld()
    for (const nonce of [0, 1, 2, 4]) await add(world, 0, nonce)
    await add(world, 1, 0)
    const others = unwrap(await world.pool.verify([signed[0]![0]![1]!, signed[0]![1]![1]!]))
    includeAll(world, others)
    expect(offered(world).map(({ sender, nonce }) => [sender, nonce])).toEqual([
      // Of equal tips, the one of the sender with less use.
      [addressOf(1), 0],
      [addressOf(0), 2],
    ])
    expect(world.pool.stats).toMatchObject({ count: 3, queued: 1 })
    expect(world.pool.pendingNonce(addressOf(0))).toBe(3)
    // Each costs 5.
    world.balances[0] = 4n
    tell(world, 2, others)
    expect(offered(world).map(({ sender }) => sender)).toEqual([addressOf(1)])
    expect(world.pool.stats).toEqual({ count: 1, queued: 0, bytes: signed[1]![0]![0]!.length })
    world.balances[0] = 5n
    expect(await add(world, 0, 2)).toBe('ok')
  })

  it('takes nothing any more when the node has stopped, not even what was being verified, and says why', async () => {
    const world = createWorld()
    const begun = add(world, 0, 0)
    world.refusal = 'stopped (disk-full)'
    expect([await begun, await add(world, 1, 0)]).toEqual(['stopped', 'stopped'])
    expect(await world.pool.add(signed[0]![0]![0]!, 'gossip')).toEqual({
      ok: false,
      error: { code: 'stopped', message: 'stopped (disk-full)' },
    })
    expect(world.pool.stats.count).toBe(0)
  })

  it('forgets what it remembers when memory is short, and verifies it again', async () => {
    const world = createWorld()
    await add(world, 0, 0)
    await add(world, 0, 1)
    includeAll(world, offered(world).slice(0, 1))
    world.pool.dropCaches()
    unwrap(await world.pool.verify([signed[0]![0]![0]!, signed[0]![1]![0]!]))
    // Transactions in the pool stay known.
    expect(world.recovered()).toBe(3)
  })

  it('refuses a used nonce, a nonce too far ahead, and what the balance cannot pay', async () => {
    const world = createWorld()
    world.nonces[0] = 1
    expect(await add(world, 0, 0)).toBe('nonce-too-low')
    world.balances[1] = 4n
    expect(await add(world, 1, 0)).toBe('insufficient-funds')
    world.nonces[2] = -POOL_LIMITS.senderTransactionsMax
    expect(await add(world, 2, 0)).toBe('nonce-too-high')
  })

  it('replaces only by a higher tip, and only so often between two blocks', async () => {
    const world = createWorld()
    expect(await add(world, 0, 0, 1)).toBe('ok')
    expect(await add(world, 0, 0, 0)).toBe('underpriced-replacement')
    expect(await add(world, 0, 0, 2)).toBe('ok')
    expect(world.pool.stats.count).toBe(1)
    expect(offered(world)[0]?.maxPriorityFeePerGas).toBe(parseGwei('3'))
    // A transaction that was replaced once may later replace another one by its higher tip.
    world.pool.drop(world.pool.pending().map(({ hash }) => hash))
    expect([await add(world, 0, 0, 0), await add(world, 0, 0, 1)]).toEqual(['ok', 'ok'])
  })

  it('offers the best tip first across senders and the earlier arrival among equals', async () => {
    const world = createWorld()
    await add(world, 0, 0, 0)
    await add(world, 1, 0, 2)
    await add(world, 2, 0, 0)
    await add(world, 1, 1, 0)
    expect(offered(world).map(({ sender, nonce }) => [accounts.findIndex((_, i) => addressOf(i) === sender), nonce])).toEqual([
      [1, 0],
      [0, 0],
      [2, 0],
      [1, 1],
    ])
  })

  describe('where nothing is charged', () => {
    /** Owners of the queues that a builder is offered, in order. */
    const queuesOf = ({ pool }: World) =>
      pool
        .candidates(ALL)
        .map(({ candidates }) => candidates.map(({ sender }) => accounts.findIndex((_, i) => addressOf(i) === sender)))
    function createFreeWorld(): World {
      const world = createWorld()
      world.chargesFees = false
      return world
    }

    it('a tip moves nothing', async () => {
      const world = createFreeWorld()
      await add(world, 0, 0, 0)
      await add(world, 1, 0, 2)
      expect(queuesOf(world)).toEqual([[0], [1]])
    })

    it('equal fees replace, lower ones do not, and only so often between two blocks', async () => {
      const world = createFreeWorld()
      const raws = await sameNonce(POOL_LIMITS.senderReplacementsMax + 3)
      const codes: string[] = []
      for (const raw of raws.slice(0, -1)) {
        const result = await world.pool.add(raw, 'rpc')
        codes.push(result.ok ? 'ok' : result.error.code)
      }
      expect(codes).toEqual([...new Array(POOL_LIMITS.senderReplacementsMax + 1).fill('ok'), 'underpriced-replacement'])
      expect(world.pool.stats.count).toBe(1)
      tell(world, 1, [])
      expect(await add(world, 0, 0, 0)).toBe('underpriced-replacement')
      expect((await world.pool.add(raws.at(-1)!, 'rpc')).ok).toBe(true)
    })

    it('what was replaced does not come back in the place of another, at any later height', async () => {
      const world = createFreeWorld()
      const [a, b] = await sameNonce(2)
      const code = async (raw: Uint8Array) => {
        const result = await world.pool.add(raw, 'rpc')
        return result.ok ? 'ok' : result.error.code
      }
      expect([await code(a!), await code(b!)]).toEqual(['ok', 'ok'])
      for (let height = 1; height < 4; height++) {
        for (const raw of [a!, b!]) expect(await code(raw)).toBe(raw === a ? 'underpriced-replacement' : 'already-known')
        tell(world, height, [])
      }
      // Its place is free now.
      world.pool.drop(world.pool.pending().map(({ hash }) => hash))
      expect(await code(a!)).toBe('ok')
    })

    it('replacements of a sender are bounded by their bytes, too', async () => {
      const world = createFreeWorld()
      const raws = await sameNonce(6, 200_000)
      const taken: boolean[] = []
      for (const raw of raws) taken.push((await world.pool.add(raw, 'rpc')).ok)
      expect(taken).toEqual([true, true, true, false, false, false])
      tell(world, 1, [])
      expect((await world.pool.add(raws[3]!, 'rpc')).ok).toBe(true)
    })

    it('newcomers share one queue, until they were given something, or a hundred blocks after they came in by sending', async () => {
      const world = createFreeWorld()
      world.balances.fill(0n)
      world.nonces[2] = 1
      const floor = POOL_LIMITS.useFloorGas
      for (const sender of [0, 1]) for (const nonce of [0, 1]) expect(await addFree(world, sender, nonce)).toBe('ok')
      expect(await addFree(world, 2, 1)).toBe('ok')
      // The third one has sent something before.
      expect(queuesOf(world)).toEqual([[2], [0, 1, 0, 1]])
      const first = offered(world).find(({ sender, nonce }) => sender === addressOf(0) && nonce === 0)
      world.nonces[0] = 1
      const created = new Set([addressOf(0)])
      world.pool.onBlock({ height: Height(1), transactions: [first!], gasUsed: [floor + 7], created })
      expect(queuesOf(world)).toEqual([[2], [0, 1, 1]])
      expect(world.pool.candidates(ALL).map(({ use }) => use)).toEqual([floor - 1, floor + 7])
      // The second one receives something, and so does the first one, which changes nothing for it.
      world.pool.onBlock({ height: Height(2), transactions: [], gasUsed: [], created: new Set([addressOf(1)]) })
      expect(queuesOf(world)).toEqual([[2], [1, 1], [0]])
      expect(world.pool.candidates(ALL).map(({ use }) => use)).toEqual([floor - 1, floor, floor + 7])
      for (let height = 3; height <= 101; height++) tell(world, height, [])
      // It is a regular sender now, like the third one.
      expect(queuesOf(world)).toEqual([[0], [2], [1, 1]])
      expect(world.pool.candidates(ALL).map(({ use }) => use)).toEqual([floor - 1, floor - 1, floor])
    })
  })

  it('holds back what the base fee has overtaken, with everything behind it', async () => {
    const world = createWorld()
    await add(world, 0, 0, 0)
    await add(world, 0, 1, 2)
    world.baseFee = parseGwei('2')
    expect(offered(world)).toEqual([])
  })

  it('drops what waited too long', async () => {
    const world = createWorld()
    await add(world, 0, 1)
    world.now = POOL_LIMITS.lifetimeMs
    await add(world, 1, 0)
    tell(world, 1, [])
    expect(world.pool.stats).toMatchObject({ count: 1, queued: 0 })
  })

  it.each([
    ['a sender that pays', true, 1_000n],
    ['a sender that the state knows', false, 1_000n],
    ['a newcomer', false, 0n],
  ])('offers no suspended transaction of %s, and none behind it, until its heights have passed', async (_, charges, balance) => {
    const world = createWorld()
    world.chargesFees = charges
    world.balances.fill(balance)
    const add = (from: World, ...place: [sender: number, nonce: number]) => addFree(from, ...place)
    for (const nonce of [0, 1]) await add(world, 0, nonce)
    await add(world, 1, 0)
    const all = offered(world)
    const first = all.find(({ sender, nonce }) => sender === addressOf(0) && nonce === 0)
    const other = all.find(({ sender }) => sender === addressOf(1))
    world.pool.suspend([first!.hash], Height(2))
    expect(offered(world)).toEqual([other])
    expect(world.pool.stats).toMatchObject({ count: 3, queued: 0 })
    expect(await add(world, 0, 0)).toBe('already-known')
    tell(world, 1, [])
    expect(offered(world)).toEqual([other])
    tell(world, 2, [])
    expect(all).toHaveLength(3)
    expect(offered(world)).toEqual(all)
  })

  it('drops a quarantined transaction and takes it no more', async () => {
    const world = createWorld()
    for (const nonce of [0, 1]) await add(world, 0, nonce)
    await world.pool.quarantine([world.pool.pending()[0]!.hash], Height(1))
    expect(offered(world)).toEqual([])
    expect(world.pool.stats).toMatchObject({ count: 1, queued: 1 })
    tell(world, 10_000, [])
    expect(await add(world, 0, 0)).toBe('quarantined')
    expect(await add(world, 0, 0, 1)).toBe('ok')
    expect(offered(world)).toHaveLength(2)
  })

  it('agrees with a plain model over random additions, blocks and drops', async () => {
    const command = fc.oneof(
      fc.record({
        kind: fc.constant('add' as const),
        sender: fc.nat(SENDERS - 1),
        nonce: fc.nat(NONCES - 1),
        tip: fc.nat(TIPS.length - 1),
      }),
      fc.record({ kind: fc.constant('block' as const), count: fc.nat(4) }),
      fc.record({ kind: fc.constant('drop' as const), which: fc.nat(20) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
        const world = createWorld()
        /** sender -> nonce -> tip */
        const model = accounts.map(() => new Map<number, number>())
        for (const step of commands) {
          if (step.kind === 'add') {
            const old = model[step.sender]!.get(step.nonce)
            const usable = step.nonce >= world.nonces[step.sender]!
            const expected = !usable
              ? 'nonce-too-low'
              : old === step.tip
                ? 'already-known'
                : old !== undefined && old > step.tip
                  ? 'underpriced-replacement'
                  : 'ok'
            const found = await add(world, step.sender, step.nonce, step.tip)
            if (old === step.tip) expect(found).toBe('already-known')
            else expect(found).toBe(expected)
            if (found === 'ok') model[step.sender]!.set(step.nonce, step.tip)
          } else if (step.kind === 'block') {
            const included = offered(world).slice(0, step.count)
            includeAll(world, included)
            for (const { sender, nonce } of included) model[accounts.findIndex((_, i) => addressOf(i) === sender)]!.delete(nonce)
          } else {
            const all = [...world.pool.pending(), ...world.pool.queued()]
            const victim = all[step.which]
            if (victim === undefined) continue
            world.pool.drop([victim.hash])
            model[accounts.findIndex((_, i) => addressOf(i) === victim.sender)]!.delete(victim.nonce)
          }
          const executable = model.map((entries, sender) => {
            let next = world.nonces[sender]!
            while (entries.has(next)) next++
            return next - world.nonces[sender]!
          })
          const total = model.reduce((sum, entries) => sum + entries.size, 0)
          const runnable = executable.reduce((a, b) => a + b, 0)
          expect(world.pool.stats).toMatchObject({ count: total, queued: total - runnable })
          expect(world.pool.executableCount).toBe(runnable)
          expect(offered(world)).toHaveLength(runnable)
          expect(world.pool.pending()).toHaveLength(runnable)
          expect(world.pool.stats.bytes).toBe(
            [...world.pool.pending(), ...world.pool.queued()].reduce((sum, { raw }) => sum + raw.length, 0),
          )
        }
      }),
      { numRuns: 60 },
    )
  })
})
