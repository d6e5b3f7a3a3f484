import { hexToBytes } from './bytes.ts'
import type { Crypto } from './crypto.ts'
import type { Log } from './receipt.ts'

/** Ethereum's 2048-bit log filter (yellow paper, 4.3.1): three bits for each address and topic. */
export const BLOOM_BYTES = 256

export const emptyBloom = (): Uint8Array => new Uint8Array(BLOOM_BYTES)

/** Places of an item's three bits in a filter: an item that is looked for in many is hashed once. */
export type BloomBits = readonly number[]

export function bloomBits(crypto: Crypto, item: Uint8Array): BloomBits {
  const digest = crypto.keccak256(item)
  return [0, 2, 4].map((at) => ((digest[at]! << 8) | digest[at + 1]!) & 2047)
}

const byteOf = (bit: number): number => BLOOM_BYTES - 1 - (bit >> 3)

export function addToBloom(crypto: Crypto, bloom: Uint8Array, logs: readonly Log[]): void {
  for (const log of logs) {
    for (const item of [log.address, ...log.topics]) {
      for (const bit of bloomBits(crypto, hexToBytes(item))) bloom[byteOf(bit)]! |= 1 << (bit & 7)
    }
  }
}

/** False: no log of the block has the address or topic with these bits. True: one may. */
export const bloomMayContain = (bloom: Uint8Array, bits: BloomBits): boolean =>
  bits.every((bit) => (bloom[byteOf(bit)]! & (1 << (bit & 7))) !== 0)
