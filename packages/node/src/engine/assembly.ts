import {
  type CompactBlock,
  type Crypto,
  Hash,
  type Header,
  type Height,
  headerHash,
  type RawBlock,
  type SignedTransaction,
  transactionsRoot,
} from '@quoin/protocol'
import type { CandidateBlock } from '../chain/types.ts'
import type { Mempool } from '../mempool/types.ts'
import { type Clock, type Offence, type PeerId, type Transport, TransportError } from '../powers.ts'
import { linkSignals } from './abort.ts'
import { ENGINE_LIMITS } from './limits.ts'
import {
  type BodyRequest,
  decodeBlock,
  decodeTransactions,
  encodeBlock,
  encodeRequest,
  encodeTransactions,
  RESPONSE_BYTES_MAX,
} from './messages.ts'

export interface AssemblyPowers {
  readonly crypto: Crypto
  readonly clock: Pick<Clock, 'after'>
  readonly transport: Pick<Transport, 'peers' | 'request'>
  readonly mempool: Pick<Mempool, 'get' | 'verify'>
  /** A final block by its hash, for peers that are one height behind. */
  readonly finalBlock: (blockHash: Hash) => RawBlock | undefined
  readonly penalise: (peer: PeerId, offence: Offence, why: string) => void
  /** Runs a task that ends soon after its signal is aborted. */
  readonly spawn: (name: string, task: (closing: AbortSignal) => Promise<void>) => void
}

/** What became of a wanted block. `unusable`: one of its transactions is no valid transaction, so that nobody can ever assemble it. */
export type Assembled =
  | { readonly kind: 'assembled'; readonly block: CandidateBlock }
  | { readonly kind: 'unusable'; readonly valueId: Hash; readonly message: string }

interface Proposed {
  readonly block: CompactBlock
  readonly from: PeerId
}

/**
 * Fills proposed blocks: from the pool, and by asking the proposer and then the other peers for exactly what is missing. A block that is
 * complete is held, and served to whoever asks for it by its hash, until its height is decided and one height longer.
 */
export class Assembly {
  readonly #powers: AssemblyPowers
  readonly #onAssembled: (height: Height, assembled: Assembled) => void
  #height = 0 as Height
  #proposed = new Map<Hash, Proposed>()
  #held = new Map<Hash, CandidateBlock>()
  #heldBefore = new Map<Hash, CandidateBlock>()
  /** Fetches that are under way, oldest first, with what ends them. */
  readonly #fetches = new Map<Hash, AbortController>()
  /** Transactions that proposals lacked, and questions asked for them. */
  readonly counters = { fetchedTransactions: 0, fetchedBlocks: 0, requests: 0 }

  /** `onAssembled` is told of a wanted block, with the height in which it was wanted. */
  constructor(powers: AssemblyPowers, onAssembled: (height: Height, assembled: Assembled) => void) {
    this.#powers = powers
    this.#onAssembled = onAssembled
  }

  /** Forgets the last height but one, and gives up fetching for the last. */
  startHeight(height: Height): void {
    this.#abortFetches()
    this.#height = height
    this.#proposed = new Map()
    this.#heldBefore = this.#held
    this.#held = new Map()
  }

  /** A block of this height by its transactions' hashes, checked to be what its proposer signed. */
  offer(valueId: Hash, block: CompactBlock, from: PeerId): void {
    if (this.#proposed.has(valueId) || this.#held.has(valueId)) return
    this.#proposed.set(valueId, { block, from })
    for (const oldest of this.#proposed.keys()) {
      if (this.#proposed.size <= ENGINE_LIMITS.proposedBlocksCountMax) break
      this.#proposed.delete(oldest)
    }
  }

  /** A complete block of this height. */
  hold(block: CandidateBlock): void {
    this.#held.set(block.hash, block)
    this.#proposed.delete(block.hash)
  }

  get(valueId: Hash): CandidateBlock | undefined {
    return this.#held.get(valueId)
  }

  /** How a held or proposed block travels. */
  compact(valueId: Hash): CompactBlock | undefined {
    const held = this.#held.get(valueId)
    if (held === undefined) return this.#proposed.get(valueId)?.block
    return { header: held.header, transactionHashes: held.transactions.map(({ hash }) => hash) }
  }

  /** Sees to it that the block is assembled, however often it is called; `onAssembled` is told once it is. */
  want(valueId: Hash): void {
    if (this.#held.has(valueId) || this.#fetches.has(valueId)) return
    for (const [oldest, controller] of this.#fetches) {
      if (this.#fetches.size < ENGINE_LIMITS.fetchesCountMax) break
      controller.abort()
      this.#fetches.delete(oldest)
    }
    const controller = new AbortController()
    this.#fetches.set(valueId, controller)
    this.#powers.spawn('fetch body', (closing) => this.#run(valueId, closing, controller.signal))
  }

  /** Answers a peer's question; undefined when nothing asked for is here. */
  serve(request: BodyRequest): Uint8Array | undefined {
    const block = this.#held.get(request.blockHash) ?? this.#heldBefore.get(request.blockHash)
    if (request.kind === 'block') {
      const raw = block === undefined ? this.#powers.finalBlock(request.blockHash) : rawBlock(block)
      return raw && encodeBlock(raw)
    }
    const ofBlock = new Map(block?.transactions.map((transaction) => [transaction.hash, transaction.raw]))
    const found: Uint8Array[] = []
    let bytes = 0
    for (const hash of new Set(request.hashes)) {
      const raw = ofBlock.get(hash) ?? this.#powers.mempool.get(hash)?.raw
      if (raw === undefined) continue
      bytes += raw.length
      if (bytes > RESPONSE_BYTES_MAX) break
      found.push(raw)
    }
    return found.length === 0 ? undefined : encodeTransactions(found)
  }

  #abortFetches(): void {
    for (const controller of this.#fetches.values()) controller.abort()
    this.#fetches.clear()
  }

  async #run(valueId: Hash, closing: AbortSignal, unwanted: AbortSignal): Promise<void> {
    const { signal, unlink } = linkSignals(closing, unwanted)
    try {
      const assembled = await this.#assemble(valueId, signal)
      if (signal.aborted || assembled === undefined) return
      this.#fetches.delete(valueId)
      this.#onAssembled(this.#height, assembled)
    } finally {
      unlink()
    }
  }

  /** Asks peer after peer, round after round, until the block is whole, proves unusable, or is not wanted any more. */
  async #assemble(valueId: Hash, signal: AbortSignal): Promise<Assembled | undefined> {
    const parts = new Map<Hash, SignedTransaction>()
    for (;;) {
      for (const peer of [undefined, ...this.#peersFor(valueId)]) {
        const proposed = this.#proposed.get(valueId)
        const assembled =
          proposed === undefined
            ? await this.#askForBlock(valueId, peer, signal)
            : await this.#fill(valueId, proposed.block, parts, peer, signal)
        if (signal.aborted || assembled !== undefined) return assembled
      }
      await this.#pause(signal)
      if (signal.aborted) return undefined
    }
  }

  /** Who is asked, in this order: the peer that sent the proposal, then all others. */
  #peersFor(valueId: Hash): readonly PeerId[] {
    const from = this.#proposed.get(valueId)?.from
    const peers = this.#powers.transport.peers()
    return from !== undefined && peers.includes(from) ? [from, ...peers.filter((peer) => peer !== from)] : peers
  }

  /** The block of what the pool and `parts` hold, after asking `peer`, if one is named, for the rest. */
  async #fill(
    valueId: Hash,
    { header, transactionHashes }: CompactBlock,
    parts: Map<Hash, SignedTransaction>,
    peer: PeerId | undefined,
    signal: AbortSignal,
  ): Promise<Assembled | undefined> {
    const missing = new Set<Hash>()
    for (const hash of transactionHashes) {
      if (parts.has(hash)) continue
      const known = this.#powers.mempool.get(hash)
      if (known === undefined) missing.add(hash)
      else parts.set(hash, known)
    }
    if (missing.size > 0) {
      if (peer === undefined) return undefined
      const hashes = [...missing].slice(0, ENGINE_LIMITS.transactionsPerRequestCountMax)
      const answer = await this.#ask(peer, { kind: 'transactions', blockHash: valueId, hashes }, signal)
      if (answer === undefined) return undefined
      const problem = await this.#takeTransactions(peer, answer, missing, parts)
      if (problem !== undefined) return { kind: 'unusable', valueId, message: problem }
      if (missing.size > 0) return undefined
    }
    const transactions = transactionHashes.map((hash) => parts.get(hash)!)
    return { kind: 'assembled', block: { header, hash: valueId, transactions } }
  }

  /** Moves what was asked for from `missing` to `parts`. Says what is wrong with a transaction that the block cannot do without. */
  async #takeTransactions(
    peer: PeerId,
    answer: Uint8Array,
    missing: Set<Hash>,
    parts: Map<Hash, SignedTransaction>,
  ): Promise<string | undefined> {
    const raws = decodeTransactions(answer)
    if (!raws.ok) {
      this.#powers.penalise(peer, 'malformed', raws.error.message)
      return undefined
    }
    const wanted = raws.value.filter((raw) => missing.delete(this.#hash(raw)))
    if (wanted.length < raws.value.length) this.#powers.penalise(peer, 'invalid', 'transactions that were not asked for')
    this.counters.fetchedTransactions += wanted.length
    const verified = await this.#powers.mempool.verify(wanted)
    if (!verified.ok) return verified.error.message
    for (const transaction of verified.value) parts.set(transaction.hash, transaction)
    return undefined
  }

  /** A block of which nothing but its hash is known: more than a third of the power voted for it, so somebody has it. */
  async #askForBlock(valueId: Hash, peer: PeerId | undefined, signal: AbortSignal): Promise<Assembled | undefined> {
    if (peer === undefined) return undefined
    const answer = await this.#ask(peer, { kind: 'block', blockHash: valueId }, signal)
    if (answer === undefined) return undefined
    const block = decodeBlock(answer)
    if (!block.ok) {
      this.#powers.penalise(peer, 'malformed', block.error.message)
      return undefined
    }
    const { header, transactions: raws } = block.value
    if (!this.#isBlock(valueId, header, raws)) {
      this.#powers.penalise(peer, 'invalid', `a block that is not ${valueId}`)
      return undefined
    }
    this.counters.fetchedBlocks++
    const verified = await this.#powers.mempool.verify(raws)
    if (!verified.ok) return { kind: 'unusable', valueId, message: verified.error.message }
    return { kind: 'assembled', block: { header, hash: valueId, transactions: verified.value } }
  }

  #isBlock(valueId: Hash, header: Header, raws: readonly Uint8Array[]): boolean {
    const { crypto } = this.#powers
    return (
      header.number === this.#height &&
      headerHash(crypto, header) === valueId &&
      Hash(
        transactionsRoot(
          crypto,
          raws.map((raw) => this.#hash(raw)),
        ),
      ) === header.transactionsRoot
    )
  }

  #hash(raw: Uint8Array): Hash {
    return Hash(this.#powers.crypto.keccak256(raw))
  }

  /** The answer, or undefined when there was none in time: whatever the reason, another peer is asked next. */
  async #ask(peer: PeerId, request: BodyRequest, signal: AbortSignal): Promise<Uint8Array | undefined> {
    this.counters.requests++
    const late = new AbortController()
    const { signal: either, unlink } = linkSignals(signal, late.signal)
    const cancel = this.#powers.clock.after(ENGINE_LIMITS.fetchMsMax, () => late.abort())
    try {
      return await this.#powers.transport.request(peer, encodeRequest(request), either)
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      return undefined
    } finally {
      cancel()
      unlink()
    }
  }

  #pause(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel()
        signal.removeEventListener('abort', done)
        resolve()
      }
      const cancel = this.#powers.clock.after(ENGINE_LIMITS.fetchPauseMs, done)
      signal.addEventListener('abort', done)
      if (signal.aborted) done()
    })
  }
}

export const rawBlock = ({ header, transactions }: CandidateBlock): RawBlock => ({
  header,
  transactions: transactions.map(({ raw }) => raw),
})
