import { forms, method, quantityHex } from '@quoin/node/rpc'
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

const NODE_INFO = forms.open({
  ...{ currentBlockNumber: forms.quantity, currentBlockTimestamp: forms.whole, currentBlockHash: forms.hash },
  ...{ hardFork: forms.string, transactionOrder: forms.string },
  environment: forms.open({ baseFee: forms.quantity, chainId: forms.whole, gasLimit: forms.quantity, gasPrice: forms.quantity }),
  forkConfig: forms.open({ forkUrl: forms.nothing, forkBlockNumber: forms.nothing, forkRetryBackoff: forms.nothing }),
})

/** Information about the node, in anvil's format. */
export const infoMethods: DevMethods = {
  anvil_nodeInfo: method(
    { summary: 'The head, the fees and the chain id of the node.', params: [], result: NODE_INFO },
    [],
    nodeInfo,
  ),
  rpc_modules: method(
    { summary: 'The prefixes of methods, with their versions.', params: [], result: forms.mapOf(forms.string) },
    [],
    () => Object.fromEntries(MODULES.map((name) => [name, '1.0'])),
  ),
}
