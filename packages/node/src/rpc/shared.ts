import type { Hash, Height } from '@quoin/protocol'
import type { Clock, Random } from '../powers.ts'
import type { RpcBackend } from './backend.ts'
import { BlockTexts } from './block-texts.ts'
import { Filters, type Rewind } from './filters.ts'
import { HeadWaits } from './head-waits.ts'
import { HeightWaits } from './height-waits.ts'
import { Hub, type Source } from './hub.ts'
import type { RpcLimits } from './limits.ts'
import { Quota } from './quota.ts'
import { ReceiptWaits } from './receipt-waits.ts'
import { RecentTransactions } from './recent-transactions.ts'
import { storedPart } from './stored-part.ts'
import { StreamHub } from './streams/stream-hub.ts'
import { SyncChanges } from './sync-changes.ts'
import { Turns } from './turns.ts'

/** State that the calls of all clients of a server share. */
export interface Shared {
  readonly filters: Filters
  /** Reserves addresses, topics and hashes for a filter until the returned function is called. Throws RpcError over a limit. */
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
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  readonly heads: HeadWaits
  readonly streams: StreamHub
  /** Hash of block 0, which cursors of streams begin with. */
  readonly genesis: () => Hash
  /** The chain was rewound, which only happens on a development chain. */
  rewind(rewind: Rewind): void
  close(): Promise<void>
}

export interface SharedOptions {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  readonly random: Random
  readonly limits: RpcLimits
  /** Called after each new block, before its notifications. */
  readonly onBlock?: () => void
  /** Called with errors of subscriptions. */
  readonly onFailure: (failure: unknown) => void
}

/** Creates the shared state, which follows the chain and the pool until it is closed. */
export function openShared(backend: RpcBackend, { clock, random, limits, onBlock, onFailure }: SharedOptions): Shared {
  const transactions = new RecentTransactions(limits.filterTransactionsMax, (listener) => backend.pool.onAdmitted(listener))
  const filters = new Filters({ clock, random, limits })
  const quota = new Quota(
    'addresses, topics and hashes in filters, subscriptions and streams',
    limits.logTermsMax,
    limits.logTermsPerRemoteMax,
  )
  const takeTerms = (remote: string, count: number): (() => void) => {
    filters.expire()
    return quota.take(remote, count)
  }
  const turns = new Turns(clock, limits.sliceMs)
  const hub = new Hub({ limits, turns, takeTerms, onFailure })
  const texts = new BlockTexts(limits.textsBytesMax)
  const receipts = new ReceiptWaits()
  const heights = new HeightWaits(() => backend.blocks.head.header.number, clock, limits.behindBlocksMax)
  const heads = new HeadWaits(clock)
  let genesisHash: Hash | undefined
  const genesis = (): Hash => {
    genesisHash ??= storedPart(backend.blocks, 'header', 0 as Height).hash
    return genesisHash
  }
  const streams = new StreamHub({ backend, clock, limits, turns, texts, genesis, takeTerms, onFailure })
  const blocks: Source = {
    get next() {
      return backend.blocks.head.header.number + 1
    },
  }
  const syncing = new SyncChanges(() => backend.syncing())
  const stop = new AbortController()
  const following = follow(backend, stop.signal, (height) => {
    onBlock?.()
    heights.onBlock(height)
    receipts.onBlock(backend.blocks.senders(height) ?? [])
    syncing.check()
    hub.wake()
    streams.wake()
    heads.onMove()
  }).catch(onFailure)
  const unsubscribeSyncing = backend.onSyncing(() => {
    if (syncing.check()) hub.wake()
  })
  const unsubscribe = transactions.onAdded(() => hub.wake())
  return {
    ...{ filters, takeTerms, transactions, turns, hub, blocks, syncing, texts, receipts, heights },
    ...{ clock, heads, streams, genesis },
    rewind(rewind) {
      texts.clear()
      filters.rewind(rewind)
      hub.rewind(rewind, blocks)
      streams.rewind(rewind)
      heads.onMove()
    },
    async close() {
      stop.abort()
      unsubscribe()
      unsubscribeSyncing()
      transactions.close()
      hub.close()
      streams.close()
      receipts.close()
      heights.close()
      heads.close()
      await following
    },
  }
}

async function follow(backend: RpcBackend, signal: AbortSignal, onBlock: (height: Height) => void): Promise<void> {
  const heights = backend.feed.subscribe(({ header }) => [{ index: 0, value: header.number }], 'next', signal)
  for await (const { value } of heights) onBlock(value)
}
