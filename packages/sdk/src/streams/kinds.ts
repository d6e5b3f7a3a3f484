import {
  type Abi,
  type Address,
  type Block,
  type ContractEventArgs,
  type ContractEventName,
  encodeEventTopics,
  formatBlock,
  formatLog,
  formatTransaction,
  formatTransactionReceipt,
  type GetContractEventsReturnType,
  type Hash,
  type Log,
  type LogTopic,
  type RpcBlock,
  type RpcLog,
  type RpcTransaction,
  type RpcTransactionReceipt,
  type Transaction,
  type TransactionReceipt,
} from 'viem'
import { eventDecoder } from './event-decoder.ts'
import { BEFORE, BEHIND } from './place.ts'
import type { Entry } from './segment.ts'

/** What a stream consists of: how a node is asked for it, and how an item is read. */
export interface StreamKind<T> {
  readonly stream: 'blocks' | 'logs' | 'transactions' | 'receipts'
  readonly filter: object | undefined
  /** Reads an item; undefined leaves it out. */
  read(item: unknown): Entry<T> | undefined
}

/** An event of a contract in a final block. */
export type StreamedEvent<
  abi extends Abi | readonly unknown[],
  eventName extends ContractEventName<abi> | undefined = undefined,
> = GetContractEventsReturnType<abi, eventName, true, bigint, bigint>[number]

/** A log of a final block. */
export type StreamedLog = Log<bigint, number, false>
/** A block, with the hashes of its transactions. */
export type StreamedBlock = Block<bigint, false, 'latest'>
/** A transaction of a final block. */
export type StreamedTransaction = Transaction<bigint, number, false>

export interface LogFilter {
  readonly address?: Address | readonly Address[] | undefined
  readonly topics?: readonly LogTopic[] | undefined
}

const placeOfLog = ({ blockNumber, transactionIndex, logIndex }: StreamedLog) => ({
  height: Number(blockNumber),
  transactionIndex,
  logIndex,
  source: 0,
})

const readLog = (item: unknown): StreamedLog => formatLog(item as RpcLog) as StreamedLog

export const logKind = ({ address, topics }: LogFilter): StreamKind<StreamedLog> => ({
  stream: 'logs',
  filter: { address, topics },
  read(item) {
    const value = readLog(item)
    return { value, place: placeOfLog(value) }
  },
})

export interface EventFilter<
  abi extends Abi | readonly unknown[],
  eventName extends ContractEventName<abi> | undefined = undefined,
> {
  readonly abi: abi
  readonly address?: Address | readonly Address[] | undefined
  /** All events of the ABI if it is absent. */
  readonly eventName?: eventName | ContractEventName<abi> | undefined
  /** Values of indexed arguments. */
  readonly args?:
    | ContractEventArgs<abi, eventName extends ContractEventName<abi> ? eventName : ContractEventName<abi>>
    | undefined
}

/** Events by an ABI. Logs that do not fit it are left out, as in viem's strict mode. */
export function eventKind<
  const abi extends Abi | readonly unknown[],
  eventName extends ContractEventName<abi> | undefined = undefined,
>({ abi, address, eventName, args }: EventFilter<abi, eventName>): StreamKind<StreamedEvent<abi, eventName>> {
  const topics =
    eventName === undefined ? undefined : (encodeEventTopics({ abi, eventName, args } as never) as readonly LogTopic[])
  const decode = eventDecoder(abi)
  return {
    stream: 'logs',
    filter: { address, topics },
    read(item) {
      const log = readLog(item)
      const decoded = decode(log)
      if (decoded === undefined) return undefined
      return { value: { ...log, ...decoded } as unknown as StreamedEvent<abi, eventName>, place: placeOfLog(log) }
    },
  }
}

export const blockKind = (): StreamKind<StreamedBlock> => ({
  stream: 'blocks',
  filter: undefined,
  read(item) {
    const value = formatBlock(item as RpcBlock<'latest', false>) as StreamedBlock
    return { value, place: { height: Number(value.number), transactionIndex: BEFORE, logIndex: BEFORE, source: 0 } }
  },
})

export const transactionKind = (accounts: readonly Address[]): StreamKind<StreamedTransaction> => ({
  stream: 'transactions',
  filter: { accounts },
  read(item) {
    const value = formatTransaction(item as RpcTransaction<false>) as StreamedTransaction
    return {
      value,
      place: { height: Number(value.blockNumber), transactionIndex: value.transactionIndex, logIndex: BEFORE, source: 0 },
    }
  },
})

export const receiptKind = (hashes: readonly Hash[]): StreamKind<TransactionReceipt> => ({
  stream: 'receipts',
  filter: { hashes },
  read(item) {
    const value = formatTransactionReceipt(item as RpcTransactionReceipt) as TransactionReceipt
    return {
      value,
      place: { height: Number(value.blockNumber), transactionIndex: value.transactionIndex, logIndex: BEHIND, source: 0 },
    }
  },
})
