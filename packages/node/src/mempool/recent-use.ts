import type { Address } from '@quoin/protocol'
import { POOL_LIMITS } from './limits.ts'

/** Gas that one final block used. */
export interface BlockUse {
  readonly bySender: ReadonlyMap<Address, number>
  /** Of it, by senders that the state before the block did not know. */
  readonly newcomers: number
}

/**
 * Gas that each sender used in the last `useHeights` final blocks. It follows from those blocks alone, so that all nodes have the same figures: where they
 * have more senders than `useEntriesMax` together, the oldest blocks count no more.
 */
export class RecentUse {
  /** Oldest first. */
  readonly #blocks: BlockUse[] = []
  readonly #totals = new Map<Address, number>()
  #entries = 0
  #newcomers = 0

  of(sender: Address): number {
    return this.#totals.get(sender) ?? 0
  }

  /** Of newcomers together. */
  get newcomers(): number {
    return this.#newcomers
  }

  /** The next final block. Returns whose use changed by it. */
  add(block: BlockUse): readonly Address[] {
    const changed: Address[] = []
    this.#blocks.push(block)
    this.#count(block, 1, changed)
    const { useHeights, useEntriesMax } = POOL_LIMITS
    while (this.#blocks.length > useHeights || this.#entries > useEntriesMax) this.#count(this.#blocks.shift()!, -1, changed)
    return changed
  }

  #count({ bySender, newcomers }: BlockUse, sign: 1 | -1, changed: Address[]): void {
    for (const [sender, gas] of bySender) {
      const total = this.of(sender) + sign * gas
      if (total === 0) this.#totals.delete(sender)
      else this.#totals.set(sender, total)
      changed.push(sender)
    }
    this.#entries += sign * bySender.size
    this.#newcomers += sign * newcomers
  }
}
