import type { QueryKey } from '@tanstack/react-query'
import {
  type Abi,
  type Address,
  type BaseError,
  type Client,
  type ContractFunctionArgs,
  type ContractFunctionName,
  encodeFunctionData,
  getAbiItem,
  type ReadContractParameters,
  type ReadContractReturnType,
  stringify,
} from 'viem'
import { follow, pause } from '../aborts.ts'
import { QuoinError } from '../errors.ts'
import { type ReadAt, type WatchReadContractParameters, watchReadContract } from '../state/watch-read-contract.ts'
import type { View } from '../state/watched-reads.ts'
import { configured } from './chain.ts'

/** A view function of a contract, its arguments, and its chain. */
export type ContractStateParameters<
  abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi, View>,
  args extends ContractFunctionArgs<abi, View, functionName>,
> = Pick<ReadContractParameters<abi, functionName, args>, 'abi' | 'args' | 'functionName'> & {
  /** Undefined while it is not known: then nothing is read. */
  readonly address: Address | undefined
}

/** What TanStack Query needs to read a value once, and to find it in its cache. */
export interface ContractStateOptions<value> {
  /** Plain JSON without bigints: chain, address, function, call data and how its result is decoded. */
  readonly queryKey: QueryKey
  readonly queryFn: (context: { readonly signal: AbortSignal }) => Promise<ReadAt<value>>
  /** A node that does not answer is asked again by the read itself, and a contract that refuses would refuse again. */
  readonly retry: false
  /** A live value is never stale. */
  readonly staleTime: number
  /** A node may run on the same machine, which a browser that is offline still reaches. */
  readonly networkMode: 'always'
}

/** For the first value, in milliseconds. */
const FIRST_VALUE_MS_MAX = 10_000

/**
 * The query behind `useContractState`, for a server that reads values before it renders, and for code that reads or changes the cache. It may be called in server components.
 *
 * @example
 * const options = contractStateOptions(config.getClient(), { ...ledger, functionName: 'openOf', args: [7n] })
 * await queryClient.query(options)
 */
export function contractStateOptions<
  const abi extends Abi | readonly unknown[],
  functionName extends ContractFunctionName<abi, View>,
  const args extends ContractFunctionArgs<abi, View, functionName>,
>(
  client: Client,
  parameters: ContractStateParameters<abi, functionName, args>,
): ContractStateOptions<ReadContractReturnType<abi, functionName, args>> {
  return readOptions(client, client.chain?.id, parameters) as ContractStateOptions<
    ReadContractReturnType<abi, functionName, args>
  >
}

/** A read whose types were checked where it came from. */
export interface UntypedRead {
  readonly abi: Abi | readonly unknown[]
  readonly address?: Address | undefined
  readonly functionName: string
  readonly args?: unknown
}

/** `client` is undefined if wagmi's config does not have the chain. */
export function readOptions(
  client: Client | undefined,
  chainId: number | undefined,
  read: UntypedRead,
): ContractStateOptions<unknown> {
  return {
    queryKey: keyOf(chainId, read),
    queryFn: ({ signal }) => firstValue(client, chainId, read, signal),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    networkMode: 'always',
  }
}

/**
 * Calls `onData` and `onError` until the returned function is called.
 *
 * @throws viem's errors if the arguments do not fit the ABI; QuoinError if the config does not have the chain
 */
export function watchRead(
  client: Client | undefined,
  chainId: number | undefined,
  read: UntypedRead,
  { onData, onError }: Pick<WatchReadContractParameters<Abi, string, readonly unknown[]>, 'onData' | 'onError'>,
): () => void {
  const watch = { ...read, onData, onError } as WatchReadContractParameters<Abi, string, readonly unknown[]>
  return watchReadContract(configured(client, chainId), watch)
}

/** The first thing that a watch tells. All reads that begin together share one call, as watched reads do. */
async function firstValue(
  client: Client | undefined,
  chainId: number | undefined,
  read: UntypedRead,
  signal: AbortSignal,
): Promise<ReadAt<unknown>> {
  const limit = follow(signal)
  let stop: (() => void) | undefined
  try {
    const value = new Promise<ReadAt<unknown>>((resolve, reject) => {
      const onError = (error: BaseError): void => reject(error)
      stop = watchRead(client, chainId, read, { onData: (value, at) => resolve({ value, ...at }), onError })
    })
    return await Promise.race([value, silence(limit.signal)])
  } finally {
    stop?.()
    limit.unlink()
    limit.abort(new Error('the value is there'))
  }
}

async function silence(signal: AbortSignal): Promise<never> {
  await pause(FIRST_VALUE_MS_MAX, signal)
  throw new QuoinError(
    `No node has answered within ${FIRST_VALUE_MS_MAX / 1_000} s. Check that the nodes run and can be reached.`,
  )
}

/** Call data is what two ways to write the same arguments have in common, and it has no bigints. */
function keyOf(chainId: number | undefined, { abi, address, functionName, args }: UntypedRead): QueryKey {
  const call = { abi: abi as Abi, functionName, args: args as readonly unknown[] | undefined }
  return ['quoin', 'contractState', { chainId, address: address?.toLowerCase(), functionName, ...callOf(call) }]
}

interface UntypedCall {
  readonly abi: Abi
  readonly functionName: string
  readonly args: readonly unknown[] | undefined
}

function callOf({ abi, functionName, args }: UntypedCall): object {
  try {
    const item = getAbiItem({ abi, name: functionName, args })
    const outputs = item?.type === 'function' ? item.outputs : []
    return { data: encodeFunctionData({ abi, functionName, args }), outputs }
  } catch {
    // Whoever reads with it gets the error. Without it, arguments may be incomplete as long as nothing is read.
    return { invalid: stringify(args) }
  }
}
