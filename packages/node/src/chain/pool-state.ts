import {
  accountFromValue,
  accountKey,
  checkRules,
  flatKeyOf,
  type KvReader,
  maximumCost,
  nextBaseFee,
  readSendPolicy,
  type TransactionRules,
} from '@quoin/execution'
import type { PoolState } from '../mempool/pool.ts'
import type { Head } from './types.ts'

/** The state of a head as admission to the pool sees it. Valid until the next block is committed. */
export function poolStateOf(reader: KvReader, { header, parameters }: Pick<Head, 'header' | 'parameters'>): PoolState {
  const { feePolicy, transactionGasMax } = parameters
  const baseFee = nextBaseFee(header, parameters)
  const rules: TransactionRules = { feePolicy, transactionGasMax, baseFee, sendPolicy: readSendPolicy(reader).value }
  return {
    account: (address) => accountFromValue(reader.get(flatKeyOf(accountKey(address)))),
    baseFee,
    check: (transaction) => checkRules(transaction, transaction.sender, rules),
    cost: (transaction) => maximumCost(feePolicy, transaction),
  }
}
