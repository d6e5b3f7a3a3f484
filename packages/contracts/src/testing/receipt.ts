import { bytesToHex, type Hex, type Log as ProtocolLog } from '@quoin/protocol'
import type { Abi } from 'abitype'

import { getAddress, parseEventLogs } from '#viem/utils'
import type { MinedBlock, MinedTransaction } from './ledger.ts'
import type { EventArguments, EventName, Log } from './log.ts'

/** A log, decoded with its contract's ABI. */
export type ContractEvent<abi extends Abi = Abi, name extends EventName<abi> = EventName<abi>> =
  name extends EventName<abi>
    ? Log & {
        readonly eventName: name
        readonly args: EventArguments<abi, name>
      }
    : never

/** Result of a transaction. */
export interface Receipt<abi extends Abi = Abi> {
  readonly status: 'success' | 'reverted'
  readonly transactionHash: Hex
  readonly transactionIndex: number
  readonly blockHash: Hex
  readonly blockNumber: bigint
  readonly from: Hex
  /** Undefined for a creation. */
  readonly to: Hex | undefined
  /** Address of the created contract. */
  readonly contractAddress: Hex | undefined
  readonly gasUsed: bigint
  /** All logs, in order. */
  readonly logs: readonly Log[]
  /** Events of the contract that was called or created, decoded. */
  readonly events: readonly ContractEvent<abi>[]
}

/** The receipt of a block's transaction, with the events of one contract. */
export function receiptOf(block: MinedBlock, transaction: MinedTransaction, abi: Abi | undefined): Receipt {
  const transactionIndex = block.transactions.indexOf(transaction)
  const { message, receipt } = transaction
  const logs = logsOf(block, transactionIndex)
  const address = receipt.contractAddress ?? message.to
  return {
    status: receipt.status === 1 ? 'success' : 'reverted',
    transactionHash: transaction.hash,
    transactionIndex,
    blockHash: block.hash,
    blockNumber: BigInt(block.header.number),
    from: getAddress(message.from),
    to: message.to === undefined ? undefined : getAddress(message.to),
    contractAddress: receipt.contractAddress === undefined ? undefined : getAddress(receipt.contractAddress),
    gasUsed: BigInt(receipt.gasUsed),
    logs,
    events: abi === undefined || address === undefined ? [] : eventsOf(abi, getAddress(address), logs),
  }
}

/** Decodes logs of one contract. Leaves out logs that its ABI does not contain. */
export const eventsOf = (abi: Abi, address: Hex, logs: readonly Log[]): readonly ContractEvent[] =>
  parseEventLogs({ abi, logs: logs.filter((log) => log.address === address) }) as readonly ContractEvent[]

/** Logs of a transaction, with the log indexes that a node gives them. */
export function logsOf(block: MinedBlock, transactionIndex: number): readonly Log[] {
  const { hash: transactionHash, receipt } = block.transactions[transactionIndex]!
  const first = block.transactions.slice(0, transactionIndex).reduce((sum, { receipt: { logs } }) => sum + logs.length, 0)
  return receipt.logs.map(({ address, topics, data }: ProtocolLog, i) => ({
    address: getAddress(address),
    topics: [...topics] as Log['topics'],
    data: bytesToHex(data),
    blockHash: block.hash,
    blockNumber: BigInt(block.header.number),
    transactionHash,
    transactionIndex,
    logIndex: first + i,
    removed: false,
  }))
}
