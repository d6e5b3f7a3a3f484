'use client'

import { useCallback, useEffect, useRef, useState } from 'react'
import type { Client } from 'viem'
import { useChainId, useClient } from 'wagmi'
import { toError } from '../errors.ts'
import type { StreamHead } from '../streams/segment.ts'
import type { Stream } from '../streams/stream.ts'
import { type ChainId, configured } from './chain.ts'

/** Parameters of `useStream`. */
export interface UseStreamParameters<T> {
  /** Says which stream it is: another key opens another one, and its items begin anew. Bigints are allowed. */
  readonly key: readonly unknown[]
  /** Opens the stream. Pass the signal on: it ends the stream. */
  readonly open: (client: Client, signal: AbortSignal) => Stream<T>
  /** Most items that are kept; older ones are dropped. Default: 100. */
  readonly limit?: number | undefined
  /** Default: wagmi's current chain. */
  readonly chainId?: ChainId | undefined
  /** `false`: no stream is open, and the items stay. Default: true. */
  readonly enabled?: boolean | undefined
}

/** What `useStream` gives. */
export interface UseStreamResult<T> {
  /** In the order of the chain, the newest last. */
  readonly items: readonly T[]
  /** Newest block of the node that answered, at most 5 s old while nodes answer. */
  readonly head: StreamHead | undefined
  /** Why the stream ended, such as a CursorUnknownError. */
  readonly error: Error | null
  /** `live` once a node has answered. While no node answers it stays as it is: the stream goes on when one does. */
  readonly status: 'pending' | 'live' | 'error'
  /** Forgets the items that are there. The stream goes on. */
  clear(): void
}

/** What is shown of one stream. */
interface Shown<T> extends Omit<UseStreamResult<T>, 'clear'> {
  readonly identity: string
}

const nothing = (identity: string): Shown<never> => ({ identity, items: [], head: undefined, error: null, status: 'pending' })

/**
 * The newest items of a stream, as they come. The stream is open while the component is mounted. A server renders `pending` and opens nothing.
 *
 * @example
 * const { items } = useStream({
 *   key: ['paid', ledger.address],
 *   open: (client, signal) => streamContractEvents(client, { ...ledger, eventName: 'Paid', from: { block: 0n }, signal }),
 * })
 */
export function useStream<T>({ key, open, limit = 100, chainId, enabled = true }: UseStreamParameters<T>): UseStreamResult<T> {
  if (!Number.isInteger(limit) || limit < 1) throw new RangeError(`limit must be an integer of at least 1, not ${limit}`)
  const currentChainId = useChainId()
  const chain = chainId ?? currentChainId
  const client = useClient({ chainId: chain })
  const identity = textOf([chain, key])
  const [shown, setShown] = useState<Shown<T>>(() => nothing(identity))
  // `open` and `limit` of the latest rendering: a new function must not open the stream anew.
  const latest = useRef({ open, limit })
  useEffect(() => {
    latest.current = { open, limit }
  })

  useEffect(() => {
    if (!enabled) return
    const controller = new AbortController()
    const { signal } = controller
    const show = (change: (shown: Shown<T>) => Shown<T>): void => {
      if (!signal.aborted) setShown(change)
    }
    show(() => nothing(identity))
    const openNow = (): Stream<T> => latest.current.open(configured(client, chain), signal)
    void read({ open: openNow, signal, show, limit: () => latest.current.limit })
    return () => controller.abort(new Error('the component does not need the stream any more'))
  }, [client, chain, identity, enabled])

  const clear = useCallback(() => setShown((before) => ({ ...before, items: [] })), [])
  // The items of another key are never shown, not even until the effect has run.
  const { items, head, error, status } = shown.identity === identity ? shown : nothing(identity)
  return { items: newest(items, limit), head, error, status: enabled ? status : 'pending', clear }
}

interface Reading<T> {
  open(): Stream<T>
  readonly signal: AbortSignal
  show(change: (shown: Shown<T>) => Shown<T>): void
  limit(): number
}

/** Shows what a stream gives, to its end. */
async function read<T>({ open, signal, show, limit }: Reading<T>): Promise<void> {
  try {
    for await (const { items, head } of open().batches({ includeEmpty: true })) {
      // Asking for the next batch would acknowledge this one, which nobody has seen.
      if (signal.aborted) return
      const add = (before: readonly T[]): readonly T[] => (items.length === 0 ? before : newest([...before, ...items], limit()))
      show((before) => ({ ...before, head, status: 'live', items: add(before.items) }))
    }
  } catch (error) {
    show((before) => ({ ...before, status: 'error', error: toError(error) }))
  }
}

const newest = <T>(items: readonly T[], limit: number): readonly T[] => (items.length > limit ? items.slice(-limit) : items)

/** The same text for the same key. A bigint is told from a text. */
const textOf = (key: readonly unknown[]): string =>
  JSON.stringify(key, (_, value: unknown) => (typeof value === 'bigint' ? { bigint: value.toString() } : value))
