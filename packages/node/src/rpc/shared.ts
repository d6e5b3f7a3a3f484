import type { Height } from '@quoin/protocol'
import type { Clock, Random } from '../powers.ts'
import type { RpcBackend } from './backend.ts'
import { BlockTexts } from './block-texts.ts'
import { Filters, type Rewind } from './filters.ts'
import { HeightWaits } from './height-waits.ts'
import { Hub, type Source } from './hub.ts'
import type { RpcLimits } from './limits.ts'
import { Quota } from './quota.ts'
import { ReceiptWaits } from './receipt-waits.ts'
import { RecentTransactions } from './recent-transactions.ts'
import { SyncChanges } from './sync-changes.ts'
import { Turns } from './turns.ts'

/** State that the calls of all clients of a server share. */
export interface Shared {
  readonly filters: Filters
  /** Reserves addresses and topics for a filter until the returned function is called. Throws RpcError over a limit. */
  takeTerms(remote: string, terms: number): () => void
  readonly transactions: RecentTransactions
  /** Time slices of the event loop. */
  readonly turns: Turns
  readonly hub: Hub
  /** The chain as a source of notifications. */
  readonly blocks: Source
  readonly syncing: SyncChanges
  readonly texts: BlockTexts
  readonly receipts: ReceiptWaits
  readonly heights: HeightWaits
  /** The chain was rewound, which only happens on a development chain. */
  rewind(rewind: Rewind): void
  close(): Promise<void>
}

export interface SharedOptions {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  readonly random: Random
  readonly limits: RpcLimits
  /** Called with errors of subscriptions. */
  readonly onFailure: (failure: unknown) => void
}

/** Creates the shared state, which follows the chain and the pool until it is closed. */
export function openShared(backend: RpcBackend, { clock, random, limits, onFailure }: SharedOptions): Shared {
  const transactions = new RecentTransactions(limits.filterTransactionsMax, (listener) => backend.pool.onAdmitted(listener))
  const filters = new Filters({ clock, random, limits })
  const quota = new Quota('addresses and topics in filters and subscriptions', limits.logTermsMax, limits.logTermsPerRemoteMax)
  const takeTerms = (remote: string, count: number): (() => void) => {
    filters.expire()
    return quota.take(remote, count)
  }
  const turns = new Turns(clock, limits.sliceMs)
  const hub = new Hub({ limits, turns, takeTerms, onFailure })
  const texts = new BlockTexts(limits.textsBytesMax)
  const receipts = new ReceiptWaits()
  const heights = new HeightWaits(() => backend.blocks.head.header.number, clock, limits.behindBlocksMax)
  const blocks: Source = {
    get next() {
      return backend.blocks.head.header.number + 1
    },
  }
  const syncing = new SyncChanges(() => backend.syncing())
  const stop = new AbortController()
  const following = follow(backend, stop.signal, (height) => {
    heights.onBlock(height)
    receipts.onBlock(backend.blocks.senders(height) ?? [])
    syncing.check()
    hub.wake()
  }).catch(onFailure)
  const unsubscribeSyncing = backend.onSyncing(() => {
    if (syncing.check()) hub.wake()
  })
  const unsubscribe = transactions.onAdded(() => hub.wake())
  return {
    ...{ filters, takeTerms, transactions, turns, hub, blocks, syncing, texts, receipts, heights },
    rewind(rewind) {
      texts.clear()
      filters.rewind(rewind)
      hub.rewind(rewind, blocks)
    },
    async close() {
      stop.abort()
      unsubscribe()
      unsubscribeSyncing()
      transactions.close()
      hub.close()
      receipts.close()
      heights.close()
      await following
    },
  }
}

async function follow(backend: RpcBackend, signal: AbortSignal, onBlock: (height: Height) => void): Promise<void> {
  const heights = backend.feed.subscribe(({ header }) => [{ index: 0, value: header.number }], 'next', signal)
  for await (const { value } of heights) onBlock(value)
}
