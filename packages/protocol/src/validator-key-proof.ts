import type { Address, Hash } from './bytes.ts'
import * as codec from './codec.ts'
import type { Crypto } from './crypto.ts'
import { type SigningDomain, signingDigest } from './domain.ts'
import type { Height } from './numbers.ts'

const readyPayload = codec.struct({ id: codec.hash, height: codec.u64<Height>() })
const rotationPayload = codec.struct({ id: codec.hash, previous: codec.address })

/**
 * The 32-byte digest that a validator's key signs to show that it is in use, before the validator gets power.
 *
 * @param height a recent block; the proof counts from there
 */
export const readyDigest = (crypto: Crypto, domain: SigningDomain, id: Hash, height: Height): Uint8Array =>
  signingDigest(crypto, domain, 'ready', readyPayload, { id, height })

/**
 * The 32-byte digest that a validator's new key signs when it takes the place of another.
 *
 * @param previous address of the key that it replaces
 */
export const rotationDigest = (crypto: Crypto, domain: SigningDomain, id: Hash, previous: Address): Uint8Array =>
  signingDigest(crypto, domain, 'rotation', rotationPayload, { id, previous })
