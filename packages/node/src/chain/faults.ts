import { type BlockTemplate, type BuiltBlock, type Executor, type FillLimits, InterpreterFault } from '@quoin/execution'
import { Height, nextHeight, type SignedTransaction } from '@quoin/protocol'
import type { Logger } from '../logger.ts'
import type { Mempool } from '../mempool/types.ts'

/**
 * No transaction can stop a validator: one on which the contract interpreter fails (`InterpreterFault`, when the executor can do no more about it)
 * is kept out of this node's blocks, and a block that holds it gets no vote of this node. Only where such a block is decided all the same
 * can the node not follow.
 */

/** Transactions of a proposal that did not execute here as its proposer said stay out of our blocks for so many heights. */
export const suspensionHeights = 2
/** Transactions that one build may lose to interpreter faults. Then the block is empty, for rounds are short. */
export const buildFaultsMax = 8

export interface FaultPowers {
  readonly executor: Pick<Executor, 'build'>
  readonly mempool: Pick<Mempool, 'candidates' | 'suspend' | 'quarantine'>
  readonly logger: Logger
}

export interface Filled {
  readonly built: BuiltBlock
  /** What `built` speaks of. */
  readonly candidates: readonly SignedTransaction[]
}

/** Runs the pool's candidates, anew without each on which the interpreter fails. */
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

/** Keeps what the interpreter failed on out of our blocks: for good, or, where that is any of several transactions, all of them for a while. */
export async function isolate(
  { mempool, logger }: Pick<FaultPowers, 'mempool' | 'logger'>,
  fault: InterpreterFault,
  transactions: readonly SignedTransaction[],
  height: Height,
): Promise<void> {
  const { transaction } = fault
  logger.error({ height, transaction, error: fault.stack }, 'the contract interpreter failed, which is no result of a contract')
  if (transaction === undefined) suspend(mempool, transactions, height)
  else await mempool.quarantine([transaction], height)
}

export function suspend(
  mempool: Pick<Mempool, 'suspend'>,
  transactions: readonly SignedTransaction[],
  /** The first one without them. */
  height: Height,
): void {
  mempool.suspend(
    transactions.map(({ hash }) => hash),
    Height(height + suspensionHeights - 1),
  )
}
