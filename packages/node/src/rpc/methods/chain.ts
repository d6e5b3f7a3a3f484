import { CODE_REGISTRY_ADDRESS, MULTICALL_ADDRESS } from '@quoin/execution/contract'
import { bytesToHex, type Height } from '@quoin/protocol'
import type { RpcBackend } from '../backend.ts'
import { RpcError } from '../errors.ts'
import { forkId } from '../fork-id.ts'
import { quantityHex } from '../format.ts'
import * as forms from '../forms/index.ts'
import { type Methods, method } from '../method.ts'
import { data } from '../schema.ts'
import { formatProgress } from '../sync-changes.ts'

/** Version of the protocols between nodes (`/quoin/…/1`). */
const PROTOCOL_VERSION = 1

function coinbase(backend: RpcBackend) {
  const address = backend.coinbase()
  if (address !== undefined) return address
  throw new RpcError('no-coinbase', 'this node has no coinbase: its key is not in the validator set')
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
  eth_chainId: method({ summary: 'The id of the chain.', params: [], result: forms.quantity }, [], (backend: RpcBackend) =>
    quantityHex(backend.chainId),
  ),
  net_version: method(
    { summary: 'The id of the chain as a decimal number.', params: [], result: forms.decimal },
    [],
    (backend: RpcBackend) => String(backend.chainId),
  ),
  net_listening: method({ summary: 'Whether the node takes connections: true.', params: [], result: forms.flag }, [], () => true),
  net_peerCount: method(
    { summary: 'The number of connected nodes.', params: [], result: forms.quantity },
    [],
    (backend: RpcBackend) => quantityHex(backend.peerCount()),
  ),
  web3_clientVersion: method(
    { summary: 'Name and version of the node.', params: [], result: forms.string },
    [],
    (backend: RpcBackend) => backend.clientVersion,
  ),
  web3_sha3: method(
    { summary: 'keccak256 of bytes.', params: ['data'], result: forms.hash },
    [data],
    (backend: RpcBackend, [bytes]) => bytesToHex(backend.crypto.keccak256(bytes)),
  ),
  eth_accounts: method(
    { summary: 'The accounts whose keys the node has.', params: [], result: forms.list(forms.address) },
    [],
    () => [],
  ),
  eth_blockNumber: method(
    { summary: 'The number of the latest block.', params: [], result: forms.quantity },
    [],
    (backend: RpcBackend) => quantityHex(backend.blocks.head.header.number),
  ),
  eth_syncing: method(
    { summary: 'How far the node is behind, or false.', params: [], result: forms.syncing },
    [],
    (backend: RpcBackend) => {
      const progress = backend.syncing()
      return progress === undefined ? false : formatProgress(progress)
    },
  ),
  eth_coinbase: method(
    { summary: "The address that gets the fees of the node's blocks.", params: [], result: forms.address },
    [],
    coinbase,
  ),
  // Validators vote on blocks; nothing is mined.
  eth_mining: method({ summary: 'False: nothing is mined.', params: [], result: forms.flag }, [], () => false),
  eth_hashrate: method({ summary: 'Zero: nothing is mined.', params: [], result: forms.quantity }, [], () => '0x0'),
  eth_protocolVersion: method(
    { summary: 'The version of the protocols between nodes.', params: [], result: forms.quantity },
    [],
    () => quantityHex(PROTOCOL_VERSION),
  ),
  eth_config: method(
    { summary: 'The configuration of the chain (EIP-7910).', params: [], result: forms.configurations },
    [],
    config,
  ),
  eth_capabilities: method(
    { summary: 'Which blocks, states and proofs the node has.', params: [], result: forms.capabilities },
    [],
    capabilities,
  ),
  rpc_modules: method(
    { summary: 'The prefixes of methods, with their versions.', params: [], result: forms.mapOf(forms.string) },
    [],
    () => MODULES,
  ),
}
