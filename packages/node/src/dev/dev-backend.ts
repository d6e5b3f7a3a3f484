import type { RpcBackend } from '../rpc/backend.ts'
import type { DevAccounts } from './accounts.ts'
import type { DevChain } from './dev-chain.ts'
import type { DevLog } from './dev-log.ts'

/** What the RPC of a development node may know and do besides. */
export interface DevBackend extends RpcBackend {
  readonly dev: DevChain
  readonly accounts: DevAccounts
  /** Where what failed is told. */
  readonly log: DevLog
}

/** A backend that asks the chain as it is at that moment: it may be another one than before. */
export function createDevBackend(dev: DevChain, accounts: DevAccounts, log: DevLog): DevBackend {
  const now = (): RpcBackend => dev.instance.backend
  const { chainId, clientVersion, crypto } = now()
  return {
    ...{ chainId, clientVersion, crypto, dev, accounts, log },
    feed: dev.feed,
    get blocks() {
      return now().blocks
    },
    pool: {
      get: (hash) => now().pool.get(hash),
      pendingNonce: (sender) => now().pool.pendingNonce(sender),
      get stats() {
        return now().pool.stats
      },
      pending: () => now().pool.pending(),
      queued: () => now().pool.queued(),
      onAdmitted: (listener) => dev.onAdmitted((transaction) => listener(transaction, 'rpc')),
    },
    calls: { run: (kind, request, signal) => now().calls.run(kind, request, signal) },
    head: () => now().head(),
    stateAt: (height) => now().stateAt(height),
    nextBaseFee: () => now().nextBaseFee(),
    submit: (raw) => dev.submit(raw),
    peerCount: () => 0,
    syncing: () => undefined,
  }
}
