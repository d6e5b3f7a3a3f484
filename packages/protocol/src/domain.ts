import { type Hash, hexToBytes } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'

/**
 * What every signature that is not an Ethereum transaction is bound to. Two chains, two restarts of one chain, or two kinds of message
 * never share a digest. SHA-256, not keccak256, so that no vote can be read as an Ethereum transaction or message.
 */
export interface SigningDomain {
  readonly genesisHash: Hash
  /** Count of restarts that genesis names; 0 until the first. */
  readonly restartEpoch: number
}

/** Kinds of signed message; the number is the byte in the preimage. */
export const SIGNED_KIND = { prevote: 1, precommit: 2, proposal: 3, handshake: 4 } as const
export type SignedKind = keyof typeof SIGNED_KIND

/** SHA-256(genesis hash ‖ restart epoch, 4 bytes ‖ kind, 1 byte ‖ payload). */
export function signingDigest<T>(
  crypto: Crypto,
  domain: SigningDomain,
  kind: SignedKind,
  payload: codec.Codec<T>,
  value: T,
): Uint8Array {
  const writer = new codec.Writer()
  writer.bytes(hexToBytes(domain.genesisHash))
  writer.u32(domain.restartEpoch)
  writer.u8(SIGNED_KIND[kind])
  payload.write(writer, value)
  return crypto.sha256(writer.finish())
}
