import type { Address, ChainId, Hash, Height } from '@quoin/protocol'
import type { CallStats } from '../executor/call-runner.ts'
import type { Report } from '../health/probes.ts'
import type { PoolRefusal } from '../mempool/types.ts'
import type { PoolStats } from '../rpc/backend.ts'
import type { RpcCounters, RpcSettings } from '../rpc/server/server.ts'
import type { DamageFinding } from '../store/damage.ts'

/** Messages between the node and its RPC thread. Everything is structured-cloneable. */

/** The last final block, and the base fee of the next one. */
export interface HeadNews {
  readonly height: Height
  /** Base fee of the next block. */
  readonly nextBaseFee: bigint
}

/** State of the node that the thread cannot read from the database. */
export interface NodeNews {
  readonly peers: number
  /** The highest block that the node knows of. */
  readonly highest: number
  /** Fee address of the node's validator; undefined if the node is not in the validator set. */
  readonly coinbase: Address | undefined
  /** Why reads are refused; undefined while they are answered. */
  readonly readRefusal: string | undefined
}

/** A transaction that the pool admitted. */
export interface Admitted {
  readonly raw: Uint8Array
  readonly sender: Address
}

/** A step of a walk over the pool: the first page, or the next. There is at most one walk over all, and one over the transactions of a sender. */
export type PoolWalk =
  | { readonly over: 'all'; readonly isFirst: boolean }
  | { readonly over: 'sender'; readonly sender: Address; readonly isFirst: boolean }

/** A bounded part of the pool. The lists have one item for each transaction: a message with many small objects takes much longer. */
export interface PoolPage {
  /** The network encodings, one after another. */
  readonly bytes: Uint8Array
  readonly lengths: readonly number[]
  readonly senders: readonly Address[]
  readonly queued: readonly boolean[]
  readonly isLast: boolean
}

/** Start data of the thread. */
export interface RpcThreadData {
  readonly databasePath: string
  readonly chainId: ChainId
  readonly clientVersion: string
  readonly host: string
  readonly port: number
  readonly settings: RpcSettings
  readonly calls: { readonly workers: number; readonly callMs: number }
  /** Number of blocks before the head for which the node keeps state proofs. */
  readonly proofBlocks: number
  /** Shared memory of `CommitHeights`. */
  readonly heights: SharedArrayBuffer
  readonly head: HeadNews
  readonly news: NodeNews
}

/** A request of the thread to the node. */
export type Question =
  | { readonly kind: 'submit'; readonly raw: Uint8Array }
  /** `isKnown`: the thread already has the transaction, and only asks whether the pool still has it. */
  | { readonly kind: 'transaction'; readonly hash: Hash; readonly isKnown: boolean }
  | { readonly kind: 'pending-nonce'; readonly sender: Address }
  | { readonly kind: 'pool-stats' }
  | { readonly kind: 'pool-page'; readonly walk: PoolWalk }
  | { readonly kind: 'live' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'metrics' }

/** The answer to each kind of question. */
export interface Answers {
  readonly submit: { readonly ok: true; readonly value: Hash } | { readonly ok: false; readonly error: PoolRefusal }
  readonly transaction: Admitted | 'known' | undefined
  readonly 'pending-nonce': number | undefined
  readonly 'pool-stats': PoolStats
  readonly 'pool-page': PoolPage
  readonly live: Report
  readonly ready: Report
  readonly metrics: Readonly<Record<string, number>>
}

export type Asked = Question & { readonly id: number }
export type Answered = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly failure: unknown }

export type ToThread =
  /** The node sends the next one only after the thread has replied with `seen`. */
  | { readonly kind: 'news'; readonly head: HeadNews; readonly news: NodeNews; readonly admitted: readonly Admitted[] }
  /** Ordered with the news: the answers are based on a state no later than `head`. */
  | { readonly kind: 'answers'; readonly head: HeadNews; readonly answers: readonly Answered[] }
  | { readonly kind: 'settings'; readonly settings: RpcSettings }
  /** Memory is short: free caches. */
  | { readonly kind: 'drop-caches' }
  /** Closes the server and everything else that the thread opened. Then the thread ends. */
  | { readonly kind: 'close' }

export interface RpcThreadStats {
  readonly server: RpcCounters
  readonly calls: CallStats
  readonly proofs: CallStats
  readonly heapBytes: number
  readonly loopDelayP99Ms: number
  readonly loopDelayMaxMs: number
}

export type FromThread =
  | { readonly kind: 'listening'; readonly port: number }
  /** The server could not listen. The thread ends. */
  | { readonly kind: 'not-listening'; readonly code: string | undefined; readonly message: string }
  | { readonly kind: 'seen' }
  | { readonly kind: 'questions'; readonly questions: readonly Asked[] }
  /** Whether the thread wants to receive admitted transactions. */
  | { readonly kind: 'follow-pool'; readonly isWanted: boolean }
  | { readonly kind: 'damage'; readonly damage: DamageFinding }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly fields: object; readonly message: string }
  | { readonly kind: 'stats'; readonly stats: RpcThreadStats }
