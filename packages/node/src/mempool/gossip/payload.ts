import { codec, LIMITS, type Result } from '@quoin/protocol'
import { GOSSIP_LIMITS } from './limits.ts'

/** Content of a gossip payload: raw signed transactions. */
const payloadCodec = codec.list(codec.bytes(LIMITS.transactionBytesMax), GOSSIP_LIMITS.payloadTransactionsMax)

/** Encodes transactions as a gossip payload. */
export const encodeTransactionsPayload = (raws: readonly Uint8Array[]): Uint8Array => codec.encode(payloadCodec, raws)

/** Splits a gossip payload into raw transactions. Verifies none of them. */
export const decodeTransactionsPayload = (payload: Uint8Array): Result<readonly Uint8Array[], { readonly message: string }> =>
  codec.decode(payloadCodec, payload)
