import {
  createCallHost,
  createExecutor,
  type OverrideRefusal,
  type PreparedOverrides,
  prepareOverrides,
  type StateOverrides,
  type TransactionFailure,
} from '@quoin/execution'
import type { Interpreter } from '@quoin/execution/vm'
import type { Clock } from '@quoin/node'
import { createInlineCalls, createInlineProofs, type Ledger, openLedger } from '@quoin/node/chain'
import type { SenderRecovery } from '@quoin/node/crypto'
import type { Logger } from '@quoin/node/process'
import { createNodeBackend, type RpcBackend } from '@quoin/node/rpc'
import type { MemoryKv } from '@quoin/platform'
import { type Crypto, type Genesis, type Hash, ok, type Result, unwrap } from '@quoin/protocol'

/** Powers and settings that all instances of a development node share. */
export interface InstancePowers {
  readonly genesis: Genesis
  readonly crypto: Crypto
  readonly interpreter: Interpreter
  readonly clock: Clock
  readonly recovery: SenderRecovery
  readonly logger: Logger
  readonly clientVersion: string
}

/**
 * A development chain over one database: all objects that hold state or cache it. Going back to a snapshot replaces the whole instance, so that
 * readers of the old one still see it unchanged.
 */
export interface Instance {
  readonly kv: MemoryKv
  readonly ledger: Ledger
  /** Access for the RPC. */
  readonly backend: RpcBackend
  /** Sets the overrides that the next blocks write before their transactions run, until `settle`. Refuses code that could not be deployed. */
  change(overrides: StateOverrides): Result<void, OverrideRefusal>
  /** Removes the overrides again. */
  settle(): void
  /** Failures since the last call, including transactions of blocks that were built but not committed. */
  takeFailures(): ReadonlyMap<Hash, TransactionFailure>
  close(): Promise<void>
}

/** The settings of a devnet node: the bits of a key that select a bucket of the state tree, and the heights with proofs. */
const STATE_TREE = { treeDepth: 12, historyHeights: 64 } as const

/** Opens the chain that a database holds, or starts it in an empty one. */
export async function openInstance(powers: InstancePowers, kv: MemoryKv): Promise<Instance> {
  const { genesis, crypto, interpreter, clock, recovery, logger, clientVersion } = powers
  const { chainId } = genesis
  let changes: PreparedOverrides | undefined
  let failures = new Map<Hash, TransactionFailure>()
  const executor = unwrap(
    await createExecutor({
      ...{ kv, crypto, chainId, interpreter, ...STATE_TREE },
      contractsSend: true,
      beforeBlock: (journal) => changes?.write(journal),
      onFailure: (hash, failure) => void failures.set(hash, failure),
    }),
  )
  const ledger = unwrap(await openLedger({ genesis, crypto, clock, kv, executor, recovery, logger }))
  const { blocks: store, index, mempool: pool, feed, chain } = ledger
  const host = createCallHost({ kv, crypto, chainId, interpreter })
  const backend = createNodeBackend({
    ...{ chainId, clientVersion, crypto, kv, store, index, chain, pool, feed },
    calls: createInlineCalls(host, store),
    proofs: createInlineProofs(kv, crypto),
    proofBlocks: STATE_TREE.historyHeights,
    peerCount: () => 0,
    syncing: () => undefined,
    coinbase: () => chain.head.validators.validators[0]?.feeAddress,
  })
  return {
    kv,
    ledger,
    backend,
    change(overrides) {
      const prepared = prepareOverrides(host.contracts, overrides)
      if (!prepared.ok) return prepared
      changes = prepared.value
      return ok(undefined)
    },
    settle() {
      changes = undefined
    },
    takeFailures() {
      const taken = failures
      failures = new Map()
      return taken
    },
    async close() {
      await pool.close()
      await executor.close()
    },
  }
}
