/**
 * Methods that a node still answers while it is short of memory (load shedding). A wallet needs them to send a transaction, and each costs
 * at most one read of the state. All others are refused.
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
  'quoin_unsubscribe',
  'quoin_acknowledge',
  'eth_uninstallFilter',
  'net_version',
  'net_listening',
  'net_peerCount',
  'web3_clientVersion',
])

export const isShed = (method: string): boolean => !KEPT_METHODS.has(method)
