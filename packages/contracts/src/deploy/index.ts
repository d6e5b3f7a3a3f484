/**
 * Deploys an artifact over JSON-RPC: for scripts of a project. An application uses viem or ethers.
 *
 * @module
 */
import {
  addressOfUncompressedKey,
  bytesToHex,
  nobleCrypto as crypto,
  encodeTransaction,
  type Gas,
  type Hex,
  hexToBytes,
  type Nonce,
  parseHex,
  signingPreimage,
  type UnsignedTransaction,
  Wei,
} from '@quoin/protocol'
import type { Abi } from 'abitype'
import { encodeDeployData, getAddress } from '#viem/utils'
import type { Artifact } from '../testing/artifact.ts'
import type { ConstructorInputs } from '../testing/contract-types.ts'
import { JsonRpc, quantity } from './json-rpc.ts'

/** How long a node may take until the transaction is in a block. */
const FINAL_MS_MAX = 60_000

/** The constructor's arguments are optional if it has none. */
export type DeployOptions<abi extends Abi = Abi> = {
  /** RPC of a node. */
  readonly url: string
  /** Key of the deployer, as 32 bytes of hex. It does not leave this process. */
  readonly privateKey: Hex
  /** In wei. */
  readonly value?: bigint
} & (Abi extends abi
  ? { readonly args?: readonly unknown[] }
  : ConstructorInputs<abi> extends readonly []
    ? { readonly args?: readonly [] }
    : { readonly args: ConstructorInputs<abi> })

/** A contract that is in a final block. Addresses have their EIP-55 checksum. */
export interface Deployed {
  readonly address: Hex
  readonly deployer: Hex
  readonly transactionHash: Hex
  readonly gasUsed: bigint
}

/**
 * Signs and sends the transaction that creates a contract, at the node's gas price and estimate, and waits for its block.
 *
 * @throws Error when the arguments do not fit the ABI, when the node does not answer or refuses, and when the constructor reverts
 */
export async function deploy<const abi extends Abi>(artifact: Artifact<abi>, options: DeployOptions<abi>): Promise<Deployed> {
  const { url, privateKey, value = 0n, args = [] } = options as DeployOptions
  const { abi, bytecode } = artifact as Artifact
  const secret = parseHex(privateKey)
  if (secret?.length !== 32) throw new Error('privateKey must be 32 bytes of hex')
  const rpc = new JsonRpc(url)
  const deployer = addressOf(secret)
  const data = encodeDeployData({ abi, bytecode, args } as Parameters<typeof encodeDeployData>[0])
  const unsigned = await transactionOf(rpc, deployer, data, value)
  const { signature, yParity } = crypto.sign(crypto.keccak256(signingPreimage(unsigned)), secret)
  const raw = bytesToHex(encodeTransaction(unsigned, { signature, yParity }))
  const receipt = (await rpc.call('eth_sendRawTransactionSync', [raw, FINAL_MS_MAX], FINAL_MS_MAX)) as Receipt
  if (receipt.status !== '0x1') throw new Error(`the deployment failed: ${receipt.transactionHash}`)
  return {
    address: getAddress(receipt.contractAddress),
    deployer: getAddress(deployer),
    transactionHash: receipt.transactionHash,
    gasUsed: quantity(receipt.gasUsed),
  }
}

interface Receipt {
  readonly status: Hex
  readonly transactionHash: Hex
  readonly contractAddress: Hex
  readonly gasUsed: Hex
}

async function transactionOf(rpc: JsonRpc, from: Hex, data: Hex, value: bigint): Promise<UnsignedTransaction> {
  const call = { from, data, value: `0x${value.toString(16)}` }
  const asked = [
    rpc.call('eth_chainId', []),
    rpc.call('eth_getTransactionCount', [from, 'pending']),
    rpc.call('eth_gasPrice', []),
    rpc.call('eth_estimateGas', [call]),
  ]
  const [chainId, nonce, gasPrice, gas] = (await Promise.all(asked)).map(quantity) as [bigint, bigint, bigint, bigint]
  const price = Wei(gasPrice)
  return {
    ...{ type: 0, chainId: Number(chainId), nonce: Number(nonce) as Nonce, gasLimit: Number(gas) as Gas },
    ...{ maxPriorityFeePerGas: price, maxFeePerGas: price, to: undefined, value: Wei(value) },
    ...{ data: hexToBytes(data), accessList: [] },
  }
}

function addressOf(secret: Uint8Array): Hex {
  const compressed = crypto.publicKey(secret)
  const uncompressed = compressed && crypto.decompress(compressed)
  if (uncompressed === undefined) throw new Error('privateKey is not a key of secp256k1')
  return addressOfUncompressedKey(crypto, uncompressed)
}
