import { bytesToHex } from '@quoin/protocol'
import type { RpcBackend } from '../backend.ts'
import { quantityHex } from '../format.ts'
import { type Methods, method } from '../method.ts'
import { data } from '../schema.ts'

/** Information about the node and its chain. */
export const chainMethods: Methods<RpcBackend> = {
  eth_chainId: method([], (backend: RpcBackend) => quantityHex(backend.chainId)),
  net_version: method([], (backend: RpcBackend) => String(backend.chainId)),
  net_listening: method([], () => true),
  net_peerCount: method([], (backend: RpcBackend) => quantityHex(backend.peerCount())),
  web3_clientVersion: method([], (backend: RpcBackend) => backend.clientVersion),
  web3_sha3: method([data], (backend: RpcBackend, [bytes]) => bytesToHex(backend.crypto.keccak256(bytes))),
  eth_accounts: method([], () => []),
  eth_blockNumber: method([], (backend: RpcBackend) => quantityHex(backend.blocks.head.header.number)),
  eth_syncing: method([], (backend: RpcBackend) => {
    const progress = backend.syncing()
    if (progress === undefined) return false
    return { startingBlock: '0x0', currentBlock: quantityHex(progress.current), highestBlock: quantityHex(progress.highest) }
  }),
  rpc_modules: method([], () => ({ eth: '1.0', net: '1.0', rpc: '1.0', txpool: '1.0', web3: '1.0' })),
  txpool_status: method([], async (backend: RpcBackend) => {
    const { count, queued } = await backend.pool.stats()
    return { pending: quantityHex(count - queued), queued: quantityHex(queued) }
  }),
}
