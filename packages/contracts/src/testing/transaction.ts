import { type Address, concatBytes, encodeRlp, hexToBytes, integerPayload } from '@quoin/protocol'

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
export function encodeTransaction({ from, to, value, data, gas }: Message, nonce: number, chainId: number): Uint8Array {
  const zero = integerPayload(0)
  const fields = [
    integerPayload(chainId),
    integerPayload(nonce),
    zero,
    zero,
    integerPayload(gas),
    to === undefined ? new Uint8Array(0) : hexToBytes(to),
    integerPayload(value),
    data,
    [],
    zero,
    // With a 1 in front, so that it is never 0.
    Uint8Array.of(1, ...hexToBytes(from)),
    integerPayload(1),
  ]
  return concatBytes(Uint8Array.of(2), encodeRlp(fields))
}
