import { type Address, type ChainId, encodeTransaction, type Gas, hexToBytes, type Nonce, Wei } from '@quoin/protocol'

/** A test's transaction. The test chooses the sender freely. */
export interface Message {
  readonly from: Address
  /** Undefined creates a contract. */
  readonly to: Address | undefined
  readonly value: bigint
  readonly data: Uint8Array
  readonly gas: number
}

/**
 * Network encoding of an unsigned type-2 transaction. The executor gets the sender from its caller. The signature field contains the sender's address,
 * so that equal transactions of different senders have different bytes.
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

/** r is a byte 1 followed by the sender's address, so that it is never 0; s is 1. */
function signatureOf(sender: Address): Uint8Array {
  const signature = new Uint8Array(64)
  signature.set([1, ...hexToBytes(sender)], 32 - 21)
  signature[63] = 1
  return signature
}
