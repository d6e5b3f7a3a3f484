import {
  chargedPolicy,
  checkRules,
  flatKeyOf,
  type KvReader,
  maximumCost,
  nextBaseFee,
  sendingRules,
  type TransactionRules,
} from '@quoin/execution'
import type { Address } from '@quoin/protocol'
import { type Account, accountFromValue, accountKey } from '@quoin/protocol'
import type { PoolState } from '../mempool/pool.ts'
import type { Head } from './types.ts'

/** Decoded accounts of one head that are kept: admission reads its sender several times, and a client sends many transactions. */
const accountsKeptMax = 65_536

/** The state of a head as needed for admission to the pool. Valid until the next block is committed. */
export function poolStateOf(reader: KvReader, { header, parameters }: Pick<Head, 'header' | 'parameters'>): PoolState {
  const { feePolicy, transactionGasMax } = parameters
  const baseFee = nextBaseFee(header, parameters)
  // The next block has a later time; an entry that expires until then is dropped when a block is built.
  const sending = sendingRules(reader, header.timeMs)
  const rules: TransactionRules = { feePolicy, transactionGasMax, baseFee, sending }
  const kept = new Map<Address, Account>()
  const account = (address: Address): Account => {
    const known = kept.get(address)
    if (known !== undefined) return known
    const read = accountFromValue(reader.get(flatKeyOf(accountKey(address))))
    if (kept.size >= accountsKeptMax) kept.clear()
    kept.set(address, read)
    return read
  }
  return {
    account,
    chargesFees: feePolicy !== 'free',
    baseFee,
    height: header.number,
    lane: {
      usesLane: (transaction) => sending.usesLane(transaction, transaction.sender),
      turn: (sender) => sending.laneTurn(sender),
    },
    check: (transaction) => checkRules(transaction, transaction.sender, rules),
    cost: (transaction) => maximumCost(chargedPolicy(feePolicy, sending.usesLane(transaction, transaction.sender)), transaction),
  }
}
