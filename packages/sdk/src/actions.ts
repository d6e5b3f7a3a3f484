import type {
  Abi,
  Client,
  ContractEventName,
  ContractFunctionArgs,
  ContractFunctionName,
  ReadContractReturnType,
  TransactionReceipt,
} from 'viem'
import { type StreamContractStateParameters, streamContractState } from './state/stream-contract-state.ts'
import { type ReadAt, type WatchReadContractParameters, watchReadContract } from './state/watch-read-contract.ts'
import type { View } from './state/watched-reads.ts'
import {
  type StreamReceiptsParameters,
  type StreamTransactionsParameters,
  streamBlocks,
  streamContractEvents,
  streamLogs,
  streamReceipts,
  streamTransactions,
} from './streams/actions.ts'
import type { EventFilter, LogFilter, StreamedBlock, StreamedEvent, StreamedLog, StreamedTransaction } from './streams/kinds.ts'
import type { Stream, StreamOptions } from './streams/stream.ts'

/** What `quoinActions` adds to a client. Each is described at the function of the same name. (`extend` of viem takes no interface.) */
export type QuoinActions = {
  streamBlocks(options?: StreamOptions): Stream<StreamedBlock>
  streamLogs(parameters?: LogFilter & StreamOptions): Stream<StreamedLog>
  streamContractEvents<
    const abi extends Abi | readonly unknown[],
    eventName extends ContractEventName<abi> | undefined = undefined,
  >(parameters: EventFilter<abi, eventName> & StreamOptions): Stream<StreamedEvent<abi, eventName>>
  streamTransactions(parameters: StreamTransactionsParameters): Stream<StreamedTransaction>
  streamReceipts(parameters: StreamReceiptsParameters): Stream<TransactionReceipt>
  streamContractState<
    const abi extends Abi | readonly unknown[],
    functionName extends ContractFunctionName<abi, View>,
    const args extends ContractFunctionArgs<abi, View, functionName>,
  >(
    parameters: StreamContractStateParameters<abi, functionName, args>,
  ): Stream<ReadAt<ReadContractReturnType<abi, functionName, args>>>
  watchReadContract<
    const abi extends Abi | readonly unknown[],
    functionName extends ContractFunctionName<abi, View>,
    const args extends ContractFunctionArgs<abi, View, functionName>,
  >(parameters: WatchReadContractParameters<abi, functionName, args>): () => void
}

/**
 * Actions of this library as methods of a viem client.
 *
 * @example
 * const client = createPublicClient({ chain, transport: cluster(urls) }).extend(quoinActions())
 * for await (const { args } of client.streamContractEvents({ abi, address, eventName: 'Paid' })) …
 */
export const quoinActions =
  () =>
  (client: Client): QuoinActions => ({
    streamBlocks: (options) => streamBlocks(client, options),
    streamLogs: (parameters) => streamLogs(client, parameters),
    streamContractEvents: (parameters) => streamContractEvents(client, parameters),
    streamTransactions: (parameters) => streamTransactions(client, parameters),
    streamReceipts: (parameters) => streamReceipts(client, parameters),
    streamContractState: (parameters) => streamContractState(client, parameters),
    watchReadContract: (parameters) => watchReadContract(client, parameters),
  })
