import type { RpcBackend } from '@quoin/node/rpc'
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
      stats: () => now().pool.stats(),
      onAdmitted: (listener) => dev.onAdmitted(listener),
    },
    calls: { run: (kind, request, signal, client) => now().calls.run(kind, request, signal, client) },
    stateAt: (height) => now().stateAt(height),
    nextBaseFee: () => now().nextBaseFee(),
    submit: (raw) => dev.submit(raw),
    peerCount: () => 0,
    syncing: () => undefined,
  }
}
