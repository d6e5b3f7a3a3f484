import {
  type Address,
  type BloomBits,
  bloomBits,
  bloomMayContain,
  type Crypto,
  type Hash,
  hexToBytes,
  type Log,
} from '@quoin/protocol'
import type { BlockNumber } from './schema.ts'

/** Which logs are wanted. An empty list, of addresses or at a position, leaves the choice open. */
export interface LogCriteria {
  readonly addresses: readonly Address[]
  /**
   * Alternatives at each of a log's first topics. A log must have as many topics as there are positions, open ones too (as in
   * go-ethereum, eth/filters).
   */
  readonly topics: readonly (readonly Hash[])[]
}

/** Which logs of which blocks: of one block, or of a range. */
export interface LogQuery {
  readonly fromBlock: BlockNumber
  readonly toBlock: BlockNumber
  /** In place of a range. */
  readonly blockHash: Hash | undefined
  readonly criteria: LogCriteria
}

/** Log criteria made ready for many blocks. */
export class LogMatcher {
  /** Addresses and topics that it holds. */
  readonly terms: number
  readonly #addresses: ReadonlySet<Address>
  readonly #topics: readonly ReadonlySet<Hash>[]
  /** One of each list must be in a block's bloom filter. */
  readonly #bits: readonly (readonly BloomBits[])[]

  constructor(crypto: Crypto, { addresses, topics }: LogCriteria) {
    this.#addresses = new Set(addresses)
    this.#topics = topics.map((alternatives) => new Set(alternatives))
    const closed = [this.#addresses, ...this.#topics].filter(({ size }) => size > 0)
    this.#bits = closed.map((terms) => [...terms].map((term) => bloomBits(crypto, hexToBytes(term))))
    this.terms = closed.reduce((sum, { size }) => sum + size, 0)
  }

  /** False: no log of a block with this bloom filter matches. */
  mayMatch(bloom: Uint8Array): boolean {
    if (this.#bits.length === 0) return bloom.some((byte) => byte !== 0)
    return this.#bits.every((alternatives) => alternatives.some((bits) => bloomMayContain(bloom, bits)))
  }

  matches({ address, topics }: Log): boolean {
    if (this.#addresses.size > 0 && !this.#addresses.has(address)) return false
    if (topics.length < this.#topics.length) return false
    return this.#topics.every((alternatives, i) => alternatives.size === 0 || alternatives.has(topics[i]!))
  }
}
