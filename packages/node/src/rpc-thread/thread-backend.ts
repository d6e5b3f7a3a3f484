import { stateAt } from '@quoin/execution'
import {
  type Address,
  type Crypto,
  decodeTransaction,
  type Evidence,
  type Height,
  type SignedTransaction,
  unwrap,
} from '@quoin/protocol'
import type { CallRunner } from '../executor/call-runner.ts'
import type { ProofRunner } from '../executor/proof-runner.ts'
import { createFeed } from '../feed/feed.ts'
import type { Feed } from '../feed/types.ts'
import type { Kv } from '../powers.ts'
import type { ProofSource, RpcBackend, StateView } from '../rpc/backend.ts'
import { type MemberReader, memberReader } from '../rpc/identity/members.ts'
import { proofSource } from '../rpc/node-backend.ts'
import { createRegistry, type Registry } from '../rpc/registry.ts'
import { BlockIndex } from '../store/block-index.ts'
import type { BlockReplica } from '../store/block-replica.ts'
import type { CommitHeights } from '../store/commit-heights.ts'
import { readEvidence } from '../store/evidence-store.ts'
import { HeadState } from './head-state.ts'
import type { Admitted, HeadNews, NodeNews } from './messages.ts'
import type { NodeLink } from './node-link.ts'
import { PendingTransactions } from './pending-transactions.ts'
import { PoolWalks } from './pool-walks.ts'

export interface ThreadBackendOptions {
  readonly chainId: number
  readonly clientVersion: string
  readonly crypto: Crypto
  readonly kv: Pick<Kv, 'get' | 'scan'>
  readonly blocks: BlockReplica
  readonly heights: CommitHeights
  readonly calls: Pick<CallRunner, 'run'>
  readonly proofs: Pick<ProofRunner, 'run'>
  readonly proofBlocks: number
  readonly link: NodeLink
  readonly head: HeadNews
  readonly news: NodeNews
  /** Tells the node to start or stop sending the transactions that its pool admits. */
  readonly followPool: (isWanted: boolean) => void
}

type Listener = (transaction: SignedTransaction) => void

/** The backend in the RPC thread. It reads the database itself, up to the head that the node announced, and asks the node about its pool. */
export class ThreadBackend implements RpcBackend {
  readonly chainId: number
  readonly clientVersion: string
  readonly standsAlone = false
  readonly crypto: Crypto
  readonly blocks: BlockReplica
  readonly index: BlockIndex
  readonly feed: Feed
  readonly pool: RpcBackend['pool']
  readonly calls: Pick<CallRunner, 'run'>
  readonly proofs: ProofSource
  readonly members: MemberReader
  readonly registry: Registry
  readonly submit: RpcBackend['submit']
  readonly #options: ThreadBackendOptions
  readonly #pending: PendingTransactions
  readonly #listeners = new Set<Listener>()
  readonly #onNews = new Set<() => void>()
  #head: HeadNews
  #news: NodeNews
  /** State of the current head, with its cache. */
  #state: HeadState | undefined

  constructor(options: ThreadBackendOptions) {
    const { link, blocks } = options
    this.#options = options
    this.#pending = new PendingTransactions(link, (admitted) => this.#decoded(admitted))
    this.#head = options.head
    this.#news = options.news
    this.chainId = options.chainId
    this.clientVersion = options.clientVersion
    this.crypto = options.crypto
    this.blocks = blocks
    this.index = new BlockIndex(options.kv)
    this.calls = options.calls
    this.members = memberReader(options.kv)
    this.proofs = proofSource(options.kv, options.proofs, options.proofBlocks)
    this.registry = createRegistry(options.kv)
    this.feed = createFeed({
      reader: blocks,
      mempool: { onAdmitted: (listener) => this.#onAdmitted((one) => listener(one, 'rpc')) },
    })
    const walks = new PoolWalks(link, (admitted) => this.#decoded(admitted))
    this.pool = {
      get: (hash) => this.#pending.get(hash),
      pendingNonce: (sender) => link.ask<'pending-nonce'>({ kind: 'pending-nonce', sender }),
      stats: () => link.ask<'pool-stats'>({ kind: 'pool-stats' }),
      walk: (sender, client) => walks.walk(sender, client),
      onAdmitted: (listener) => this.#onAdmitted(listener),
    }
    this.submit = (raw) => link.ask<'submit'>({ kind: 'submit', raw })
  }

  get readRefusal(): string | undefined {
    return this.#news.readRefusal
  }

  stateAt(height: Height): StateView {
    if (this.#state?.height === height) return this.#state
    const { kv, heights } = this.#options
    const state = stateAt(kv, height, () => heights.begun <= height)
    if (height !== this.#head.height) return state
    this.#state = new HeadState(state)
    return this.#state
  }

  nextBaseFee(): bigint {
    return this.#head.nextBaseFee
  }

  peerCount(): number {
    return this.#news.peers
  }

  syncing(): { readonly current: number; readonly highest: number } | undefined {
    const { height: current } = this.#head
    const { highest } = this.#news
    return highest > current ? { current, highest } : undefined
  }

  /** Read from the database, as the node has written it. */
  evidence(): Promise<readonly Evidence[]> {
    return readEvidence(this.#options.kv)
  }

  coinbase(): Address | undefined {
    return this.#news.coinbase
  }

  onSyncing(listener: () => void): () => void {
    this.#onNews.add(listener)
    return () => this.#onNews.delete(listener)
  }

  /** Moves to a new head of the node. */
  moveTo(head: HeadNews): void {
    if (!this.blocks.moveTo(head.height)) return
    this.#head = head
    this.feed.publish()
  }

  /** Memory is short: frees caches. */
  dropCaches(): void {
    this.blocks.dropCaches()
    this.#pending.clear()
  }

  tell(news: NodeNews, admitted: readonly Admitted[]): void {
    this.#news = news
    for (const listener of this.#onNews) listener()
    for (const one of admitted) {
      const transaction = this.#decoded(one)
      for (const listener of this.#listeners) listener(transaction)
    }
  }

  #onAdmitted(listener: Listener): () => void {
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) this.#options.followPool(true)
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#options.followPool(false)
    }
  }

  #decoded({ raw, sender }: Admitted): SignedTransaction {
    return { ...unwrap(decodeTransaction(this.crypto, this.chainId, raw)), sender }
  }
}
