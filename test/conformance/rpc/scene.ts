import { type Address, DEFAULT_PARAMETERS, hexToBytes } from '@quoin/protocol'
import { encodeDeployData, encodeFunctionData, getContractAddress, type Hex, keccak256 } from 'viem'
import { openTestNode, type TestNode, testAccounts, testGenesis } from '../../../packages/node/test/chain.ts'
import { crypto, oneValidator } from '../../../packages/node/test/fixture.ts'
import { serveTestNode, type TestRpc } from '../../../packages/node/test/rpc.ts'
import { readContract } from '../../contracts/contract.mjs'

const token = readContract('token')
const [alice, bob] = testAccounts as [(typeof testAccounts)[0], (typeof testAccounts)[0]]
const CHAIN_ID = 31_337
const GWEI = 10n ** 9n

/** A node with transactions of all kinds, final, waiting for a block, and waiting for a nonce. */
export interface Scene {
  readonly node: TestNode
  readonly rpc: TestRpc
  readonly token: Address
  readonly alice: Address
  readonly bob: Address
  /** Hashes of final transactions by their kind. All but the first are in block 2. */
  readonly final: Readonly<Record<'deployment' | 'transfer' | 'call' | 'failed', Hex>>
  /** In the pool. */
  readonly pending: Hex
  /** A transaction that nobody has sent yet. */
  readonly next: () => Promise<Hex>
  readonly blockHash: Hex
}

/** Calldata of a function of the token. */
export const tokenCall = (functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: token.abi, functionName, args } as never)

const fees = { maxFeePerGas: 10n * GWEI, maxPriorityFeePerGas: GWEI }

export async function openScene(): Promise<Scene> {
  const genesis = testGenesis(crypto, oneValidator.set, { parameters: { ...DEFAULT_PARAMETERS, feePolicy: 'burn' } })
  const node = await openTestNode({ crypto, validators: oneValidator, genesis })
  const feeAddress = oneValidator.set.validators[0]!.feeAddress
  const rpc = await serveTestNode(node, crypto, {}, { backend: { coinbase: () => feeAddress } })
  const address = getContractAddress({ from: alice.address, nonce: 0n }).toLowerCase() as Address
  let nonce = 0
  const signed = async (fields: object, own = nonce++): Promise<Hex> =>
    alice.signTransaction({ chainId: CHAIN_ID, nonce: own, gas: 5_000_000n, ...fields } as never)
  const produce = async (...raws: Hex[]): Promise<Hex[]> => {
    await node.produce(raws.map((raw) => hexToBytes(raw)))
    return raws.map((raw) => keccak256(raw))
  }
  const creation = encodeDeployData({
    abi: token.abi,
    bytecode: token.bytecode,
    args: ['Gold', 'GLD', alice.address, 1_000n],
  } as never)
  const [deployment] = await produce(await signed({ type: 'eip1559', data: creation, ...fees, gas: 20_000_000n }))
  const accessList = [{ address, storageKeys: [`0x${'1'.repeat(64)}`] }]
  const [transfer, call, failed] = await produce(
    await signed({ type: 'legacy', to: bob.address, value: 1n, gas: 21_000n, gasPrice: 5n * GWEI }),
    await signed({
      type: 'eip2930',
      to: address,
      data: tokenCall('transfer', [bob.address, 9n]),
      gasPrice: 5n * GWEI,
      accessList,
    }),
    await signed({ type: 'eip1559', to: address, data: tokenCall('transfer', [bob.address, 5_000n]), ...fees }),
  )
  const send = async (raw: Hex): Promise<Hex> => (await rpc.call('eth_sendRawTransaction', raw)).result as Hex
  const pending = await send(await signed({ type: 'eip1559', to: bob.address, value: 2n, gas: 21_000n, ...fees }))
  await send(await signed({ type: 'legacy', to: bob.address, value: 3n, gas: 21_000n, gasPrice: 5n * GWEI }, nonce + 5))
  return {
    ...{ node, rpc, token: address, pending },
    ...{ alice: alice.address.toLowerCase() as Address, bob: bob.address.toLowerCase() as Address },
    final: { deployment: deployment!, transfer: transfer!, call: call!, failed: failed! },
    next: () => signed({ type: 'eip2930', to: bob.address, value: 1n, gas: 30_000n, gasPrice: 5n * GWEI, accessList }),
    blockHash: node.store.head.hash,
  }
}
