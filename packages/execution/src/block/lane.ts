import { ROLES } from '@quoin/protocol'

/**
 * The lane, by which those who govern always get through: transactions without value to the governor or the chain contract, from voters, from
 * participants, from the governor, and from the one to whom governance is offered. They need no permission to send and pay nothing
 * under any fee policy, so no policy, parameter, price or flood can keep a consortium from governing.
 *
 * Part of a block's validity. The limits are constants and not parameters, because a parameter could be set so that nobody could set it back.
 */
export const LANE = {
  role: ROLES.voter,
  /** Gas limit of a transaction. Enough to change the largest records. */
  transactionGasMax: 4_000_000,
  /** Transactions in one block. */
  transactionsMax: 64,
  /** Part of the block's gas that they may take, but always enough for one. */
  gasPart: 1 / 8,
} as const

/** Gas that the lane's transactions of a block may take together. */
export const laneGasMax = (blockGasMax: number): number =>
  Math.max(LANE.transactionGasMax, Math.floor(blockGasMax * LANE.gasPart))
