import type { Crypto, Height } from '@quoin/protocol'
import type { Kv } from '../powers.ts'
import type { OnDamage } from './damage.ts'
import { StoredBlocks } from './stored-blocks.ts'

/** The blocks that another thread writes, up to the head of which that thread told. */
export class BlockReplica extends StoredBlocks {
  /** Reads the block of a height, which is on disk, as its head. Throws DamagedError when it is not there. */
  constructor(kv: Pick<Kv, 'get'>, crypto: Crypto, onDamage: OnDamage, height: Height) {
    super(kv, crypto, onDamage)
    this.#enter(height)
  }

  /** Goes on to a later head. False where it is there already. */
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
