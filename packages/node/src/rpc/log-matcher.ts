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
import type { LogTerm } from '../store/log-index.ts'
import type { BlockNumber } from './schema.ts'

/** Criteria for logs. An empty list, of addresses or at a topic position, matches anything. */
export interface LogCriteria {
  readonly addresses: readonly Address[]
  /**
   * Alternatives for each topic position. A log must have at least as many topics as there are positions, open ones included (as in
   * go-ethereum, eth/filters).
   */
  readonly topics: readonly (readonly Hash[])[]
}

/** A log query for one block, or for a range of blocks. */
export interface LogQuery {
  readonly fromBlock: BlockNumber
  readonly toBlock: BlockNumber
  /** If defined, replaces the range. */
  readonly blockHash: Hash | undefined
  readonly criteria: LogCriteria
}

/** A log of which only those parts are decoded that are asked for. */
export interface EncodedLog {
  readonly address: Address
  readonly topicCount: number
  topic(position: number): Hash
}

/** Alternatives of one part of the criteria: the addresses, or the topics of a position. A matching log has one of them. */
export interface LogClause {
  readonly terms: readonly LogTerm[]
}

/** Equal for equivalent criteria. */
export const keyOfCriteria = ({ addresses, topics }: LogCriteria): string =>
  JSON.stringify([[...new Set(addresses)].sort(), topics.map((alternatives) => [...new Set(alternatives)].sort())])

/** Log criteria, prepared for matching many blocks. */
export class LogMatcher {
  /** Number of addresses and topics. */
  readonly terms: number
  readonly #addresses: ReadonlySet<Address>
  readonly #topics: readonly ReadonlySet<Hash>[]
  /** At least one of each list must be in a block's bloom filter. */
  readonly #bits: readonly (readonly BloomBits[])[]

  constructor(crypto: Crypto, { addresses, topics }: LogCriteria) {
    this.#addresses = new Set(addresses)
    this.#topics = topics.map((alternatives) => new Set(alternatives))
    const closed = [this.#addresses, ...this.#topics].filter(({ size }) => size > 0)
    this.#bits = closed.map((terms) => [...terms].map((term) => bloomBits(crypto, hexToBytes(term))))
    this.terms = closed.reduce((sum, { size }) => sum + size, 0)
  }

  /**
   * The criteria for the index of logs. First those that select most in practice: later topics are accounts and ids, an address is a
   * contract, and the first topic is an event that many contracts share.
   */
  get clauses(): readonly LogClause[] {
    const [first, ...later] = this.#topics.map((topics, i): readonly LogTerm[] =>
      [...topics].map((topic) => ({ topic, position: i })),
    )
    const clauses: readonly (readonly LogTerm[])[] = [
      ...later.toReversed(),
      [...this.#addresses].map((address) => ({ address })),
      first ?? [],
    ]
    return clauses.flatMap((terms) => (terms.length === 0 ? [] : [{ terms }]))
  }

  /** Returns false if no log of a block with this bloom filter can match. */
  mayMatch(bloom: Uint8Array): boolean {
    if (this.#bits.length === 0) return bloom.some((byte) => byte !== 0)
    return this.#bits.every((alternatives) => alternatives.some((bits) => bloomMayContain(bloom, bits)))
  }

  /** As `matches`, for a log that is still encoded. */
  matchesEncoded(log: EncodedLog): boolean {
    if (log.topicCount < this.#topics.length) return false
    if (this.#addresses.size > 0 && !this.#addresses.has(log.address)) return false
    return this.#topics.every((alternatives, i) => alternatives.size === 0 || alternatives.has(log.topic(i)))
  }

  matches({ address, topics }: Log): boolean {
    if (this.#addresses.size > 0 && !this.#addresses.has(address)) return false
    if (topics.length < this.#topics.length) return false
    return this.#topics.every((alternatives, i) => alternatives.size === 0 || alternatives.has(topics[i]!))
  }
}
