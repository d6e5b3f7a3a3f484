import {
  type CursorStore,
  cluster,
  memoryStore,
  type StreamFrom,
  storedCursor,
  streamContractEvents,
  type TrackedSends,
} from '@quoin/sdk'
import { type UseSendResult, useContractState, useSend, useStream } from '@quoin/sdk/react'
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createElement, Fragment, type ReactElement, StrictMode, useRef } from 'react'
import { type Address, type BaseError, type Chain, ContractFunctionRevertedError } from 'viem'
import { type Config, createConfig, http, WagmiProvider } from 'wagmi'
import { abi } from './counter-abi.ts'

/** `StreamFrom` as JSON. */
type From = 'now' | { readonly block: number } | { readonly cursor: string }

const streamFrom = (from: From): StreamFrom =>
  typeof from === 'object' && 'block' in from ? { block: BigInt(from.block) } : from

/** What the application shows. It can be changed while it runs. */
export interface Shown {
  readonly counter: Address
  /** Arguments of the reads, one component each. */
  readonly above: readonly string[]
  readonly chainId?: number
  readonly isEnabled: boolean
  readonly stream?: { readonly key: string; readonly from: From; readonly limit?: number; readonly hasCursor?: boolean }
  readonly isSending: boolean
}

/** What happened in the application, for a test to read. */
export interface Story {
  /** Every rendering of a read, as `argument status value`, and of a stream, as `stream name numbers`. */
  readonly renderings: string[]
  /** Each change of a send, as `status update`. */
  readonly sends: string[]
  /** Of streams that have one. */
  readonly cursor: CursorStore
  /** Signals of the streams that were opened. */
  readonly signals: AbortSignal[]
  /** What the components returned last. */
  send: UseSendResult | undefined
  clear: (() => void) | undefined
}

export const newStory = (): Story => ({
  ...{ renderings: [], sends: [], signals: [], send: undefined, clear: undefined },
  cursor: storedCursor(memoryStore(), 'counted'),
})

/** wagmi as an application sets it up; `isPlain`: without a cluster, at the first node. */
export const configOf = (chain: Chain, urls: readonly string[], isPlain = false): Config =>
  createConfig({
    ...{ chains: [chain], ssr: true },
    transports: {
      [chain.id]: isPlain ? http(urls[0]) : cluster(urls, { breaker: { rest: 200 }, healthCheck: { interval: 200 } }),
    },
  })

export interface AppProps extends Shown {
  readonly config: Config
  readonly queryClient: QueryClient
  readonly sends?: TrackedSends | undefined
  readonly story: Story
}

/**
 * An application that uses each hook. StrictMode is its outermost element, so that React mounts every component twice in development: within a component it
 * would do so for those only that come later.
 */
export function app({ config, queryClient, ...rest }: AppProps): ReactElement {
  const { above, stream, isSending } = rest
  const parts = createElement(
    Fragment,
    null,
    ...above.map((argument, index) => createElement(Above, { ...rest, key: index, argument, index })),
    stream === undefined ? null : createElement(Counted, { ...rest, ...stream, name: stream.key, key: 'counted' }),
    isSending ? createElement(Count, { ...rest, key: 'count' }) : null,
  )
  const queries = createElement(QueryClientProvider, { client: queryClient }, parts)
  return createElement(StrictMode, null, createElement(WagmiProvider, { config, reconnectOnMount: false, children: queries }))
}

type PartProps = Omit<AppProps, 'config' | 'queryClient'>

/** Name of the contract's error, or what else happened. */
function nameOf(error: BaseError): string {
  const revert = error.walk((cause) => cause instanceof ContractFunctionRevertedError) as ContractFunctionRevertedError | null
  return revert?.data?.errorName ?? error.shortMessage
}

function Above({ counter, argument, index, chainId, isEnabled, story }: PartProps & { argument: string; index: number }) {
  const parameters = { abi, address: counter, functionName: 'above', args: [BigInt(argument)] } as const
  const { data, status, blockNumber, error } = useContractState({ ...parameters, chainId, enabled: isEnabled })
  story.renderings.push(`${argument} ${status} ${data}`)
  const text = `${status} ${data} ${blockNumber === undefined ? 'at none' : 'at block'} ${error === null ? '' : nameOf(error)}`
  return createElement('output', { id: `above-${index}` }, text.trim())
}

interface CountedProps extends Omit<PartProps, 'stream'> {
  readonly name: string
  readonly from: From
  readonly limit?: number
  readonly hasCursor?: boolean
}

function Counted({ counter, name, from, limit, hasCursor, chainId, isEnabled, story }: CountedProps) {
  const { items, head, status, error, clear } = useStream({
    key: [counter, name, 1n],
    open: (client, signal) => {
      story.signals.push(signal)
      const cursor = hasCursor === true ? story.cursor : undefined
      return streamContractEvents(client, { abi, address: counter, eventName: 'Counted', from: streamFrom(from), cursor, signal })
    },
    ...{ limit, chainId, enabled: isEnabled },
  })
  story.clear = clear
  const numbers = items.map(({ args }) => args.number).join()
  story.renderings.push(`stream ${name} ${numbers}`)
  return createElement(
    'output',
    { id: 'counted' },
    `${status} ${numbers} ${head === undefined ? '' : 'head'} ${error?.name ?? ''}`,
  )
}

function Count({ sends, story }: PartProps) {
  const send = useSend(sends)
  const last = useRef('')
  story.send = send
  const now = `${send.status} ${send.update?.status ?? 'none'}`
  if (now !== last.current) story.sends.push(now)
  last.current = now
  return createElement('output', { id: 'count' }, `${now} ${send.error?.reason ?? ''} ${send.data?.status ?? ''}`)
}
