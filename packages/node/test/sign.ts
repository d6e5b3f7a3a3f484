import { type Address, addressOfPublicKey, bytesToHex, type Crypto, hexToBytes, publicKeyOf } from '@quoin/protocol'
import { type Hex, serializeTransaction } from 'viem'

export interface TestKey {
  readonly secretKey: Uint8Array
  readonly address: Address
}

/** The nth key of a test. */
export function testKey(crypto: Crypto, n: number): TestKey {
  const secretKey = new Uint8Array(32)
  new DataView(secretKey.buffer).setUint32(0, 0x51ab)
  new DataView(secretKey.buffer).setUint32(28, n + 1)
  return { secretKey, address: addressOfPublicKey(crypto, publicKeyOf(crypto.publicKey(secretKey)!)!)! }
}

export interface SignedSpec {
  readonly nonce: number
  readonly gas: bigint
  readonly to?: Address | undefined
  readonly value?: bigint
  readonly data?: Hex
  /** Fee cap and tip, in wei. */
  readonly fee?: bigint
}

/** Signs a transaction and returns its network encoding. For tests that need thousands: viem's signer takes 25 times as long as a native one. */
export function signTransaction(crypto: Crypto, { secretKey }: TestKey, { fee = 0n, ...spec }: SignedSpec): Uint8Array {
  const transaction = { type: 'eip1559', chainId: 31_337, ...spec, maxFeePerGas: fee, maxPriorityFeePerGas: fee } as const
  const digest = crypto.keccak256(hexToBytes(serializeTransaction(transaction)))
  const { signature, yParity } = crypto.sign(digest, secretKey)
  const [r, s] = [bytesToHex(signature.subarray(0, 32)), bytesToHex(signature.subarray(32))]
  return hexToBytes(serializeTransaction(transaction, { r, s, yParity }))
}
