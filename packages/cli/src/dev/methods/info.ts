import { method, quantityHex } from '@quoin/node/rpc'
import { headerTimestamp } from '@quoin/protocol'
import type { DevBackend } from '../dev-backend.ts'
import type { DevMethods } from './naming.ts'

/** Prefixes of method names. */
const MODULES = ['anvil', 'debug', 'eth', 'evm', 'hardhat', 'net', 'personal', 'rpc', 'txpool', 'web3']

function nodeInfo(backend: DevBackend) {
  const { header, hash } = backend.blocks.head
  const gasPrice = quantityHex(backend.nextBaseFee())
  return {
    currentBlockNumber: quantityHex(header.number),
    currentBlockTimestamp: headerTimestamp(header),
    currentBlockHash: hash,
    hardFork: 'quoin',
    transactionOrder: 'fees',
    environment: { baseFee: gasPrice, chainId: backend.chainId, gasLimit: quantityHex(header.gasLimit), gasPrice },
    forkConfig: { forkUrl: null, forkBlockNumber: null, forkRetryBackoff: null },
  }
}

/** Information about the node, in anvil's format. */
export const infoMethods: DevMethods = {
  anvil_nodeInfo: method([], nodeInfo),
  rpc_modules: method([], () => Object.fromEntries(MODULES.map((name) => [name, '1.0']))),
}
