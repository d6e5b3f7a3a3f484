import { hexToBytes } from './bytes.ts'
import type { Crypto } from './crypto.ts'
import type { Log } from './receipt.ts'

/** Size of Ethereum's log filter, 2048 bits (yellow paper, 4.3.1). Each address and topic of a log sets three bits. */
export const BLOOM_BYTES = 256

export const emptyBloom = (): Uint8Array => new Uint8Array(BLOOM_BYTES)

/** Positions of the three bits of an address or topic. Compute them once to search many filters. */
export type BloomBits = readonly number[]

/** @param item an address (20 bytes) or a topic (32 bytes). */
export function bloomBits(crypto: Crypto, item: Uint8Array): BloomBits {
  const digest = crypto.keccak256(item)
  return [0, 2, 4].map((at) => ((digest[at]! << 8) | digest[at + 1]!) & 2047)
}

const byteOf = (bit: number): number => BLOOM_BYTES - 1 - (bit >> 3)

/** Sets the bits of all addresses and topics of the logs in `bloom`. */
export function addToBloom(crypto: Crypto, bloom: Uint8Array, logs: readonly Log[]): void {
  for (const log of logs) {
    for (const item of [log.address, ...log.topics]) {
      for (const bit of bloomBits(crypto, hexToBytes(item))) bloom[byteOf(bit)]! |= 1 << (bit & 7)
    }
  }
}

/** False if no log of the filter has the address or topic with these bits. True if a log may have it: the filter has false positives. */
export const bloomMayContain = (bloom: Uint8Array, bits: BloomBits): boolean =>
  bits.every((bit) => (bloom[byteOf(bit)]! & (1 << (bit & 7))) !== 0)
