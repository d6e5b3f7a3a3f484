import { type Crypto, type Curve, nobleCrypto, strictCurve } from '@quoin/protocol'

const SIGN_OPTIONS = { prehash: false, extraEntropy: false, lowS: true } as const
const VERIFY_OPTIONS = { prehash: false, lowS: true } as const

/** libsecp256k1 compiled to WebAssembly by ox. Works on every platform. Compiles asynchronously; the functions are synchronous. */
export async function loadOxWasmCurve(): Promise<Curve> {
  // Dynamic import: threads that use the native library need not load it.
  const { engine, InvalidInputError } = await import('#ox/wasm/Secp256k1')
  const library = await engine()
  return strictCurve({
    recover(digest, signature, yParity) {
      // The library's recoverable signatures start with the recovery id.
      const recovered = new Uint8Array(65)
      recovered[0] = yParity
      recovered.set(signature, 1)
      try {
        return library.recoverPublicKey(recovered, digest).slice(1)
      } catch (error) {
        if (error instanceof InvalidInputError) return undefined
        throw error
      }
    },
    verify: (digest, signature, publicKey) => library.verify(signature, digest, publicKey, VERIFY_OPTIONS),
    sign(digest, secretKey) {
      const recovered = library.sign(digest, secretKey, SIGN_OPTIONS)
      return { signature: recovered.slice(1), yParity: (recovered[0]! & 1) as 0 | 1 }
    },
    publicKey(secretKey) {
      const uncompressed = library.getPublicKey(secretKey)
      const compressed = uncompressed.slice(0, 33)
      compressed[0] = 2 + (uncompressed[64]! & 1)
      return compressed
    },
    // The library cannot decompress points. Keys are decompressed when a validator is registered, which is not a hot path.
    decompress: nobleCrypto.decompress,
  })
}

/** Keccak and SHA-256 in WebAssembly. */
export async function loadOxWasmHashes(): Promise<Pick<Crypto, 'keccak256' | 'sha256'>> {
  const { engine } = await import('#ox/wasm/Hash')
  const { keccak256, sha256 } = await engine()
  return { keccak256, sha256 }
}
