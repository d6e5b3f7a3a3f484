import { askedGas, LANE, packQueues, Turns, unpackQueues } from '@quoin/execution'
import type { Hash, SignedTransaction } from '@quoin/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FILL } from '../../test/pool-world.ts'
import { senderOf, waitingEntry, waitingTransaction } from '../../test/waiting.ts'
import { type LaneRules, LaneSenders } from './lane-offer.ts'
import { Waiting } from './waiting.ts'

const ACCOUNT = { nonce: 0, balance: 1n }

/** Voters with transactions in a pool: for each nonce from 0 on whether it goes by the lane. */
function poolOf(voters: readonly (readonly boolean[])[], organisationOf: (voter: number) => number) {
  const waiting = new Waiting(() => ({ gas: 0, served: 0, isYoung: false }))
  const lane = new LaneSenders()
  const byLane = new Set<Hash>()
  const turns = new Map(voters.map((_, i) => [senderOf(i), `organisation ${organisationOf(i)}` as unknown as Hash]))
  let sequence = 0
  for (const [sender, uses] of voters.entries())
    for (const [nonce, isLane] of uses.entries()) {
      const transaction = waitingTransaction({ sender, nonce, gasLimit: 100_000 })
      waiting.insert(waitingEntry(transaction, sequence++), ACCOUNT, 0n)
      if (!isLane) continue
      byLane.add(transaction.hash)
      lane.admitted(senderOf(sender))
    }
  const rules: LaneRules = { usesLane: ({ hash }) => byLane.has(hash), turn: (sender) => turns.get(sender)! }
  return { waiting, turnOf: rules.turn, offer: (height = 0) => lane.offer((sender) => waiting.queue(sender), rules, height) }
}

/** The order in which a builder takes the offered transactions that each use their limit. */
function taken(queues: readonly { readonly use: number; readonly candidates: readonly SignedTransaction[] }[]) {
  const turns = new Turns(queues.length)
  const asked = (next: SignedTransaction | undefined) => next && askedGas(next.gasLimit, next.raw.length, FILL)
  for (const [i, { use, candidates }] of queues.entries()) turns.add(use, asked(candidates[0])!, i)
  const places = queues.map(() => 0)
  const order: SignedTransaction[] = []
  for (let at = turns.next; at !== undefined; at = turns.next) {
    const { candidates } = queues[at]!
    const one = candidates[places[at]!++]!
    order.push(one)
    turns.took(one.gasLimit, 0, asked(candidates[places[at]!]))
  }
  return order
}

describe('what the lane offers', () => {
  it('is for each organisation the transactions with which its voters begin, as many as a block takes', () => {
    const voter = fc.array(fc.boolean(), { maxLength: 4 })
    fc.assert(
      fc.property(
        fc.array(voter, { maxLength: 300 }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(9),
        (voters, organisations, height) => {
          const { offer, turnOf } = poolOf(voters, (i) => i % organisations)
          const offered = offer(height)
          const wanted = new Map<unknown, number>()
          for (const [i, uses] of voters.entries()) {
            const first = uses.indexOf(false)
            const count = first < 0 ? uses.length : first
            if (count > 0) wanted.set(turnOf(senderOf(i)), (wanted.get(turnOf(senderOf(i))) ?? 0) + count)
          }
          const found = offered.map(({ candidates }) => {
            const its = new Set(candidates.map(({ sender }) => turnOf(sender)))
            expect(its.size).toBe(1)
            return [[...its][0], candidates.length] as const
          })
          const capped = [...wanted].map(([turn, count]) => [turn, Math.min(count, LANE.transactionsMax)] as const)
          expect(new Map(found)).toEqual(new Map(capped))
          expect(found).toHaveLength(capped.length)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('gives 1,000 voters of one organisation no more than the only one of another', () => {
    const alone = senderOf(1_000)
    const { offer } = poolOf(
      Array.from({ length: 1_001 }, () => [true]),
      (i) => Number(i === 1_000),
    )
    const offered = offer()
    expect(offered.map(({ candidates }) => candidates.length)).toEqual([LANE.transactionsMax, 1])
    expect(taken(offered)[1]!.sender).toBe(alone)
  })

  it('takes organisations in turns, and another one goes first at each height', () => {
    const organisations = 10
    const { offer, turnOf } = poolOf(
      Array.from({ length: 1_000 }, () => [true]),
      (i) => i % organisations,
    )
    const firsts = new Set<unknown>()
    for (let height = 100; height < 100 + organisations; height++) {
      const order = taken(offer(height)).map(({ sender }) => turnOf(sender))
      firsts.add(order[0])
      // A block has room for 64: each organisation has six or seven of them.
      for (let from = 0; from + organisations <= LANE.transactionsMax; from += organisations)
        expect(new Set(order.slice(from, from + organisations)).size).toBe(organisations)
    }
    expect(firsts.size).toBe(organisations)
  })

  it('goes first among all that have used nothing, also after it travelled to the executor', () => {
    const { offer } = poolOf([[true], [true]], (i) => i)
    const packed = offer().map(({ use, candidates }) => ({
      use,
      candidates: candidates.map(({ sender, gasLimit }) => ({ sender, gasLimit, raw: Uint8Array.of(1) })),
    }))
    const arrived = unpackQueues(packQueues([...packed, { use: 0, candidates: [] }]))
    expect(arrived.map(({ use }) => use)).toEqual([0, 0, 0])
    const turns = new Turns(arrived.length)
    for (const [i, { use }] of arrived.entries()) turns.add(use, 0, i)
    expect(turns.next).toBe(0)
  })

  it('forgets a sender of whom the pool has nothing', () => {
    const { offer, waiting } = poolOf([[true]], () => 0)
    expect(offer()).toHaveLength(1)
    waiting.remove([...waiting.entries()][0]!.transaction)
    expect(offer()).toEqual([])
  })
})
