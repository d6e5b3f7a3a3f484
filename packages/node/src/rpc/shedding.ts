/**
 * Methods that a node answers while it is short of memory: a wallet that sends a transaction needs them, and each costs one read of the
 * state at the most. All others are refused.
 */
const KEPT_METHODS: ReadonlySet<string> = new Set([
  'eth_sendRawTransaction',
  'eth_getTransactionCount',
  'eth_getBalance',
  'eth_gasPrice',
  'eth_maxPriorityFeePerGas',
  'eth_chainId',
  'eth_blockNumber',
  'eth_syncing',
  'eth_unsubscribe',
  'eth_uninstallFilter',
  'net_version',
  'net_listening',
  'net_peerCount',
  'web3_clientVersion',
])

export const isShed = (method: string): boolean => !KEPT_METHODS.has(method)
