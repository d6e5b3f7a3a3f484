import { randomBytes } from 'node:crypto'
import { type Curve, strictCurve } from '@quoin/protocol'

/** The used part of `secp256k1` 5 (libsecp256k1 as a Node addon). The package ships no types. */
interface Bindings {
  contextRandomize(seed: Uint8Array): void
  ecdsaRecover(signature: Uint8Array, recoveryId: number, digest: Uint8Array, compressed: boolean): Uint8Array
  ecdsaVerify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean
  ecdsaSign(digest: Uint8Array, secretKey: Uint8Array): { readonly signature: Uint8Array; readonly recid: number }
  publicKeyCreate(secretKey: Uint8Array, compressed: boolean): Uint8Array
  publicKeyConvert(publicKey: Uint8Array, compressed: boolean): Uint8Array
}

/** The library's error messages (its lib/index.js) for input of the right size that is not a valid signature or point. */
const RECOVER = 'Public key could not be recover'
const PUBKEY_PARSE = 'Public Key could not be parsed'

/**
 * libsecp256k1 as a Node addon. The package's main module is never loaded: without a binary it silently falls back to elliptic, which is
 * 27 times slower.
 *
 * @throws If the package has no binary for this platform (it ships linux-x64, darwin-arm64 and win32-x64).
 */
export async function loadSecp256k1Native(): Promise<Curve> {
  // @ts-expect-error the package has no types
  const { default: bindings } = (await import('#secp256k1/bindings.js')) as { readonly default: Bindings }
  // Blinds scalar multiplication by the generator against side channels. Does not change results.
  bindings.contextRandomize(randomBytes(32))
  return strictCurve({
    recover: (digest, signature, yParity) =>
      unless(RECOVER, () => bindings.ecdsaRecover(signature, yParity, digest, false).slice(1)),
    verify: (digest, signature, publicKey) =>
      unless(PUBKEY_PARSE, () => bindings.ecdsaVerify(signature, digest, publicKey)) ?? false,
    sign(digest, secretKey) {
      const { signature, recid } = bindings.ecdsaSign(digest, secretKey)
      return { signature, yParity: (recid & 1) as 0 | 1 }
    },
    publicKey: (secretKey) => bindings.publicKeyCreate(secretKey, true),
    decompress: (publicKey) => unless(PUBKEY_PARSE, () => bindings.publicKeyConvert(publicKey, false).slice(1)),
  })
}

/** The result of `call`, or undefined if the library threw this message. */
function unless<T>(refusal: string, call: () => T): T | undefined {
  try {
    return call()
  } catch (error) {
    if (error instanceof Error && error.message === refusal) return undefined
    throw error
  }
}
