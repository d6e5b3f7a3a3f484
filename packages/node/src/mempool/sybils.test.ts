import { Turns } from '@quoin/execution'
import type { Address, SignedTransaction } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { senderOf, waitingEntry, waitingTransaction } from '../../test/waiting.ts'
import { offerInTurns } from './ordering.ts'
import { RecentUse } from './recent-use.ts'
import { Waiting } from './waiting.ts'

const LEAST = 21_000
const FILL = { gasMax: 72_000_000, bytesMax: 4 * 1024 * 1024, part: 1 }
/** Transfers that fit into a block. */
const PER_BLOCK = Math.floor(FILL.gasMax / LEAST)
const SYBILS = 10_000

/**
 * A chain of transfers. Many keys that cost nothing always have their next transaction in the pool; one honest sender sends every other
 * block, once its last transaction is in a block.
 */
class Chain {
  readonly #use = new RecentUse()
  readonly #waiting = new Waiting((sender) => this.#use.of(sender))
  readonly #nonces: number[]
  readonly #balance: bigint
  readonly #numbers = new Map<Address, number>()
  #sequence = 0

  /** Number of transactions that each sender has sent. Number 0 is the honest sender. */
  constructor(nonces: readonly number[], balance: bigint) {
    this.#nonces = [...nonces]
    this.#balance = balance
    for (const number of nonces.keys()) this.#numbers.set(senderOf(number), number)
  }

  send(number: number): void {
    const nonce = this.#nonces[number]!
    const transaction = waitingTransaction({ sender: number, nonce })
    // The honest sender has a balance; a parameter says whether the others have one.
    this.#waiting.insert(waitingEntry(transaction, this.#sequence++), { nonce, balance: number === 0 ? 1n : this.#balance }, 0n)
  }

  /** Makes the next block; returns the senders of its transactions. */
  block(): readonly number[] {
    const queues = offerInTurns(this.#waiting.queues(), this.#waiting.newcomers, {
      ...{ fill: FILL, isSuspended: () => false, isOffered: () => false, dropped: this.#use.dropped },
    })
    const turns = new Turns(queues.length)
    for (const [i, { use }] of queues.entries()) turns.add(use, LEAST, i)
    const taken = queues.map(() => 0)
    const block: SignedTransaction[] = []
    for (let at = turns.next; at !== undefined && block.length < PER_BLOCK; at = turns.next) {
      const { candidates } = queues[at]!
      block.push(candidates[taken[at]!++]!)
      turns.took(LEAST, block.length / PER_BLOCK, candidates[taken[at]!] && LEAST)
    }
    return this.#commit(block.map(({ sender }) => this.#numbers.get(sender)!))
  }

  #commit(block: readonly number[]): readonly number[] {
    const bySender = new Map<Address, number>()
    const began = new Set<Address>()
    for (const number of block) {
      const sender = senderOf(number)
      if (this.#nonces[number] === 0 && number > 0 && this.#balance === 0n) began.add(sender)
      bySender.set(sender, (bySender.get(sender) ?? 0) + LEAST)
      this.#waiting.advance(this.#waiting.queue(sender)!, ++this.#nonces[number]!)
    }
    const { changed, settled } = this.#use.add({ bySender, began })
    this.#waiting.know(settled)
    this.#waiting.useChanged(changed, this.#use.newcomers)
    return block
  }
}

/** Number of blocks that each of the honest sender's transactions waits, during a flood of `blocks` blocks; 1 means the next block. */
function waits(chain: Chain, sybils: number, blocks: number): readonly number[] {
  const found: number[] = []
  // Before the flood.
  for (let height = 0; height < 100; height++) {
    if (height % 2 === 0) chain.send(0)
    chain.block()
  }
  for (let i = 1; i <= sybils; i++) chain.send(i)
  let since: number | undefined
  for (let height = 0, nextAt = 0; height < blocks; height++) {
    if (since === undefined && height >= nextAt) {
      chain.send(0)
      since = height
    }
    for (const number of chain.block()) {
      if (number > 0) {
        chain.send(number)
      } else {
        found.push(height - since! + 1)
        nextAt = Math.max(height + 1, since! + 2)
        since = undefined
      }
    }
  }
  return since === undefined ? found : [...found, blocks - since]
}

const nonces = (honest: number, sybil: number, sybils = SYBILS) => [honest, ...new Array<number>(sybils).fill(sybil)]

describe('an honest sender of a transfer every other block', { timeout: 60_000 }, () => {
  it('is in the next block beside ten thousand keys that are older than the window, if it has sent more than they have', () => {
    const found = waits(new Chain(nonces(10, 20), 0n), SYBILS, 24)
    // It has sent 60 when the flood begins, and they send a transaction every third block.
    expect(found.length).toBeGreaterThan(10)
    expect(Math.max(...found)).toBe(1)
  })

  it('is in the next block beside ten thousand fresh keys', () => {
    const found = waits(new Chain(nonces(0, 0), 0n), SYBILS, 24)
    expect(Math.max(...found)).toBe(1)
  })

  it.each([
    ['that were funded', 0, 1n],
    ['that have sent more than it has', 1_000, 0n],
  ])('waits for each once at the most beside ten thousand keys %s', (_, past, balance) => {
    const found = waits(new Chain(nonces(0, past), balance), SYBILS, 24)
    // An eighth of a block may go to the same senders again and again.
    expect(Math.max(...found)).toBeLessThanOrEqual(1 + Math.ceil(SYBILS / ((7 / 8) * PER_BLOCK)))
  })
})
