import { type Address, type ChainId, encodeTransaction, type Gas, hexToBytes, type Nonce, Wei } from '@quoin/protocol'

/** What a transaction of a test does; its sender is who the test says. */
export interface Message {
  readonly from: Address
  /** Undefined creates a contract. */
  readonly to: Address | undefined
  readonly value: bigint
  readonly data: Uint8Array
  readonly gas: number
}

/**
 * Network encoding of a transaction of type 2 that nobody signed: the executor takes the sender's word from its caller. The sender stands where
 * the signature would, so that no two transactions are the same bytes.
 */
export function encodeMessage({ from, to, value, data, gas }: Message, nonce: number, chainId: ChainId): Uint8Array {
  const free = Wei(0n)
  const fees = { maxPriorityFeePerGas: free, maxFeePerGas: free }
  const rest = {
    type: 2,
    chainId,
    nonce: nonce as Nonce,
    gasLimit: gas as Gas,
    to,
    value: Wei(value),
    data,
    accessList: [],
  } as const
  return encodeTransaction({ ...rest, ...fees }, { signature: signatureOf(from), yParity: 0 })
}

/** r is the sender's address with a 1 in front, so that it is never 0; s is 1. */
function signatureOf(sender: Address): Uint8Array {
  const signature = new Uint8Array(64)
  signature.set([1, ...hexToBytes(sender)], 32 - 21)
  signature[63] = 1
  return signature
}
