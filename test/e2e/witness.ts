import {
  type Address,
  compressedKey,
  type Genesis,
  type Hash,
  nobleCrypto,
  type Proposal,
  proposalDigest,
  type RegisteredNode,
  type SigningDomain,
  type Vote,
  voteDigest,
} from '@quoin/protocol'
import { decodeMessage } from '../../packages/node/src/engine/messages.ts'
import type { Libp2pTransport } from '../../packages/node/src/network/index.ts'
import { ListedNode } from './listed-node.ts'

/** A signature that a validator sent to a peer. */
interface Said {
  readonly text: string
  /** The 32 signed bytes. */
  readonly digest: Uint8Array
  readonly signature: Uint8Array
  /** Peer that delivered it, which need not be its author. */
  readonly from: string
}

/**
 * A listed node without a vote, on the real network, that records every signed statement of the validators. It catches a validator that
 * signs two different statements for one height, round and step, even if the other validators do not notice.
 */
export class Witness {
  readonly #self: ListedNode
  readonly #said = new Map<string, Said>()
  readonly #findings: string[] = []
  readonly #perValidator = new Map<Address, number>()
  #transport: Libp2pTransport | undefined
  #domain: SigningDomain | undefined
  #genesis: Genesis | undefined

  private constructor(self: ListedNode) {
    this.#self = self
  }

  static create = async (): Promise<Witness> => new Witness(await ListedNode.create('witness'))

  get node(): RegisteredNode {
    return this.#self.node
  }

  /** Joins the network of a genesis that lists `node`. */
  async join(genesis: Genesis, genesisHash: Hash): Promise<void> {
    this.#genesis = genesis
    this.#domain = { genesisHash, restartEpoch: 0 }
    const logger = {
      debug() {},
      info() {},
      warn: (fields: object, message: string) =>
        this.#findings.push(
          `${message}: ${JSON.stringify(fields, (_, value: unknown) => (value instanceof Error ? value.stack : value))}`,
        ),
    }
    this.#transport = await this.#self.join(genesis, logger, { onMessage: (from, message) => this.#hear(from, message) })
  }

  async close(): Promise<void> {
    await this.#transport?.stop()
  }

  /** Proofs that a validator signed twice, and messages that no honest node sends. */
  get findings(): readonly string[] {
    return this.#findings
  }

  /** Number of different statements of a validator that it received. */
  heard(validator: Address): number {
    return this.#perValidator.get(validator) ?? 0
  }

  #hear(from: string, bytes: Uint8Array): void {
    const message = decodeMessage(bytes)
    if (!message.ok) this.#findings.push(`${from}: ${message.error.message}`)
    else if (message.value.kind === 'vote') this.#vote(from, message.value.vote)
    else if (message.value.kind === 'proposal') this.#proposal(from, message.value.proposal)
  }

  #vote(from: string, vote: Vote): void {
    const { kind, height, round, validator, valueId, signature } = vote
    const digest = voteDigest(nobleCrypto, this.#domain!, vote)
    this.#note(validator, `${kind} ${height}/${round}`, { text: String(valueId), digest, signature, from })
  }

  #proposal(from: string, proposal: Proposal): void {
    const { height, round, proposer, valueId, polRound, signature } = proposal
    const digest = proposalDigest(nobleCrypto, this.#domain!, proposal)
    this.#note(proposer, `proposal ${height}/${round}`, { text: `${valueId} after ${polRound}`, digest, signature, from })
  }

  #note(author: Address, position: string, said: Said): void {
    const key = `${author} ${position}`
    const known = this.#said.get(key)
    if (known === undefined) {
      this.#said.set(key, said)
      this.#perValidator.set(author, this.heard(author) + 1)
      return
    }
    if (known.text === said.text) return
    // A statement not signed by its alleged author convicts only its sender.
    const [first, second] = [known, said].map(
      (one) => `"${one.text}" from ${one.from}${this.#isOf(author, one) ? '' : ', forged'}`,
    )
    this.#findings.push(`${key}: ${first} and ${second}`)
  }

  #isOf(author: Address, { digest, signature }: Said): boolean {
    const validator = this.#genesis!.validators.get(author)
    return validator !== undefined && nobleCrypto.verify(digest, signature, compressedKey(validator.publicKey))
  }
}
