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
import type { Head } from './chain/types.ts'
import type { PoolState } from './mempool/pool.ts'

/** What the pool asks of the head's state, answered by execution's own rules over the database. One object a head. */
export function poolStateOf(kv: KvReader, head: () => Head): () => PoolState {
  let of: Head | undefined
  let state: PoolState | undefined
  return () => {
    const current = head()
    if (state === undefined || of !== current) {
      of = current
      state = createPoolState(kv, current)
    }
    return state
  }
}

function createPoolState(kv: KvReader, { header, parameters }: Head): PoolState {
  const { feePolicy, transactionGasMax } = parameters
  const baseFee = nextBaseFee(header, parameters)
  const rules: TransactionRules = { feePolicy, transactionGasMax, baseFee, sendPolicy: readSendPolicy(kv).value }
  return {
    account: (address) => accountFromValue(kv.get(flatKeyOf(accountKey(address)))),
    baseFee,
    check: (transaction) => checkRules(transaction, transaction.sender, rules),
    cost: (transaction) => maximumCost(feePolicy, transaction),
  }
}
