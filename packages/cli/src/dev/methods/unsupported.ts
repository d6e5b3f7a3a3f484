import { RpcError } from '@quoin/node/rpc'
import { type DevMethods, underBothNames } from './naming.ts'

const FEES = 'gas is free on a development chain: there is no price to set'
const PARAMETERS = "this is a chain parameter, fixed by the development chain's genesis"
const FORKS = 'quoin dev cannot fork another chain'

/** Methods of anvil and Hardhat that this node does not support, with the reason. */
const REASONS: Readonly<Record<string, string>> = {
  autoImpersonate: 'use anvil_autoImpersonateAccount',
  dumpState: 'state cannot be written to a file: use evm_snapshot, which keeps it in memory',
  loadState: 'state cannot be read from a file: deploy in a script, and keep the state with evm_snapshot',
  setChainId: 'the chain id is fixed by the genesis: start quoin dev with --chain-id',
  setCoinbase: PARAMETERS,
  setLoggingEnabled: 'start quoin dev with --quiet',
  setMinGasPrice: FEES,
  setNextBlockBaseFeePerGas: FEES,
  setPrevRandao: 'blocks have no random value',
  setRpcUrl: FORKS,
  setBlockGasLimit: PARAMETERS,
}

const refusing = (reason: string) => ({
  async run(): Promise<never> {
    throw new RpcError('method-not-found', `quoin dev does not support this: ${reason}`)
  },
})

/** Methods that fail with the reason why they are not supported. */
export const unsupportedMethods: DevMethods = {
  ...Object.fromEntries(
    Object.entries(REASONS).flatMap(([name, reason]) => Object.entries(underBothNames(name, refusing(reason)))),
  ),
  evm_setBlockGasLimit: refusing(PARAMETERS),
}
