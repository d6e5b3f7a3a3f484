import type { Address } from '@quoin/protocol'
import { POOL_LIMITS } from './limits.ts'

/** Gas that one final block used. */
export interface BlockUse {
  readonly bySender: ReadonlyMap<Address, number>
  /** Senders that the state before the block did not know: they came into it by sending. */
  readonly began: ReadonlySet<Address>
}

/** What a sender used lately. */
export interface SenderUse {
  readonly gas: number
  /** Its last block, counted from the first one that was told; 0 for none that counts. */
  readonly served: number
  /** It came into the state by sending, within the blocks that count: it is a newcomer still. */
  readonly isYoung: boolean
}

interface Total {
  gas: number
  served: number
  isYoung: boolean
}

const NONE: SenderUse = { gas: 0, served: 0, isYoung: false }

/**
 * Gas that each sender used in the last `useHeights` final blocks. It follows from those blocks alone, so that all nodes have the same figures: where they
 * have more senders than `useEntriesMax` together, the oldest blocks count no more.
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

  /** Of newcomers together. */
  get newcomers(): Omit<SenderUse, 'isYoung'> {
    return { gas: this.#newcomersGas, served: this.#newcomersServed }
  }

  /** Blocks that count no more. */
  get dropped(): number {
    return this.#dropped
  }

  /** The next final block. Returns whose use changed by it, and who is no newcomer any more. */
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
