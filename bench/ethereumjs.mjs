import { readFileSync } from 'node:fs'
import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { createEVM } from '@ethereumjs/evm'
import { createAccount, createAddressFromString } from '@ethereumjs/util'
import { UndoStateManager } from './undo-state.mjs'

const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))

export const ETHEREUMJS = `@ethereumjs/evm ${dependencies['@ethereumjs/evm']}`

/** Hard fork for compiling and running the contract. Of the forks since Cancun it is the fastest to run. */
export const EVM_VERSION = Hardfork.Cancun

const GAS = 10_000_000n

/**
 * An EVM with a deployed contract, in the fastest configuration that was found: state in memory with an undo log instead of copies, and keccak256 in
 * WebAssembly instead of JavaScript.
 *
 * @param {{ crypto: { keccak256(data: Uint8Array): Uint8Array }, deployer: string, creation: Uint8Array }} options `creation`: bytecode and
 *   constructor arguments
 */
export async function deployOnEthereumjs({ crypto, deployer, creation }) {
  const customCrypto = { keccak256: (data) => crypto.keccak256(data) }
  const common = new Common({ chain: Mainnet, hardfork: EVM_VERSION, customCrypto })
  const evm = await createEVM({ common, stateManager: new UndoStateManager({ common }) })

  /** Runs a call with a new access list and new original storage, as for a transaction. */
  async function run(message) {
    const { execResult, createdAddress } = await evm.runCall({ gasLimit: GAS, ...message })
    if (execResult.exceptionError !== undefined) throw new Error(`the EVM says ${execResult.exceptionError.error}`)
    evm.journal.cleanJournal()
    evm.stateManager.originalStorageCache.clear()
    return { ...execResult, createdAddress }
  }

  const { createdAddress: to } = await run({ caller: createAddressFromString(deployer), data: creation })
  return {
    /** Funds an account that sends messages. */
    addAccount: async (address) => {
      const caller = createAddressFromString(address)
      await evm.stateManager.putAccount(caller, createAccount({ balance: 10n ** 18n }))
      return caller
    },

    /** @returns {Promise<{ gas: number, data: Uint8Array, logs: [address: Uint8Array, topics: Uint8Array[], data: Uint8Array][] }>} */
    call: async (caller, data) => {
      const { executionGasUsed, returnValue, logs } = await run({ caller, to, data })
      return { gas: Number(executionGasUsed), data: returnValue, logs }
    },
  }
}
