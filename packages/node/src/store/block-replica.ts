import type { Crypto, Height } from '@quoin/protocol'
import type { Kv } from '../powers.ts'
import type { OnDamage } from './damage.ts'
import { StoredBlocks } from './stored-blocks.ts'

/** Blocks that another thread writes, up to the head that this thread was told of. */
export class BlockReplica extends StoredBlocks {
  /**
   * Reads the block of a height, which must be on disk, as the head.
   * @throws DamagedError if it is missing
   */
  constructor(kv: Pick<Kv, 'get'>, crypto: Crypto, onDamage: OnDamage, height: Height) {
    super(kv, crypto, onDamage)
    this.#enter(height)
  }

  /** Moves to a later head. Returns false if the head is already there. */
  moveTo(height: Height): boolean {
    if (height <= this.head.header.number) return false
    this.#enter(height)
    return true
  }

  #enter(height: Height): void {
    const stored = this.headerOnDisk(height)
    if (stored === undefined) throw this.damage(`the header of block ${height}, which another thread wrote, is missing`)
    this.enter(stored)
  }
}
