import { blockMembers, finalTransaction, logMembers, receiptMembers, receiptOptions } from './chain.ts'
import { closed, component, flag, list, nothing, open } from './json-schema.ts'
import { address, bytes, hash, quantity, whole } from './values.ts'

/** The forms of Otterscan's methods, after its documentation (docs/custom-jsonrpc.md of otterscan/otterscan). */

const slimBlock = { ...blockMembers, logsBloom: nothing, transactionCount: whole }

export const blockDetails = component(
  'BlockDetails',
  closed({
    block: open(slimBlock),
    issuance: closed({ blockReward: quantity, uncleReward: quantity, issuance: quantity }),
    totalFees: quantity,
  }),
)

export const blockTransactions = component(
  'BlockTransactions',
  closed({
    fullblock: open({ ...slimBlock, transactions: list(finalTransaction) }),
    receipts: list(closed({ ...receiptMembers, logs: nothing, logsBloom: nothing }, { ...receiptOptions, revertReason: bytes })),
  }),
)

export const accountPage = component(
  'AccountPage',
  closed({
    txs: list(finalTransaction),
    // With the time of their block, in seconds.
    receipts: list(closed({ ...receiptMembers, ...logMembers, timestamp: whole }, { ...receiptOptions, revertReason: bytes })),
    ...{ firstPage: flag, lastPage: flag },
  }),
)

export const contractCreator = component('ContractCreator', closed({ hash, creator: address }))
