import { encodeFunctionData, getContractAddress } from 'viem'
import { compileSolidity } from '../../../bench/solidity.mjs'
import { startAnvil } from './development-chains.mjs'
import { rpc } from './rpc.mjs'

const BLOCK_GAS_MAX = 1_000_000_000
const TRANSFERS = 2_000

/**
 * Time of a transfer on revm, anvil's EVM in Rust: an `eth_call` of a contract that makes many transfers, minus one that makes none. The overhead of
 * separate messages (signature, nonce, fee, calldata) is not included.
 *
 * @param {{ hardfork: string, rounds: number }} options
 * @returns {Promise<{ us: number[], gas: number }>} microseconds of a transfer in each round
 */
export async function transfersOnRevm({ hardfork, rounds }) {
  const { abi, bytecode } = compileSolidity('Transfers', hardfork)
  const chain = await startAnvil({ hardfork, blockGasMax: BLOCK_GAS_MAX })
  try {
    const [from] = await rpc(chain.port, 'eth_accounts')
    const gas = `0x${(BLOCK_GAS_MAX / 2).toString(16)}`
    const to = getContractAddress({ from, nonce: 0n })
    const call = (count) => ({ from, to, gas, data: encodeFunctionData({ abi, functionName: 'run', args: [BigInt(count)] }) })
    for (const transaction of [{ from, gas, data: bytecode }, call(TRANSFERS)]) {
      const hash = await rpc(chain.port, 'eth_sendTransaction', transaction)
      let receipt = null
      while (receipt === null) receipt = await rpc(chain.port, 'eth_getTransactionReceipt', hash)
      if (receipt.status !== '0x1') throw new Error('anvil: a transaction failed')
    }
    const timeOf = async (count) => {
      const started = performance.now()
      await rpc(chain.port, 'eth_call', call(count), 'latest')
      return 1000 * (performance.now() - started)
    }
    const us = []
    for (let round = -3; round < rounds; round++) {
      const [none, many] = [await timeOf(0), await timeOf(TRANSFERS)]
      if (round >= 0) us.push((many - none) / TRANSFERS)
    }
    const [none, many] = [
      Number(await rpc(chain.port, 'eth_estimateGas', call(0))),
      Number(await rpc(chain.port, 'eth_estimateGas', call(TRANSFERS))),
    ]
    return { us, gas: (many - none) / TRANSFERS }
  } finally {
    await chain.stop()
  }
}
