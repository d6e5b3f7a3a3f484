import { RPC_CODE, RpcError } from '@quoin/node/rpc'
import { type DevMethods, underBothNames } from './naming.ts'

const FEES = 'gas is free on a development chain: there is no price to set'
const PARAMETERS = "it is a parameter of the chain, which a development chain's genesis fixes"
const FORKS = 'quoin dev cannot fork another chain'

/** What anvil and Hardhat have besides, and why it is not here. */
const REASONS: Readonly<Record<string, string>> = {
  autoImpersonate: 'the name is anvil_autoImpersonateAccount',
  dumpState: 'the state is not written to files: evm_snapshot keeps it in memory',
  loadState: 'the state is not read from files: deploy in a script, and keep it with evm_snapshot',
  setChainId: 'the chain id stands in genesis: start quoin dev with --chain-id',
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
    throw new RpcError(RPC_CODE.methodNotFound, `quoin dev does not support this: ${reason}`)
  },
})

/** Methods that answer with the reason why they are not there. */
export const unsupportedMethods: DevMethods = {
  ...Object.fromEntries(
    Object.entries(REASONS).flatMap(([name, reason]) => Object.entries(underBothNames(name, refusing(reason)))),
  ),
  evm_setBlockGasLimit: refusing(PARAMETERS),
}
