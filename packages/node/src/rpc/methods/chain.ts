import { CODE_REGISTRY_ADDRESS, MULTICALL_ADDRESS } from '@quoin/execution/contract'
import { bytesToHex, type Height } from '@quoin/protocol'
import type { RpcBackend } from '../backend.ts'
import { RPC_CODE, RpcError } from '../errors.ts'
import { forkId } from '../fork-id.ts'
import { quantityHex } from '../format.ts'
import { type Methods, method } from '../method.ts'
import { data } from '../schema.ts'
import { formatProgress } from '../sync-changes.ts'

/** Version of the protocols between nodes (`/quoin/…/1`). */
const PROTOCOL_VERSION = 1

function coinbase(backend: RpcBackend) {
  const address = backend.coinbase()
  if (address !== undefined) return address
  throw new RpcError(RPC_CODE.server, 'this node has no coinbase: its key is not in the validator set')
}

/** EIP-7910. The chain has one configuration from genesis on, neither blobs nor precompiles, and native contracts of its own. */
function config(backend: RpcBackend) {
  const { hash } = backend.blocks.header(0 as Height)!
  const current = {
    // EIP-7910: 0 for what is active from genesis on.
    activationTime: 0,
    blobSchedule: { baseFeeUpdateFraction: 0, max: 0, target: 0 },
    chainId: quantityHex(backend.chainId),
    forkId: forkId(hash),
    precompiles: {},
    systemContracts: { CODE_REGISTRY: CODE_REGISTRY_ADDRESS, MULTICALL3: MULTICALL_ADDRESS },
  }
  return { current, next: null, last: null }
}

const COMPLETE = { disabled: false, oldestBlock: '0x0' } as const

/** Proofs (`quoin_getProof`) exist for recent blocks only. */
const stateProofs = ({ proofs }: RpcBackend) =>
  proofs.blocks === 0
    ? { disabled: true }
    : {
        disabled: false,
        oldestBlock: quantityHex(proofs.oldest()),
        deleteStrategy: { type: 'window', retentionBlocks: quantityHex(proofs.blocks) },
      }

/** A node keeps all blocks and the state after each of them. */
function capabilities(backend: RpcBackend) {
  const { blocks } = backend
  const { header, hash } = blocks.head
  return {
    head: { number: quantityHex(header.number), hash },
    ...{ state: COMPLETE, tx: COMPLETE, logs: COMPLETE, receipts: COMPLETE, blocks: COMPLETE },
    stateproofs: stateProofs(backend),
  }
}

const MODULES = Object.fromEntries(['debug', 'erigon', 'eth', 'net', 'ots', 'rpc', 'txpool', 'web3'].map((name) => [name, '1.0']))

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
    return progress === undefined ? false : formatProgress(progress)
  }),
  eth_coinbase: method([], coinbase),
  // Validators vote on blocks; nothing is mined.
  eth_mining: method([], () => false),
  eth_hashrate: method([], () => '0x0'),
  eth_protocolVersion: method([], () => quantityHex(PROTOCOL_VERSION)),
  eth_config: method([], config),
  eth_capabilities: method([], capabilities),
  rpc_modules: method([], () => MODULES),
}
