import {
  type CompactBlock,
  type Crypto,
  Hash,
  type Header,
  type Height,
  headerHash,
  type RawBlock,
  type Round,
  type SignedTransaction,
  transactionsRootSteps,
} from '@quoin/protocol'
import { linkSignals, pause } from '../abort.ts'
import { ask } from '../ask.ts'
import type { CandidateBlock } from '../chain/types.ts'
import type { Mempool } from '../mempool/types.ts'
import type { Clock, Offence, PeerId, Transport } from '../powers.ts'
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
  readonly mempool: Pick<Mempool, 'verified' | 'verify'>
  /** Looks up a final block by its hash, for peers that are one height behind. */
  readonly finalBlock: (blockHash: Hash) => RawBlock | undefined
  readonly penalise: (peer: PeerId, offence: Offence, why: string) => void
  /** Called when a bug made work for a peer fail. Throws if the error must stop the engine. */
  readonly onFailure: (task: string, error: unknown) => void
  /** Runs a background task. The task must end soon after its signal is aborted. */
  readonly spawn: (name: string, task: (closing: AbortSignal) => Promise<void>) => void
}

/** Outcome of `want`. `unusable`: one of the block's transactions is invalid, so no node can assemble the block. */
export type Assembled =
  | { readonly kind: 'assembled'; readonly block: CandidateBlock }
  | { readonly kind: 'unusable'; readonly valueId: Hash; readonly message: string }

interface Proposed {
  readonly round: Round
  readonly block: CompactBlock
  readonly from: PeerId
}

/**
 * Assembles proposed blocks from the pool, and fetches only the missing transactions: first from the proposer, then from the other peers. A
 * complete block is kept, and served by its hash, until one height after its own height is decided.
 */
export class Assembly {
  readonly #powers: AssemblyPowers
  readonly #onAssembled: (height: Height, assembled: Assembled) => void
  #height = 0 as Height
  #blockGasMax = 0
  #proposed = new Map<Hash, Proposed>()
  #held = new Map<Hash, CandidateBlock>()
  #heldBefore = new Map<Hash, CandidateBlock>()
  /** Running fetches, oldest first, each with the controller that aborts it. */
  readonly #fetches = new Map<Hash, AbortController>()
  /** Blocks waiting for a fetch slot, in order of their turns. */
  readonly #waiting = new Set<Hash>()
  /** Transactions and blocks fetched from peers, and requests sent for them. */
  readonly counters = { fetchedTransactions: 0, fetchedBlocks: 0, requests: 0 }

  /** @param onAssembled Called once per wanted block, with the height in which the block was wanted. */
  constructor(powers: AssemblyPowers, onAssembled: (height: Height, assembled: Assembled) => void) {
    this.#powers = powers
    this.#onAssembled = onAssembled
  }

  /**
   * Starts a height: aborts all fetches and drops the blocks of the height before the last. `blockGasMax` is this height's block gas limit.
   */
  startHeight(height: Height, blockGasMax: number): void {
    this.#abortFetches()
    this.#height = height
    this.#blockGasMax = blockGasMax
    this.#proposed = new Map()
    this.#heldBefore = this.#held
    this.#held = new Map()
  }

  /**
   * Adds a compact block of this height. The caller has checked that it is the block its proposer signed. When the table is full, the
   * proposal of the lowest round is evicted, so a proposer cannot push out later proposals by sending more.
   */
  offer(round: Round, valueId: Hash, block: CompactBlock, from: PeerId): void {
    if (this.#held.has(valueId)) return
    const known = this.#proposed.get(valueId)
    if (known !== undefined && known.round >= round) return
    this.#proposed.set(valueId, known === undefined ? { round, block, from } : { ...known, round })
    if (this.#proposed.size <= ENGINE_LIMITS.proposedBlocksCountMax) return
    const [lowest] = [...this.#proposed].reduce((a, b) => (b[1].round < a[1].round ? b : a))
    this.#proposed.delete(lowest)
  }

  /** Stores a complete block of this height. */
  hold(block: CandidateBlock): void {
    this.#held.set(block.hash, block)
    this.#proposed.delete(block.hash)
    this.#waiting.delete(block.hash)
  }

  get(valueId: Hash): CandidateBlock | undefined {
    return this.#held.get(valueId)
  }

  /** Compact (wire) form of a held or proposed block. */
  compact(valueId: Hash): CompactBlock | undefined {
    const held = this.#held.get(valueId)
    if (held === undefined) return this.#proposed.get(valueId)?.block
    return { header: held.header, transactionHashes: held.transactions.map(({ hash }) => hash) }
  }

  /**
   * Makes sure that the block gets assembled; calling it again is harmless. `onAssembled` fires when it is done. A new fetch starts at
   * once; if all fetch slots are taken, the oldest fetch is aborted and queued for its next turn.
   */
  want(valueId: Hash): void {
    if (this.#held.has(valueId) || this.#fetches.has(valueId)) return
    this.#waiting.delete(valueId)
    if (this.#fetches.size >= ENGINE_LIMITS.fetchesCountMax) {
      const [oldest, controller] = this.#fetches.entries().next().value!
      controller.abort()
      this.#fetches.delete(oldest)
      this.#waiting.add(oldest)
    }
    this.#begin(valueId)
  }

  #begin(valueId: Hash): void {
    const controller = new AbortController()
    this.#fetches.set(valueId, controller)
    this.#powers.spawn('fetch body', (closing) => this.#run(valueId, closing, controller.signal))
  }

  /** A fetch ended, or every peer was asked without success: starts the blocks that have waited longest. */
  #beginWaiting(): void {
    for (const valueId of this.#waiting) {
      if (this.#fetches.size >= ENGINE_LIMITS.fetchesCountMax) return
      this.#waiting.delete(valueId)
      this.#begin(valueId)
    }
  }

  /** Answers a peer's request; undefined if this node has nothing that was requested. */
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
      const raw = ofBlock.get(hash) ?? this.#powers.mempool.verified(hash)?.raw
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
    this.#waiting.clear()
  }

  async #run(valueId: Hash, closing: AbortSignal, unwanted: AbortSignal): Promise<void> {
    const { signal, unlink } = linkSignals(closing, unwanted)
    try {
      const assembled = await this.#assemble(valueId, signal)
      if (signal.aborted) return
      this.#fetches.delete(valueId)
      if (assembled === undefined) this.#waiting.add(valueId)
      else this.#onAssembled(this.#height, assembled)
      this.#beginWaiting()
    } catch (error) {
      if (signal.aborted) return
      this.#powers.onFailure('fetch body', error)
      await this.#pause(ENGINE_LIMITS.fetchPauseMs, signal)
      if (signal.aborted) return
      this.#fetches.delete(valueId)
      this.#waiting.add(valueId)
      this.#beginWaiting()
    } finally {
      unlink()
    }
  }

  /**
   * Asks one peer after another, in rounds, until the block is complete or known to be unusable. Returns undefined if the fetch is aborted,
   * or if all peers failed while another block waits for a slot.
   */
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
      await this.#pause(ENGINE_LIMITS.fetchPauseMs, signal)
      if (signal.aborted || this.#waiting.size > 0) return undefined
    }
  }

  /** Peers in the order in which they are asked: the sender of the proposal first, then all others. */
  #peersFor(valueId: Hash): readonly PeerId[] {
    const from = this.#proposed.get(valueId)?.from
    const peers = this.#powers.transport.peers()
    return from !== undefined && peers.includes(from) ? [from, ...peers.filter((peer) => peer !== from)] : peers
  }

  /** Builds the block from the pool and `parts`, and asks `peer` (if given) for the missing transactions. */
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
      const known = this.#powers.mempool.verified(hash)
      if (known === undefined) missing.add(hash)
      else parts.set(hash, known)
    }
    if (missing.size > 0) {
      if (peer === undefined) return undefined
      const hashes = [...missing].slice(0, ENGINE_LIMITS.transactionsPerRequestCountMax)
      const answer = await this.#ask(peer, { kind: 'transactions', blockHash: valueId, hashes }, signal)
      if (answer === undefined) return undefined
      const problem = await this.#takeTransactions(peer, answer, hashes.length, missing, parts, signal)
      if (problem !== undefined) return { kind: 'unusable', valueId, message: problem }
      if (missing.size > 0) return undefined
    }
    const transactions = transactionHashes.map((hash) => parts.get(hash)!)
    return { kind: 'assembled', block: { header, hash: valueId, transactions } }
  }

  /** Moves the requested transactions from `missing` to `parts`. Returns an error text if a transaction of the block is invalid. */
  async #takeTransactions(
    peer: PeerId,
    answer: Uint8Array,
    askedCount: number,
    missing: Set<Hash>,
    parts: Map<Hash, SignedTransaction>,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const raws = decodeTransactions(answer, askedCount)
    if (!raws.ok) {
      this.#powers.penalise(peer, 'malformed', raws.error.message)
      return undefined
    }
    const hashes = await this.#hashes(raws.value, signal)
    const asked = raws.value.filter((_, i) => missing.has(hashes[i]!))
    if (asked.length < raws.value.length) this.#powers.penalise(peer, 'invalid', 'transactions that were not asked for')
    this.counters.fetchedTransactions += asked.length
    const verified = await this.#powers.mempool.verify(asked)
    if (!verified.ok) return verified.error.code === 'unavailable' ? undefined : verified.error.message
    for (const { hash } of verified.value) missing.delete(hash)
    for (const transaction of verified.value) parts.set(transaction.hash, transaction)
    return undefined
  }

  /** Fetches a block of which only the hash is known. More than a third of the voting power voted for it, so some honest peer has it. */
  async #askForBlock(valueId: Hash, peer: PeerId | undefined, signal: AbortSignal): Promise<Assembled | undefined> {
    if (peer === undefined) return undefined
    const answer = await this.#ask(peer, { kind: 'block', blockHash: valueId }, signal)
    if (answer === undefined) return undefined
    const block = decodeBlock(answer, this.#blockGasMax)
    if (!block.ok) {
      this.#powers.penalise(peer, 'malformed', block.error.message)
      return undefined
    }
    const { header, transactions: raws } = block.value
    if (!(await this.#isBlock(valueId, header, raws, signal))) {
      this.#powers.penalise(peer, 'invalid', `a block that is not ${valueId}`)
      return undefined
    }
    this.counters.fetchedBlocks++
    const verified = await this.#powers.mempool.verify(raws)
    if (!verified.ok)
      return verified.error.code === 'unavailable' ? undefined : { kind: 'unusable', valueId, message: verified.error.message }
    return { kind: 'assembled', block: { header, hash: valueId, transactions: verified.value } }
  }

  async #isBlock(valueId: Hash, header: Header, raws: readonly Uint8Array[], signal: AbortSignal): Promise<boolean> {
    if (header.number !== this.#height || headerHash(this.#powers.crypto, header) !== valueId) return false
    return (await this.#rootOf(await this.#hashes(raws, signal), signal)) === header.transactionsRoot
  }

  async #rootOf(hashes: readonly Hash[], signal: AbortSignal): Promise<Hash> {
    const steps = transactionsRootSteps(this.#powers.crypto, hashes, ENGINE_LIMITS.hashesPerTurnMax)
    for (;;) {
      const step = steps.next()
      if (step.done === true) return Hash(step.value)
      await this.#pause(0, signal)
    }
  }

  /** Hashes transactions in slices, so that other work of the process can run in between. */
  async #hashes(raws: readonly Uint8Array[], signal: AbortSignal): Promise<readonly Hash[]> {
    const { hashesPerTurnMax, hashedBytesPerTurnMax } = ENGINE_LIMITS
    const hashes: Hash[] = []
    let bytes = 0
    for (const raw of raws) {
      bytes += raw.length
      if (hashes.length > 0 && (hashes.length % hashesPerTurnMax === 0 || bytes > hashedBytesPerTurnMax)) {
        await this.#pause(0, signal)
        bytes = raw.length
      }
      hashes.push(Hash(this.#powers.crypto.keccak256(raw)))
    }
    return hashes
  }

  /** The peer's answer, or undefined on any failure or timeout: the caller then asks the next peer. */
  async #ask(peer: PeerId, request: BodyRequest, signal: AbortSignal): Promise<Uint8Array | undefined> {
    this.counters.requests++
    const answer = await ask(this.#powers, peer, encodeRequest(request), ENGINE_LIMITS.fetchMsMax, signal)
    return answer.ok ? answer.value : undefined
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return pause(this.#powers.clock, ms, signal)
  }
}

/** The block with its transactions in network encoding, as it is logged, stored and sent. */
export const rawBlock = ({ header, transactions }: CandidateBlock): RawBlock => ({
  header,
  transactions: transactions.map(({ raw }) => raw),
})
