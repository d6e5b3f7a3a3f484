import { type BlockTemplate, type BuiltBlock, type Executor, type FillLimits, InterpreterFault } from '@quoin/execution'
import { Height, nextHeight, type SignedTransaction } from '@quoin/protocol'
import type { Logger } from '../logger.ts'
import type { Mempool } from '../mempool/types.ts'

/**
 * No transaction can stop a validator. A transaction on which the contract interpreter fails (`InterpreterFault`, after the executor has
 * tried everything) is kept out of this node's blocks, and this node does not vote for a block that contains it. Only if such a block is
 * decided anyway can the node not continue.
 */

/**
 * Heights for which the transactions of a proposal stay out of this node's blocks, if this node executed the proposal with another result
 * than its proposer.
 */
export const suspensionHeights = 2
/** Transactions that one build may lose to interpreter faults. After that the block is left empty, because rounds are short. */
export const buildFaultsMax = 8

export interface FaultPowers {
  readonly executor: Pick<Executor, 'build'>
  readonly mempool: Pick<Mempool, 'candidates' | 'suspend' | 'quarantine'>
  readonly logger: Logger
}

/** A built block with the candidates it was built from. */
export interface Filled {
  readonly built: BuiltBlock
  /** The candidates that `built` refers to. */
  readonly candidates: readonly SignedTransaction[]
}

/** Executes the pool's candidates; starts again without each one on which the interpreter fails. */
export async function fillBlock(powers: FaultPowers, template: BlockTemplate, fill: FillLimits): Promise<Filled> {
  const { executor, mempool } = powers
  const height = nextHeight(template.parent.number)
  for (let faults = 0; faults < buildFaultsMax; faults++) {
    const queues = mempool.candidates(fill)
    const candidates = queues.flatMap((queue) => queue.candidates)
    try {
      return { built: await executor.build(template, queues, fill), candidates }
    } catch (error) {
      if (!(error instanceof InterpreterFault) || candidates.length === 0) throw error
      await isolate(powers, error, candidates, height)
    }
  }
  return { built: await executor.build(template, [], fill), candidates: [] }
}

/**
 * Keeps the transaction on which the interpreter failed out of this node's blocks permanently. If it is unknown which of several
 * transactions failed, all of them stay out for a while.
 */
export async function isolate(
  { mempool, logger }: Pick<FaultPowers, 'mempool' | 'logger'>,
  fault: InterpreterFault,
  transactions: readonly SignedTransaction[],
  height: Height,
): Promise<void> {
  const { transaction } = fault
  logger.error(
    { height, transaction, error: fault.stack },
    'the contract interpreter failed: this is a fault of the node, not a result of the contract',
  )
  if (transaction === undefined) suspend(mempool, transactions, height)
  else await mempool.quarantine([transaction], height)
}

/** Keeps transactions out of this node's blocks for `suspensionHeights` heights. They stay in the pool. */
export function suspend(
  mempool: Pick<Mempool, 'suspend'>,
  transactions: readonly SignedTransaction[],
  /** The first height without them. */
  height: Height,
): void {
  mempool.suspend(
    transactions.map(({ hash }) => hash),
    Height(height + suspensionHeights - 1),
  )
}
