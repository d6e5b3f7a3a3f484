import type { RpcBackend } from '@quoin/node/rpc'
import type { DevAccounts } from './accounts.ts'
import type { DevChain } from './dev-chain.ts'
import type { DevLog } from './dev-log.ts'

/** The backend of a development node's RPC: a node's, plus the chain, the accounts and the log. */
export interface DevBackend extends RpcBackend {
  readonly dev: DevChain
  readonly accounts: DevAccounts
  /** Prints failed calls. */
  readonly log: DevLog
}

/** A backend that reads the current instance at each call, because a revert or reset replaces the instance. */
export function createDevBackend(dev: DevChain, accounts: DevAccounts, log: DevLog): DevBackend {
  const now = (): RpcBackend => dev.instance.backend
  const { chainId, clientVersion, crypto } = now()
  return {
    ...{ chainId, clientVersion, crypto, dev, accounts, log },
    standsAlone: true,
    feed: dev.feed,
    get blocks() {
      return now().blocks
    },
    get index() {
      return now().index
    },
    pool: {
      get: (hash) => now().pool.get(hash),
      pendingNonce: (sender) => now().pool.pendingNonce(sender),
      stats: () => now().pool.stats(),
      walk: (sender, client) => now().pool.walk(sender, client),
      onAdmitted: (listener) => dev.onAdmitted(listener),
    },
    calls: { run: (kind, request, signal, client) => now().calls.run(kind, request, signal, client) },
    proofs: {
      get blocks() {
        return now().proofs.blocks
      },
      oldest: () => now().proofs.oldest(),
      run: (kind, request, signal, client) => now().proofs.run(kind, request, signal, client),
    },
    members: { reading: () => now().members.reading(), membership: (account) => now().members.membership(account) },
    registry: {
      organisations: (after, limit) => now().registry.organisations(after, limit),
      accounts: (after, limit) => now().registry.accounts(after, limit),
      nodes: (after, limit) => now().registry.nodes(after, limit),
      validators: () => now().registry.validators(),
    },
    stateAt: (height) => now().stateAt(height),
    nextBaseFee: () => now().nextBaseFee(),
    submit: (raw) => dev.submit(raw),
    peerCount: () => 0,
    syncing: () => undefined,
    onSyncing: () => () => {},
    coinbase: () => now().coinbase(),
    evidence: () => now().evidence(),
  }
}
