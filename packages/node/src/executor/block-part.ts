import { packTransactions, type Replay } from '@quoin/execution'
import type { Height } from '@quoin/protocol'
import { blockContextOf } from '../rpc/block-context.ts'
import type { BlockReader } from '../store/types.ts'

/** The first transactions of a final block. A request names them, and the thread that runs them again reads them from its database. */
export interface BlockPart {
  readonly height: Height
  /** The block may have fewer. */
  readonly count: number
}

export type PartReader = Pick<BlockReader, 'header' | 'body' | 'senders' | 'receipts'>

/**
 * Reads transactions, with what is needed to run them again.
 *
 * @throws Error if the database does not have all of the block
 */
export function readPart(blocks: PartReader, { height, count }: BlockPart): Replay {
  const block = blocks.header(height)
  const [bodies, senders, receipts] = [blocks.body(height), blocks.senders(height), blocks.receipts(height)]
  if (block === undefined || bodies === undefined || senders === undefined || receipts === undefined)
    throw new Error(`the database is damaged: block ${height} is not complete`)
  const transactions = bodies.slice(0, count).map((raw, i) => ({ raw, sender: senders[i]!.sender }))
  return {
    block: blockContextOf(block.header),
    transactions: packTransactions(transactions),
    receipts: transactions.map((_, i) => ({
      status: receipts[i]!.status,
      gasUsed: receipts[i]!.gasUsed,
      payer: receipts[i]!.payer,
    })),
  }
}
