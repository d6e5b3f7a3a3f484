import type { Address } from '@quoin/protocol'
import { POOL_LIMITS } from './limits.ts'

/** Gas used in one final block. */
export interface BlockUse {
  readonly bySender: ReadonlyMap<Address, number>
  /** Senders that the state before the block did not know: they entered it by sending. */
  readonly began: ReadonlySet<Address>
}

/** Recent use of one sender. */
export interface SenderUse {
  readonly gas: number
  /** Number of its last block, counted from the first block added; 0 if none of the counted blocks has one. */
  readonly served: number
  /** The sender entered the state by sending, within the counted blocks: it is still a newcomer. */
  readonly isYoung: boolean
}

interface Total {
  gas: number
  served: number
  isYoung: boolean
}

const NONE: SenderUse = { gas: 0, served: 0, isYoung: false }

/**
 * Gas that each sender used in the last `useHeights` final blocks. It depends on those blocks alone, so all nodes have the same numbers. If
 * these blocks have more than `useEntriesMax` senders in total, the oldest blocks stop counting.
 */
export class RecentUse {
  /** Oldest first. */
  readonly #blocks: BlockUse[] = []
  readonly #totals = new Map<Address, Total>()
  #entries = 0
  #newcomersGas = 0
  #newcomersServed = 0
  #dropped = 0

  of(sender: Address): SenderUse {
    return this.#totals.get(sender) ?? NONE
  }

  /** Use of all newcomers together. */
  get newcomers(): Omit<SenderUse, 'isYoung'> {
    return { gas: this.#newcomersGas, served: this.#newcomersServed }
  }

  /** Number of blocks that no longer count. */
  get dropped(): number {
    return this.#dropped
  }

  /** Adds the next final block. Returns the senders whose use changed, and those that are no longer newcomers. */
  add(block: BlockUse): { readonly changed: readonly Address[]; readonly settled: readonly Address[] } {
    const changed: Address[] = []
    const settled: Address[] = []
    this.#blocks.push(block)
    this.#entries += block.bySender.size
    const number = this.#dropped + this.#blocks.length
    for (const [sender, gas] of block.bySender) this.#use(sender, gas, number, block.began.has(sender))
    changed.push(...block.bySender.keys())
    const { useHeights, useEntriesMax } = POOL_LIMITS
    while (this.#blocks.length > useHeights || this.#entries > useEntriesMax) {
      const { bySender, began } = this.#blocks.shift()!
      this.#dropped++
      this.#entries -= bySender.size
      for (const [sender, gas] of bySender) this.#forget(sender, gas)
      for (const sender of began) this.#settle(sender)
      for (const sender of bySender.keys()) changed.push(sender)
      settled.push(...began)
    }
    return { changed, settled }
  }

  #use(sender: Address, gas: number, number: number, begins: boolean): void {
    const known = this.#totals.get(sender)
    const total = known ?? { gas: 0, served: 0, isYoung: begins }
    if (known === undefined) this.#totals.set(sender, total)
    total.gas += gas
    total.served = number
    if (!total.isYoung) return
    this.#newcomersGas += gas
    this.#newcomersServed = number
  }

  #forget(sender: Address, gas: number): void {
    const total = this.#totals.get(sender)!
    total.gas -= gas
    if (total.isYoung) this.#newcomersGas -= gas
    if (total.served <= this.#dropped) this.#totals.delete(sender)
  }

  #settle(sender: Address): void {
    const total = this.#totals.get(sender)
    if (total === undefined) return
    total.isYoung = false
    this.#newcomersGas -= total.gas
  }
}
