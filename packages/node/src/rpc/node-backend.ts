import { type KvReader, nextBaseFee, oldestProvable, stateAt } from '@quoin/execution'
import { type Crypto, err, type Hash, type Height, ok, type Result } from '@quoin/protocol'
import type { Chain } from '../chain/types.ts'
import type { CallRunner } from '../executor/call-runner.ts'
import type { ProofRunner } from '../executor/proof-runner.ts'
import type { Feed } from '../feed/types.ts'
import type { Mempool, PoolRefusal } from '../mempool/types.ts'
import type { Kv } from '../powers.ts'
import type { IndexReader } from '../store/block-index.ts'
import type { BlockReader } from '../store/types.ts'
import type { ProofSource, RpcBackend } from './backend.ts'
import { memberReader } from './identity/members.ts'
import { createRegistry } from './registry.ts'

/** Parts of a running node that the RPC reads from and submits to. */
export interface NodeParts {
  readonly chainId: number
  readonly clientVersion: string
  readonly crypto: Crypto
  readonly kv: Pick<Kv, 'get' | 'scan'>
  readonly store: BlockReader
  readonly index: IndexReader
  readonly chain: Pick<Chain, 'head'>
  readonly pool: Mempool
  readonly feed: Feed
  readonly calls: Pick<CallRunner, 'run'>
  readonly proofs: Pick<ProofRunner, 'run'>
  readonly proofBlocks: number
  readonly peerCount: () => number
  readonly syncing: RpcBackend['syncing']
  readonly coinbase: RpcBackend['coinbase']
  /** By default there is none: a chain in development has no consensus. */
  readonly evidence?: RpcBackend['evidence']
}

/** A backend in the node's own thread: for `quoin dev`, the simulator and tests. A validator's RPC thread uses `ThreadBackend`. */
export function createNodeBackend(parts: NodeParts): RpcBackend {
  const { kv, store, chain, pool } = parts
  return {
    chainId: parts.chainId,
    clientVersion: parts.clientVersion,
    standsAlone: false,
    crypto: parts.crypto,
    blocks: store,
    index: parts.index,
    feed: parts.feed,
    pool: {
      get: async (hash) => pool.waiting(hash),
      pendingNonce: async (sender) => pool.pendingNonce(sender),
      stats: async () => pool.stats,
      async *walk(sender) {
        yield* pool.walk(sender)
      },
      onAdmitted: (listener) => pool.onAdmitted(listener),
    },
    calls: parts.calls,
    members: memberReader(kv),
    proofs: proofSource(kv, parts.proofs, parts.proofBlocks),
    registry: createRegistry(kv),
    stateAt: (height) => stateAt(kv, height),
    nextBaseFee: () => nextBaseFee(chain.head.header, chain.head.parameters),
    submit: (raw) => submit(parts, raw),
    peerCount: parts.peerCount,
    syncing: parts.syncing,
    // It changes with blocks only.
    onSyncing: () => () => {},
    coinbase: parts.coinbase,
    evidence: parts.evidence ?? (async () => []),
  }
}

/** The proofs of a database whose executor keeps them for `blocks` blocks. */
export const proofSource = (kv: KvReader, runner: Pick<ProofRunner, 'run'>, blocks: number): ProofSource => ({
  blocks,
  run: (...job) => runner.run(...job),
  oldest: () => oldestProvable(kv) ?? (0 as Height),
})

/** Submits a transaction to the pool. If it is already in the pool or final, returns its hash as for the first submission. */
export async function submit(
  { pool, store }: { readonly pool: Pick<Mempool, 'add' | 'verify'>; readonly store: Pick<BlockReader, 'locate'> },
  raw: Uint8Array,
): Promise<Result<Hash, PoolRefusal>> {
  const result = await pool.add(raw, 'rpc')
  if (result.ok) return ok(result.value.hash)
  const { code } = result.error
  if (code !== 'already-known' && code !== 'nonce-too-low') return err(result.error)
  const verified = await pool.verify([raw])
  const hash = verified.ok ? verified.value[0]?.hash : undefined
  const isKnown = hash !== undefined && (code === 'already-known' || store.locate(hash) !== undefined)
  return isKnown ? ok(hash) : err(result.error)
}
