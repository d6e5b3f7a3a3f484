'use client'

import { type QueryClient, type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import type { Abi, BaseError, Client, ContractFunctionArgs, ContractFunctionName, ReadContractReturnType } from 'viem'
import { useChainId, useClient } from 'wagmi'
import type { ReadAt } from '../state/watch-read-contract.ts'
import type { View } from '../state/watched-reads.ts'
import type { ChainId } from './chain.ts'
import {
  type ContractStateOptions,
  type ContractStateParameters,
  readOptions,
  type UntypedRead,
  watchRead,
} from './contract-state.ts'

/** Parameters of `useContractState`. */
export type UseContractStateParameters<
  abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi, View>,
  args extends ContractFunctionArgs<abi, View, functionName>,
> = ContractStateParameters<abi, functionName, args> & {
  /** Default: wagmi's current chain. */
  readonly chainId?: ChainId | undefined
  /** `false`: nothing is read or watched. What the cache has is shown. Default: true. */
  readonly enabled?: boolean | undefined
}

/** A query's result of TanStack, and the block after which the contract returned `data`. `error` is viem's, or a QuoinError. */
export type UseContractStateResult<value> = UseQueryResult<value, BaseError> & { readonly blockNumber: bigint | undefined }

/**
 * The live value of a view function: after the newest block, and again after each block in which it changed. `status` is `pending` until the first value is there. When the contract refuses, `status` is `error` and
 * `data` keeps the last value; it becomes `success` with the next value. If no node answers for 10 s, that is an error too until one does.
 *
 * All hooks of a client share one call for each block. Components that show the same value share it through the cache of TanStack Query. A server renders `pending`, or what was prefetched with
 * `contractStateOptions`, and never subscribes.
 *
 * @example
 * const { data: open, blockNumber } = useContractState({ ...ledger, functionName: 'openOf', args: [7n] })
 */
export function useContractState<
  const abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi, View>,
  const args extends ContractFunctionArgs<abi, View, functionName>,
>(
  parameters: UseContractStateParameters<abi, functionName, args>,
): UseContractStateResult<ReadContractReturnType<abi, functionName, args>> {
  const currentChainId = useChainId()
  const queryClient = useQueryClient()
  const { chainId = currentChainId, enabled = true, address } = parameters
  const client = useClient({ chainId })
  const options = readOptions(client, chainId, parameters)
  const isWatching = enabled && address !== undefined
  // `all`: the block of a value can change without the value. And a proxy that tracks what is read cannot be copied.
  const result = useQuery({ ...options, enabled: isWatching, select: valueOf, notifyOnChangeProps: 'all' })
  const identity = JSON.stringify(options.queryKey)

  // The key names all that the watch depends on, so that arrays and ABIs may be made anew with each rendering.
  useEffect(
    () => (isWatching ? feed({ queryClient, client, chainId, read: parameters, options }) : undefined),
    [queryClient, client, identity, isWatching],
  )

  const blockNumber = queryClient.getQueryData<ReadAt<unknown>>(options.queryKey)?.blockNumber
  return { ...result, blockNumber } as UseContractStateResult<ReadContractReturnType<abi, functionName, args>>
}

const valueOf = ({ value }: ReadAt<unknown>): unknown => value

interface Feed {
  readonly queryClient: QueryClient
  readonly client: Client | undefined
  readonly chainId: number
  readonly read: UntypedRead
  readonly options: ContractStateOptions<unknown>
}

/** Writes into the cache what a watch tells, until the returned function is called. */
function feed({ queryClient, client, chainId, read, options }: Feed): (() => void) | undefined {
  const { queryKey } = options
  const cache = queryClient.getQueryCache()
  let told: bigint | undefined

  const onData = (value: unknown, { blockNumber }: { readonly blockNumber: bigint }): void => {
    const known = queryClient.getQueryData<ReadAt<unknown>>(queryKey)
    // A prefetched value may come from a node that was ahead. But a watch goes back only when a development chain was reset.
    const isReset = told !== undefined && blockNumber < told
    told = blockNumber
    if (known === undefined || blockNumber >= known.blockNumber || isReset)
      queryClient.setQueryData<ReadAt<unknown>>(queryKey, { value, blockNumber })
  }
  const onError = (error: BaseError): void => {
    const query = cache.build(queryClient, queryClient.defaultQueryOptions<unknown, BaseError>(options))
    const errorUpdateCount = query.state.errorUpdateCount + 1
    query.setState({ status: 'error', error, errorUpdateCount, errorUpdatedAt: Date.now() })
  }
  try {
    return watchRead(client, chainId, read, { onData, onError })
  } catch (error) {
    onError(error as BaseError)
    return undefined
  }
}
