import * as nodeCrypto from 'node:crypto'
import type { Crypto } from '@quoin/protocol'

/** One-shot SHA-256 of OpenSSL. Throws if Node has no `crypto.hash` (before 20.12). */
export function loadNodeSha256(): Crypto['sha256'] {
  const { hash } = nodeCrypto
  if (typeof hash !== 'function') throw new Error('this version of Node.js has no crypto.hash (added in 20.12)')
  return (bytes) => {
    const digest = hash('sha256', bytes, 'buffer')
    // Return a plain Uint8Array, because `slice` of a Buffer shares its memory while callers expect a copy.
    return new Uint8Array(digest.buffer, digest.byteOffset, digest.byteLength)
  }
}
