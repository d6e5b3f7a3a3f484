import { Hash } from '@quoin/protocol'
import type { Kv } from '../powers.ts'
import { indexRange } from '../store/schema.ts'
import type { BlockReader } from '../store/types.ts'

/** Entries checked, and the first fault, if any. */
export interface IndexReport {
  readonly entries: number
  readonly finding: string | undefined
}

/** Checks that each index entry points to the block or transaction that it names. `blockFault` checks the opposite direction. */
export async function indexFault(kv: Kv, blocks: BlockReader): Promise<IndexReport> {
  let entries = 0
  const found = (finding: string): IndexReport => ({ entries, finding })
  for await (const [key] of kv.scan(indexRange('heightByHash'))) {
    entries++
    const hash = Hash(key.subarray(1))
    const height = blocks.heightOf(hash)!
    if (blocks.header(height)?.hash !== hash)
      return found(`the index has block ${hash} at height ${height}, which is another one`)
  }
  for await (const [key] of kv.scan(indexRange('location'))) {
    entries++
    const hash = Hash(key.subarray(1))
    const { height, index } = blocks.locate(hash)!
    if (blocks.senders(height)?.[index]?.hash !== hash)
      return found(`the index has transaction ${hash} at block ${height}, position ${index}, which is another one`)
  }
  return { entries, finding: undefined }
}
