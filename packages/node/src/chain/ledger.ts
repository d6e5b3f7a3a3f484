import type { Executor } from '@quoin/execution'
import type { Crypto, Genesis, Height, Result } from '@quoin/protocol'
import { ok } from '@quoin/protocol'
import type { SenderRecovery } from '../crypto/recovery.ts'
import { createFeed } from '../feed/feed.ts'
import type { Feed } from '../feed/types.ts'
import type { Logger } from '../logger.ts'
import { TransactionPool } from '../mempool/pool.ts'
import { Quarantine } from '../mempool/quarantine.ts'
import type { Clock, Kv } from '../powers.ts'
import { BlockIndex, type IndexReader } from '../store/block-index.ts'
import { BlockStore, type StoreRefusal } from '../store/block-store.ts'
import type { CommitHeights } from '../store/commit-heights.ts'
import type { OnDamage } from '../store/damage.ts'
import { type ChainRefusal, createChain } from './chain.ts'
import { pastUse } from './past-use.ts'
import { poolStateOf } from './pool-state.ts'
import type { Chain, Head } from './types.ts'

export interface LedgerOptions {
  readonly genesis: Genesis
  readonly crypto: Crypto
  readonly clock: Clock
  readonly kv: Kv
  /** Uses the same database. */
  readonly executor: Executor
  readonly recovery: SenderRecovery
  readonly logger: Logger
  /** Why the pool accepts no transactions any more; undefined while it does. */
  readonly transactionRefusal?: (() => string | undefined) | undefined
  /** Called with damage that the store finds; `kv` reports other damage itself. */
  readonly onDamage?: OnDamage
  /** The halt height after which this node's operator has told it to continue. */
  readonly resumeAfter?: Height | undefined
  /** Tells threads that read the same database how far it is written. */
  readonly heights?: CommitHeights | undefined
}

/** The part of a node between network and RPC, without the block producer (consensus, or the sequencer of a development node). */
export interface Ledger {
  readonly blocks: BlockStore
  readonly index: IndexReader
  readonly mempool: TransactionPool
  readonly feed: Feed
  readonly chain: Chain
}

/** Opens store, pool, feed and chain over one database, which may be empty. The caller closes the pool. */
export async function openLedger(options: LedgerOptions): Promise<Result<Ledger, ChainRefusal | StoreRefusal>> {
  const {
    genesis,
    crypto,
    clock,
    kv,
    executor,
    recovery,
    logger,
    onDamage,
    heights,
    transactionRefusal: refusal,
    resumeAfter,
  } = options
  const store = BlockStore.open(kv, crypto, onDamage, heights)
  if (!store.ok) return store
  const blocks = store.value
  // The pool needs the head, and the chain needs the pool: admission begins only after the chain is open.
  const opened: { chain?: Chain } = {}
  const state = perHead(
    () => opened.chain,
    (head) => poolStateOf(kv, head),
  )
  const quarantine = await Quarantine.open(kv)
  const mempool = new TransactionPool({ crypto, chainId: genesis.chainId, recovery, clock, quarantine, state, refusal })
  const feed = createFeed({ reader: blocks, mempool })
  const parts = {
    genesis,
    kv,
    store: blocks,
    executor,
    crypto,
    mempool,
    feed,
    resumeAfter,
    logger: logger.child({ module: 'chain' }),
  }
  const chain = await createChain(parts)
  if (!chain.ok) return chain
  opened.chain = chain.value
  for (const use of pastUse(blocks, kv)) mempool.countUse(use)
  return ok({ blocks, index: new BlockIndex(kv), mempool, feed, chain: chain.value })
}

/** Caches a value that depends on the head only. */
function perHead<T>(chain: () => Chain | undefined, compute: (head: Head) => T): () => T {
  let last: { readonly head: Head; readonly value: T } | undefined
  return () => {
    const head = chain()?.head
    if (head === undefined) throw new Error('the chain is not open yet')
    if (last?.head !== head) last = { head, value: compute(head) }
    return last.value
  }
}
