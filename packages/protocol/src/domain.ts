import { type Hash, hexToBytes } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'

/**
 * Binds every signature that is not an Ethereum transaction to one chain and to one restart of it. Messages of two chains, of two restarts of
 * a chain, or of two kinds never share a digest.
 */
export interface SigningDomain {
  readonly genesisHash: Hash
  /** `Restart.epoch` of genesis; 0 before the first restart. */
  readonly restartEpoch: number
}

/** Kinds of signed messages, with the byte that stands for each in the preimage. */
export const SIGNED_KIND = { prevote: 1, precommit: 2, proposal: 3, handshake: 4, ready: 5, rotation: 6 } as const
export type SignedKind = keyof typeof SIGNED_KIND

export const signingDomainCodec: codec.Codec<SigningDomain> = codec.struct({ genesisHash: codec.hash, restartEpoch: codec.u32() })

/**
 * The 32-byte digest to sign: SHA-256(genesis hash ‖ restart epoch, 4 bytes ‖ kind, 1 byte ‖ payload). SHA-256 and not keccak256, so that no
 * such signature is valid for an Ethereum transaction or message.
 *
 * @throws RangeError or TypeError if the payload's codec cannot encode the value.
 */
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
