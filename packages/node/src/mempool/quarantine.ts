import type { Hash } from '@quoin/protocol'
import type { Kv } from '../powers.ts'
import { quarantinedAt, quarantineKey, quarantineRange } from '../store/schema.ts'
import { POOL_LIMITS } from './limits.ts'

/** The height at which each transaction was quarantined. */
type Heights = ReadonlyMap<Hash, number>

/**
 * Transactions on which this node's contract interpreter failed, even with four times the stack. They stay out of its pool and blocks
 * permanently, also after a restart; otherwise each restart would try them again. Blocks of other proposers may contain them. At the limit
 * the oldest are dropped first.
 */
export class Quarantine {
  readonly #kv: Pick<Kv, 'write'>
  /** Oldest first. */
  readonly #heights: Map<Hash, number>

  /** Reads the entries stored by earlier processes. */
  static async open(kv: Pick<Kv, 'scan' | 'write'>): Promise<Quarantine> {
    const heights = new Map<Hash, number>()
    for await (const [key] of kv.scan(quarantineRange)) {
      const { height, transaction } = quarantinedAt(key)
      heights.set(transaction, height)
    }
    return new Quarantine(kv, heights)
  }

  constructor(kv: Pick<Kv, 'write'>, heights: Heights = new Map()) {
    this.#kv = kv
    this.#heights = new Map(heights)
  }

  get size(): number {
    return this.#heights.size
  }

  has(transaction: Hash): boolean {
    return this.#heights.has(transaction)
  }

  /** Takes effect at once; resolves when it is on disk. */
  async add(transactions: readonly Hash[], height: number): Promise<void> {
    const added = transactions.filter((transaction) => !this.#heights.has(transaction))
    for (const transaction of added) this.#heights.set(transaction, height)
    const forgotten = [...this.#heights].slice(0, Math.max(0, this.#heights.size - POOL_LIMITS.quarantinedMax))
    for (const [transaction] of forgotten) this.#heights.delete(transaction)
    if (added.length === 0) return
    await this.#kv.write([
      ...added.map((transaction) => ({ key: quarantineKey(height, transaction), value: NOTHING })),
      ...forgotten.map(([transaction, at]) => ({ key: quarantineKey(at, transaction), value: undefined })),
    ])
  }
}

const NOTHING = new Uint8Array(0)
