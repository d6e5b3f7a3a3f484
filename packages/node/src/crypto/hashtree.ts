import { createRequire } from 'node:module'
import { type HashPairs, strictHashPairs } from '@quoin/protocol'

interface Bindings {
  hashInto(input: Uint8Array, output: Uint8Array): void
}

/**
 * Merkle layers by @chainsafe/hashtree: SHA-256 of several blocks at once with the processor's vector instructions. The library reads each
 * group of blocks before it writes their digests, so the output may overlap the input; the self-test covers every group width.
 *
 * @throws If the package for this platform is missing.
 */
export function loadHashtree(): HashPairs {
  const require = createRequire(import.meta.url)
  const { hashInto } = require('@chainsafe/hashtree') as Bindings
  return strictHashPairs((input, output, count) => {
    // The library requires exact lengths.
    hashInto(exactly(input, 64 * count), exactly(output, 32 * count))
  })
}

const exactly = (bytes: Uint8Array, length: number): Uint8Array => (bytes.length === length ? bytes : bytes.subarray(0, length))
