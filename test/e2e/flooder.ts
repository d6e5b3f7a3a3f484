import { setMaxListeners } from 'node:events'
import {
  bytesToHex,
  type CompactBlock,
  type Genesis,
  type Hash,
  Height,
  headerHash,
  nobleCrypto,
  proposalDigest,
  type RegisteredNode,
  Round,
  type SigningDomain,
  utf8ToBytes,
  type Vote,
  voteDigest,
} from '@quoin/protocol'
import {
  blockTransactionsMax,
  decodeMessage,
  type EngineMessage,
  encodeMessage,
  encodeRequest,
} from '../../packages/node/src/engine/messages.ts'
import type { ValidatorKey } from '../../packages/node/src/keys/validator-key.ts'
import type { Libp2pTransport } from '../../packages/node/src/network/index.ts'
import { type PeerId, TransportError } from '../../packages/node/src/powers.ts'
import { type Hears, ListedNode } from './listed-node.ts'

const TURN_MS = 10
const QUESTIONS_AT_ONCE = 16
/** Rounds ahead for which it votes: more than any node keeps. */
const ROUNDS = 80

const hexOf = (index: number): Hash => bytesToHex(utf8ToBytes(String(index).padStart(32))) as Hash

/** The messages that it sends at a height, repeatedly. */
export type Flood = (flooder: Flooder) => readonly Uint8Array[]

/** A listed node, with the key of a validator that is down, that sends as much as its connections take. */
export class Flooder {
  /** Bytes passed to open connections. */
  sentBytes = 0
  /** Answers to its requests. */
  answers = 0
  readonly #self: ListedNode
  readonly #validator: ValidatorKey
  readonly #questions = new AbortController()
  #genesis!: Genesis
  #domain!: SigningDomain
  #transport!: Libp2pTransport
  #height = Height(0)
  #block: CompactBlock | undefined
  #onBlock: () => void = () => {}
  #timer: NodeJS.Timeout | undefined
  #asking: Promise<unknown> = Promise.resolve()

  private constructor(self: ListedNode, validator: ValidatorKey) {
    this.#self = self
    this.#validator = validator
    setMaxListeners(0, this.#questions.signal)
  }

  static create = async (name: string, validator: ValidatorKey): Promise<Flooder> =>
    new Flooder(await ListedNode.create(name), validator)

  get node(): RegisteredNode {
    return this.#self.node
  }

  /** Joins the network; resolves when it has a peer. */
  async join(genesis: Genesis, genesisHash: Hash, hears: Partial<Hears> = {}): Promise<void> {
    this.#genesis = genesis
    this.#domain = { genesisHash, restartEpoch: 0 }
    const quiet = { debug() {}, info() {}, warn() {} }
    const heard = new Promise<void>((resolve) => {
      this.#onBlock = resolve
    })
    this.#transport = await this.#self.join(genesis, quiet, { onMessage: (_, bytes) => this.#hear(bytes), ...hears })
    await heard
  }

  /** Sends this many bytes to each peer in each turn, until it is closed. The messages of a height are made once. */
  flood(make: Flood, turnBytes: number): void {
    let madeAt: Height | undefined
    let messages: readonly Uint8Array[] = []
    let next = 0
    this.#timer = setInterval(() => {
      if (madeAt !== this.#height) messages = make(this)
      madeAt = this.#height
      for (let bytes = 0; bytes < turnBytes; next++) {
        const message = messages[next % messages.length]!
        bytes += message.length
        for (const peer of this.#peers) {
          this.sentBytes += message.length
          this.#transport.send(peer, message)
        }
      }
    }, TURN_MS)
  }

  /** Publishes this many bytes to each peer in each turn, until it is closed; `make` returns the next payload. */
  publish(make: () => Uint8Array, turnBytes: number): void {
    this.#timer = setInterval(() => {
      for (let bytes = 0; bytes < turnBytes; ) {
        const payload = make()
        bytes += payload.length
        this.sentBytes += payload.length * this.#peers.length
        this.#transport.publish(payload, 'all')
      }
    }, TURN_MS)
  }

  /** Asks all peers for their head, as often as they answer. */
  ask(): void {
    const lanes = this.#peers.flatMap((peer) => Array.from({ length: QUESTIONS_AT_ONCE }, () => this.#askOne(peer)))
    this.#asking = Promise.all(lanes)
  }

  /** Whether all its victims have banned it. */
  get isCutOff(): boolean {
    return this.#peers.length === 0
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#questions.abort()
    await this.#asking
    await this.#transport.stop()
  }

  /** Votes of all rounds that can matter and more, for nil and for another value, at this height and the next two. */
  votes(): readonly Uint8Array[] {
    const votes: Uint8Array[] = []
    for (const ahead of [0, 1, 2])
      for (let round = 0; round < ROUNDS; round++)
        for (const valueId of [undefined, headerHash(nobleCrypto, this.#block!.header)])
          votes.push(encodeMessage({ kind: 'vote', vote: this.#vote(ahead, round, valueId) }))
    return votes
  }

  /** Blocks of this many transactions that no node has, at this height and the next ones. */
  proposals(transactions: number = blockTransactionsMax(this.#genesis.parameters.blockGasMax)): readonly Uint8Array[] {
    const transactionHashes = Array.from({ length: transactions }, (_, index) => hexOf(index))
    return Array.from({ length: 8 }, (_, ahead) =>
      encodeMessage(this.#proposal(ahead, { header: this.#block!.header, transactionHashes })),
    )
  }

  get #peers(): readonly PeerId[] {
    return this.#transport.peers()
  }

  #hear(bytes: Uint8Array): void {
    const message = decodeMessage(bytes)
    if (!message.ok) throw new Error(message.error.message)
    if (message.value.kind === 'status' && message.value.height > this.#height) this.#height = message.value.height
    if (message.value.kind === 'vote' && message.value.vote.height > this.#height) this.#height = message.value.vote.height
    if (message.value.kind !== 'proposal') return
    this.#block = message.value.block
    this.#onBlock()
  }

  async #askOne(peer: PeerId): Promise<void> {
    const { signal } = this.#questions
    const question = encodeRequest({ kind: 'block', blockHash: headerHash(nobleCrypto, this.#block!.header) })
    while (!signal.aborted) {
      try {
        await this.#transport.request(peer, question, signal)
        this.answers++
      } catch (failure) {
        // Refused, disconnected or stopped: expected outcomes for a flood.
        if (!(failure instanceof TransportError)) throw failure
        if (failure.reason === 'disconnected') return
      }
    }
  }

  #vote(ahead: number, round: number, valueId: Hash | undefined): Vote {
    const height = Height(this.#height + ahead)
    const vote = { kind: 'prevote', height, round: Round(round), valueId, validator: this.#validator.address } as const
    return { ...vote, signature: this.#sign(voteDigest(nobleCrypto, this.#domain, vote)) }
  }

  #proposal(ahead: number, block: CompactBlock): EngineMessage {
    const unsigned = {
      height: Height(this.#height + ahead),
      round: Round(0),
      valueId: headerHash(nobleCrypto, block.header),
      polRound: undefined,
      proposer: this.#validator.address,
    }
    const signature = this.#sign(proposalDigest(nobleCrypto, this.#domain, unsigned))
    return { kind: 'proposal', proposal: { ...unsigned, signature }, block, polka: undefined }
  }

  #sign(digest: Uint8Array): Uint8Array {
    return nobleCrypto.sign(digest, this.#validator.secretKey).signature
  }
}
