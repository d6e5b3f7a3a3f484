import type { Abi, Address, Client, ContractEventName, Hash, TransactionReceipt } from 'viem'
import {
  blockKind,
  type EventFilter,
  eventKind,
  type LogFilter,
  logKind,
  receiptKind,
  type StreamedBlock,
  type StreamedEvent,
  type StreamedLog,
  type StreamedTransaction,
  type StreamKind,
  transactionKind,
} from './kinds.ts'
import { segments } from './source.ts'
import { Stream, type StreamOptions } from './stream.ts'

const streamOf = <T>(client: Client, kind: StreamKind<T>, options: StreamOptions): Stream<T> =>
  new Stream((reading) => segments({ client, kind, ...reading }), options)

/** Every final block, with the hashes of its transactions. */
export const streamBlocks = (client: Client, options: StreamOptions = {}): Stream<StreamedBlock> =>
  streamOf(client, blockKind(), options)

/** The logs that match addresses and topics, as for `eth_getLogs`. */
export const streamLogs = (
  client: Client,
  { address, topics, ...options }: LogFilter & StreamOptions = {},
): Stream<StreamedLog> => streamOf(client, logKind({ address, topics }), options)

/**
 * The events of a contract, or of all contracts, with names and arguments by the ABI.
 *
 * @example
 * for await (const { args } of streamContractEvents(client, { abi, address, eventName: 'Paid', from: { block: 0n } })) …
 */
export function streamContractEvents<
  const abi extends Abi | readonly unknown[],
  eventName extends ContractEventName<abi> | undefined = undefined,
>(
  client: Client,
  { abi, address, eventName, args, ...options }: EventFilter<abi, eventName> & StreamOptions,
): Stream<StreamedEvent<abi, eventName>> {
  return streamOf(client, eventKind<abi, eventName>({ abi, address, eventName, args }), options)
}

export type StreamTransactionsParameters = { readonly accounts: readonly Address[] } & StreamOptions
export type StreamReceiptsParameters = { readonly hashes: readonly Hash[] } & StreamOptions

/** The transactions that the accounts sent or received, or that created them; each once. */
export const streamTransactions = (
  client: Client,
  { accounts, ...options }: StreamTransactionsParameters,
): Stream<StreamedTransaction> => streamOf(client, transactionKind(accounts), options)

/** The receipts of transactions by their hashes, as they become final. */
export const streamReceipts = (client: Client, { hashes, ...options }: StreamReceiptsParameters): Stream<TransactionReceipt> =>
  streamOf(client, receiptKind(hashes), options)
