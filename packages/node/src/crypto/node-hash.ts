import * as nodeCrypto from 'node:crypto'
import type { Crypto } from '@quoin/protocol'

/** One-shot SHA-256 of OpenSSL. Throws where Node has no `crypto.hash` (before 20.12). */
export function loadNodeSha256(): Crypto['sha256'] {
  const { hash } = nodeCrypto
  if (typeof hash !== 'function') throw new Error('this Node has no crypto.hash')
  return (bytes) => {
    const digest = hash('sha256', bytes, 'buffer')
    // A plain array: `slice` of a Buffer would share its memory where callers expect a copy.
    return new Uint8Array(digest.buffer, digest.byteOffset, digest.byteLength)
  }
}
