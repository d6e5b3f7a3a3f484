import { askedGas, type CandidateQueue, Turns } from '@quoin/execution'
import { type Address, DEFAULT_PARAMETERS, LIMITS, type SignedTransaction } from '@quoin/protocol'
import { expect } from 'vitest'
import { offerInTurns } from '../src/mempool/ordering.ts'
import { RecentUse } from '../src/mempool/recent-use.ts'
import { Waiting } from '../src/mempool/waiting.ts'
import { senderOf, waitingEntry, waitingTransaction } from './waiting.ts'

export const BLOCK_GAS = DEFAULT_PARAMETERS.blockGasMax
export const FILL = { gasMax: BLOCK_GAS as number, bytesMax: LIMITS.blockBytesMax as number, part: 1 }
/** Gas of a transfer. */
export const LEAST = 21_000
/** Largest gas limit of a transaction. */
export const MOST = DEFAULT_PARAMETERS.transactionGasMax

export interface Sender {
  /** Undefined for a sender that the state does not know. */
  readonly use: number | undefined
  /** Number of transactions that it sent before. */
  readonly past?: number
  /** Gas limit of each transaction, and the part of it above the minimum that is used. */
  readonly transactions: readonly { readonly gasLimit: number; readonly part: number; readonly bytes?: number }[]
}

type Spec = Sender['transactions'][number]

/** A pool, and a chain that makes blocks of it. */
export class World {
  readonly use = new RecentUse()
  readonly waiting = new Waiting((sender) => this.use.of(sender))
  readonly gasOf = new Map<SignedTransaction, number>()
  /** Senders that the state knows. */
  readonly #known = new Set<Address>()
  #sequence = 0

  /** The senders' transactions arrive in rotation, starting with the first sender. */
  constructor(senders: readonly Sender[]) {
    const past = new Map(senders.flatMap(({ use }, i) => (use === undefined ? [] : [[senderOf(i), use] as const])))
    this.use.add({ bySender: past, began: new Set() })
    for (const sender of past.keys()) this.#known.add(sender)
    const longest = Math.max(0, ...senders.map(({ transactions }) => transactions.length))
    for (let nonce = 0; nonce < longest; nonce++) {
      for (const [sender, { past: before = 0, transactions }] of senders.entries()) {
        const spec = transactions[nonce]
        if (spec !== undefined) this.send(sender, before + nonce, spec, before)
      }
    }
  }

  send(sender: number, nonce: number, spec: Spec, accountNonce = nonce): void {
    const transaction = waitingTransaction({ sender, nonce, ...spec })
    this.gasOf.set(transaction, LEAST + Math.floor(spec.part * (spec.gasLimit - LEAST)))
    const account = { nonce: accountNonce, balance: this.#known.has(senderOf(sender)) ? 1n : 0n }
    this.waiting.insert(waitingEntry(transaction, this.#sequence++), account, 0n)
  }

  offer(fill = FILL): readonly CandidateQueue<SignedTransaction>[] {
    return offerInTurns(this.waiting.queues(), this.waiting.newcomers, {
      ...{ fill, isSuspended: () => false, isOffered: () => false, dropped: this.use.dropped },
    })
  }

  /** Builds a block from the offer, as the executor does. */
  build(fill = FILL): readonly SignedTransaction[] {
    const queues = this.offer(fill)
    const turns = new Turns(queues.length)
    const asked = (next: SignedTransaction | undefined) => next && askedGas(next.gasLimit, next.raw.length, fill)
    for (const [i, { use, candidates }] of queues.entries()) turns.add(use, asked(candidates[0])!, i)
    const taken = queues.map(() => 0)
    const held = new Set<Address>()
    const block: SignedTransaction[] = []
    const used = { gas: 0, bytes: 0 }
    const filled = () => Math.max(used.gas / fill.gasMax, used.bytes / fill.bytesMax) / fill.part
    let room = { gas: fill.gasMax, bytes: fill.bytesMax }
    /** Whether only the part for those that ask for little is left. */
    let isLast = false
    for (let at = turns.next; at !== undefined && room.gas - used.gas >= LEAST; at = turns.next) {
      if (!isLast && filled() >= 1) {
        if (filled() - turns.filledByUse >= 1 / 4) break
        isLast = true
        const more = fill.part / 4
        room = {
          gas: Math.min(room.gas, used.gas + more * fill.gasMax),
          bytes: Math.min(room.bytes, used.bytes + more * fill.bytesMax),
        }
      }
      const { candidates } = queues[at]!
      const transaction = candidates[taken[at]!++]!
      const [gasEnd, bytesEnd] = [used.gas + transaction.gasLimit, used.bytes + transaction.raw.length]
      if (gasEnd > room.gas || bytesEnd > room.bytes) held.add(transaction.sender)
      const gas = held.has(transaction.sender) ? 0 : this.gasOf.get(transaction)!
      if (gas > 0) used.bytes += transaction.raw.length
      if (gas > 0) block.push(transaction)
      used.gas += gas
      turns.took(gas, filled(), asked(candidates[taken[at]!]))
    }
    return block
  }

  /** Makes a block final. */
  commit(block: readonly SignedTransaction[]): void {
    const bySender = new Map<Address, number>()
    const next = new Map<Address, number>()
    const began = new Set<Address>()
    for (const transaction of block) {
      const { sender, nonce } = transaction
      bySender.set(sender, (bySender.get(sender) ?? 0) + this.gasOf.get(transaction)!)
      expect(next.get(sender) ?? nonce).toBe(nonce)
      next.set(sender, nonce + 1)
      if (!this.#known.has(sender)) began.add(sender)
      this.#known.add(sender)
      this.gasOf.delete(transaction)
    }
    for (const [sender, nonce] of next) this.waiting.advance(this.waiting.queue(sender)!, nonce)
    const { changed, settled } = this.use.add({ bySender, began })
    this.waiting.know(settled)
    this.waiting.useChanged(changed, this.use.newcomers)
  }
}
