import { addressOfPublicKey, bytesToHex, type Crypto, hexToBytes, publicKeyOf, utf8ToBytes } from '@quoin/protocol'
import { type Hex, serializeTransaction } from 'viem'

const CHAIN_ID = 31_337

export interface Key {
  readonly secretKey: Uint8Array
}

export interface Unsigned {
  readonly to?: string
  readonly value?: bigint
  readonly data?: string
  readonly gas: bigint
  /** Nominal on a chain that charges nothing. */
  readonly tip?: bigint
}

export interface Signed {
  readonly raw: Hex
  readonly hash: Hex
}

export type Signer = (key: Key, nonce: number, transaction: Unsigned) => Signed

/** Signs with the node's own backend: viem's takes 25 times as long. */
export function signer(crypto: Crypto): Signer {
  return ({ secretKey }, nonce, { to, value = 0n, data, gas, tip = 0n }) => {
    const unsigned = {
      type: 'eip1559' as const,
      ...{ chainId: CHAIN_ID, nonce, value, gas, maxFeePerGas: tip, maxPriorityFeePerGas: tip },
      ...(to === undefined ? {} : { to: to as Hex }),
      ...(data === undefined ? {} : { data: data as Hex }),
    }
    const digest = crypto.keccak256(hexToBytes(serializeTransaction(unsigned)))
    const { signature, yParity } = crypto.sign(digest, secretKey)
    const [r, s] = [0, 32].map((at) => bytesToHex(signature.subarray(at, at + 32)) as Hex)
    const raw = serializeTransaction(unsigned, { r: r!, s: s!, yParity })
    return { raw, hash: bytesToHex(crypto.keccak256(hexToBytes(raw))) as Hex }
  }
}

/** A key derived from a name, with its address. */
export function keyOf(crypto: Crypto, name: string): Key & { readonly address: Hex } {
  const secretKey = crypto.sha256(utf8ToBytes(name))
  return { secretKey, address: addressOfPublicKey(crypto, publicKeyOf(crypto.publicKey(secretKey)!)) as Hex }
}
