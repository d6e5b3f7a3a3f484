import type { CandidateBlock, Chain } from '@quoin/node/chain'
import type { ValidatorKey } from '@quoin/node/keys'
import {
  type CommitCertificate,
  type Crypto,
  type Header,
  type Round,
  type SignedTransaction,
  type TimeMs,
  voteDigest,
} from '@quoin/protocol'

export interface SealRequest {
  readonly timeMs: TimeMs
  readonly fillGasMax: number
  /** Whether to make a block even if it has no transactions. */
  readonly isEmptyAllowed: boolean
}

export interface SealedBlock {
  readonly header: Header
  readonly transactions: readonly SignedTransaction[]
}

/** Makes final blocks without consensus. The one validator has all voting power, so that its signature is a full certificate. */
export class Sealer {
  readonly #crypto: Crypto
  readonly #key: ValidatorKey

  constructor(crypto: Crypto, key: ValidatorKey) {
    this.#crypto = crypto
    this.#key = key
  }

  /** Builds and commits the next block; undefined if it would be empty and `isEmptyAllowed` is false. Calls must not overlap. */
  async seal(chain: Chain, { timeMs, fillGasMax, isEmptyAllowed }: SealRequest): Promise<SealedBlock | undefined> {
    const block = await chain.build({ timeMs, feeAddress: this.#key.address, fillGasMax })
    if (block.transactions.length === 0 && !isEmptyAllowed) return undefined
    await chain.commit(block, this.#certify(chain, block))
    return { header: block.header, transactions: block.transactions }
  }

  #certify({ domain }: Chain, { header, hash }: CandidateBlock): CommitCertificate {
    const vote = { kind: 'precommit', height: header.number, round: 0 as Round, valueId: hash } as const
    const { signature } = this.#crypto.sign(voteDigest(this.#crypto, domain, vote), this.#key.secretKey)
    const { height, round } = vote
    return { height, round, blockHash: hash, signatures: [{ validator: this.#key.address, signature }] }
  }
}
