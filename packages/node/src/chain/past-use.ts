import { isCreatedAt, type KvReader } from '@quoin/execution'
import type { Address } from '@quoin/protocol'
import { Height } from '@quoin/protocol'
import { POOL_LIMITS } from '../mempool/limits.ts'
import type { BlockUse } from '../mempool/recent-use.ts'
import { DamagedError } from '../store/damage.ts'
import type { BlockReader } from '../store/types.ts'

/** Gas that each sender of a block used. */
type GasBySender = ReadonlyMap<Address, number>

/**
 * Gas use of the last final blocks, oldest first: what a running pool would have been told. A block with damaged records counts as empty,
 * because the order of transactions is no reason to stop; the next reader reports the damage.
 */
export function* pastUse(blocks: BlockReader, kv: KvReader): Generator<BlockUse> {
  const recent = recentBlocks(blocks)
  const known = new Set<Address>()
  for (const [height, bySender] of recent) {
    const began = new Set<Address>()
    for (const sender of bySender.keys()) {
      // A sender can be new only in its first block.
      if (!known.has(sender) && unlessDamaged(() => isCreatedAt(kv, sender, height)) === true) began.add(sender)
      known.add(sender)
    }
    yield { bySender, began }
  }
}

/** The blocks that count, by height, lowest first. */
function recentBlocks(blocks: BlockReader): readonly (readonly [Height, GasBySender])[] {
  const head = blocks.head.header.number
  const recent: (readonly [Height, GasBySender])[] = []
  let entries = 0
  for (let height = head; height > Math.max(0, head - POOL_LIMITS.useHeights); height = (height - 1) as Height) {
    const bySender = unlessDamaged(() => gasBySender(blocks, height)) ?? new Map()
    entries += bySender.size
    if (entries > POOL_LIMITS.useEntriesMax) break
    recent.push([Height(height), bySender])
  }
  return recent.toReversed()
}

function gasBySender(blocks: BlockReader, height: Height): GasBySender {
  const receipts = blocks.receipts(height)!
  const bySender = new Map<Address, number>()
  for (const [i, { sender }] of blocks.senders(height)!.entries())
    bySender.set(sender, (bySender.get(sender) ?? 0) + (receipts[i]?.gasUsed ?? 0))
  return bySender
}

function unlessDamaged<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof DamagedError) return undefined
    throw error
  }
}
