import type {
  Abi,
  BaseError,
  Client,
  ContractFunctionArgs,
  ContractFunctionName,
  ReadContractParameters,
  ReadContractReturnType,
} from 'viem'
import { contractRead, readsOf, type View } from './watched-reads.ts'

/** A value and the block after which a contract returned it. */
export interface ReadAt<T> {
  readonly value: T
  readonly blockNumber: bigint
}

export type WatchReadContractParameters<
  abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi, View>,
  args extends ContractFunctionArgs<abi, View, functionName>,
> = Pick<ReadContractParameters<abi, functionName, args>, 'abi' | 'address' | 'args' | 'functionName'> & {
  /** Hears the value, and again when it changes. */
  onData(value: ReadContractReturnType<abi, functionName, args>, at: { readonly blockNumber: bigint }): void
  /** Hears when the contract refuses. Without it a refusal is left out. */
  onError?(error: BaseError, at: { readonly blockNumber: bigint }): void
}

/**
 * Watches what a view function returns: calls `onData` with the value after the newest block, and whenever it has changed, until the returned function is called. Of many changes in a short time only the newest is
 * told. All watched reads of a client share one call for each new block, at most four a second.
 */
export function watchReadContract<
  const abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi, View>,
  const args extends ContractFunctionArgs<abi, View, functionName>,
>(client: Client, { onData, onError, ...parameters }: WatchReadContractParameters<abi, functionName, args>): () => void {
  return readsOf(client).watch(contractRead(parameters), (outcome) => {
    if (outcome === undefined) return
    const at = { blockNumber: outcome.blockNumber }
    if (outcome.status === 'success') onData(outcome.value as ReadContractReturnType<abi, functionName, args>, at)
    else onError?.(outcome.error, at)
  })
}
