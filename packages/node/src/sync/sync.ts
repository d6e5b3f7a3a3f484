import { type CertifiedBlock, type Crypto, codec, Height, unwrap } from '@quoin/protocol'
import { ask } from '../ask.ts'
import type { CandidateBlock, Chain } from '../chain/types.ts'
import { halts } from '../engine/halt.ts'
import { Scope } from '../lifecycle.ts'
import type { Logger } from '../logger.ts'
import type { Mempool } from '../mempool/types.ts'
import { type Clock, type Offence, type PeerId, type Transport, TransportError } from '../powers.ts'
import type { BlockReader } from '../store/types.ts'
import { type AnswerError, checkAnswer, checkFinal, type FetchedBlock } from './check.ts'
import { SYNC_LIMITS } from './limits.ts'
import { blocksCodec, type Status, type SyncRequest, statusCodec, syncRequestCodec } from './messages.ts'
import { PeerBook } from './peer-book.ts'
import { answerBlocks } from './server.ts'
import type { BlockSync, SyncedBlock } from './types.ts'

export interface BlockSyncOptions {
  /** Only its head is read. */
  readonly chain: Pick<Chain, 'head' | 'domain'>
  /** Blocks served to peers. */
  readonly reader: BlockReader
  readonly transport: Pick<Transport, 'request' | 'penalise' | 'peers'>
  readonly mempool: Pick<Mempool, 'verify'>
  readonly crypto: Crypto
  readonly clock: Clock
  readonly logger: Logger
}

/** Creates block sync. Until `close` it asks all peers for their height at intervals. */
export const createSync = (options: BlockSyncOptions): BlockSync => new PullSync(options)

interface Buffered {
  readonly block: FetchedBlock
  readonly from: PeerId
}

class PullSync implements BlockSync {
  readonly #options: BlockSyncOptions
  readonly #book: PeerBook
  readonly #scope: Scope
  readonly #listeners = new Set<() => void>()
  readonly #heard = new Set<PeerId>()
  /** Fetched blocks by height. Shape and order are checked; certificates are not, because that needs the height's validators. */
  readonly #buffer = new Map<Height, Buffered>()
  /** The current request for blocks; at most one. It never rejects. */
  #fetching: Promise<void> | undefined
  #cancelPoll: () => void

  constructor(options: BlockSyncOptions) {
    this.#options = options
    this.#book = new PeerBook(options.clock)
    this.#scope = new Scope((error) => this.#options.logger.error({ error }, 'a block sync task failed and was dropped'))
    this.#cancelPoll = this.#schedulePoll()
  }

  get heard(): number {
    return this.#heard.size
  }

  get behind(): boolean {
    return this.claimedBy(1) > this.#headHeight
  }

  claimedBy(count: number): Height {
    const claimed = this.#book.claimedBy(count)
    return claimed !== undefined && claimed > this.#headHeight ? claimed : this.#headHeight
  }

  get #headHeight(): Height {
    return this.#options.chain.head.header.number
  }

  onBehind(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  hint(peer: PeerId, height: Height): void {
    if (height <= this.#headHeight) return
    this.#book.claim(peer, height)
    if (this.#book.isBenched(peer)) return
    for (const listener of this.#listeners) listener()
  }

  onPeer(peer: PeerId, state: 'up' | 'down'): void {
    if (state === 'down') {
      this.#book.down(peer)
      this.#heard.delete(peer)
    } else if (!this.#scope.signal.aborted) this.#scope.spawn('status', () => this.#askStatus(peer))
  }

  async next(signal: AbortSignal): Promise<SyncedBlock | undefined> {
    for (;;) {
      signal.throwIfAborted()
      this.#scope.signal.throwIfAborted()
      const height = Height(this.#headHeight + 1)
      const buffered = this.#take(height)
      if (buffered !== undefined) {
        const synced = await this.#verify(buffered)
        if (synced === 'later') return undefined
        if (synced !== undefined) {
          this.#fetchAhead()
          return synced
        }
      } else if (!this.#fetch(height)) return undefined
      if (this.#fetching !== undefined) await orAborted(this.#fetching, signal)
    }
  }

  async onRequest(from: PeerId, message: Uint8Array): Promise<Uint8Array | undefined> {
    const request = codec.decode(syncRequestCodec, message)
    if (!request.ok) {
      this.#options.transport.penalise(from, 'malformed')
      return undefined
    }
    if (request.value.kind === 'blocks') return answerBlocks(this.#options.reader, request.value)
    return this.#learnStatus(from, request.value) ? codec.encode(statusCodec, this.#status()) : undefined
  }

  async close(): Promise<void> {
    this.#cancelPoll()
    await this.#scope.close()
    await this.#fetching
  }

  // -- status ---------------------------------------------------------------------------------------------------------------------

  #status(): Status {
    const { chain } = this.#options
    return { genesisHash: chain.domain.genesisHash, height: chain.head.header.number, hash: chain.head.hash }
  }

  /** Returns false if the peer is on another chain. */
  #learnStatus(peer: PeerId, { genesisHash, height }: Status): boolean {
    if (genesisHash !== this.#options.chain.domain.genesisHash) {
      this.#blame(peer, 'invalid', `is on another chain with genesis ${genesisHash}`)
      return false
    }
    this.#heard.add(peer)
    this.hint(peer, height)
    return true
  }

  async #askStatus(peer: PeerId): Promise<void> {
    const answer = await this.#request(peer, { kind: 'status', ...this.#status() })
    if (answer === undefined) return
    const status = codec.decode(statusCodec, answer)
    if (status.ok) this.#learnStatus(peer, status.value)
    else this.#blame(peer, 'malformed', status.error.message)
  }

  #schedulePoll(): () => void {
    return this.#options.clock.after(SYNC_LIMITS.statusIntervalMs, () => {
      for (const peer of this.#options.transport.peers()) this.onPeer(peer, 'up')
      this.#cancelPoll = this.#schedulePoll()
    })
  }

  // -- fetching -------------------------------------------------------------------------------------------------------------------

  /** The buffered block of a height; drops the blocks below it. */
  #take(height: Height): Buffered | undefined {
    for (const buffered of this.#buffer.keys()) if (buffered < height) this.#buffer.delete(buffered)
    return this.#buffer.get(height)
  }

  /** Requests more blocks while the caller executes the buffered ones. */
  #fetchAhead(): void {
    let last = this.#headHeight
    let bytes = 0
    for (const [height, { block }] of this.#buffer) {
      if (height > last) last = height
      bytes += bodyBytes(block)
    }
    if (this.#buffer.size < SYNC_LIMITS.bufferedBlocksMin && bytes < SYNC_LIMITS.bufferedBytesMin) this.#fetch(Height(last + 1))
  }

  /** Makes sure that a request is running; returns false if no known peer claims the height. */
  #fetch(from: Height): boolean {
    if (this.#fetching !== undefined) return true
    const peer = this.#book.choose(from)
    if (peer === undefined) return false
    this.#fetching = this.#fetchFrom(peer, from)
      .catch((error: unknown) => {
        // Nothing that a peer sends may stop the node, not even if it triggers a bug.
        this.#options.logger.error({ peer, error }, 'handling fetched blocks failed because of a bug: the peer is skipped')
        this.#book.failed(peer, true)
      })
      .finally(() => {
        this.#fetching = undefined
      })
    return true
  }

  async #fetchFrom(peer: PeerId, from: Height): Promise<void> {
    const question = { from, countMax: SYNC_LIMITS.answerBlocksMax, bytesMax: SYNC_LIMITS.answerBytesMax }
    const answer = await this.#request(peer, { kind: 'blocks', ...question })
    if (answer === undefined) return
    const blocks = codec.decode(blocksCodec, answer)
    if (!blocks.ok) return this.#blame(peer, 'malformed', blocks.error.message)
    this.#accept(peer, blocks.value, question)
  }

  #accept(peer: PeerId, blocks: readonly CertifiedBlock[], question: { readonly from: Height; readonly countMax: number }): void {
    const fetched = checkAnswer(this.#options.crypto, blocks, question)
    if (!fetched.ok) return this.#blame(peer, 'invalid', fetched.error.message)
    for (const block of fetched.value) {
      if (!this.#buffer.has(block.header.number)) this.#buffer.set(block.header.number, { block, from: peer })
    }
  }

  /** The answer; undefined on failure, after the peer was marked as failed. */
  async #request(peer: PeerId, request: SyncRequest): Promise<Uint8Array | undefined> {
    const { signal } = this.#scope
    const answer = await ask(this.#options, peer, codec.encode(syncRequestCodec, request), SYNC_LIMITS.requestMsMax, signal)
    if (answer.ok) return answer.value
    if (!signal.aborted) this.#passOver(peer, request, answer.error)
    return undefined
  }

  /**
   * Handles a missing answer. A peer that refuses blocks that it claims to have has lied about its height; one that is disconnected or slow
   * has not.
   */
  #passOver(peer: PeerId, { kind }: SyncRequest, { reason, message }: TransportError): void {
    if (kind === 'blocks' && reason === 'refused')
      return this.#blame(peer, 'out-of-turn', 'does not have the blocks that it claims')
    if (reason === 'oversized') return this.#blame(peer, 'oversized', message)
    this.#options.logger.debug({ peer, reason, kind }, `request to a peer failed: ${message}`)
    this.#book.failed(peer, false)
  }

  #blame(peer: PeerId, offence: Offence, message: string): void {
    this.#options.logger.warn({ peer, offence }, `block sync: a peer ${message}`)
    this.#book.failed(peer, true)
    this.#options.transport.penalise(peer, offence)
    for (const [height, { from }] of this.#buffer) if (from === peer) this.#buffer.delete(height)
  }

  // -- verifying ------------------------------------------------------------------------------------------------------------------

  /** The verified final block; undefined after the sender was penalised; `later` if this node cannot verify it now. */
  async #verify({ block, from }: Buffered): Promise<SyncedBlock | 'later' | undefined> {
    const { chain, crypto, mempool } = this.#options
    const final = checkFinal(crypto, chain.domain, chain.head.validators, block)
    if (!final.ok) return this.#refuse(from, final.error)
    const { header, hash, certificate } = block
    // From here on the validators' signatures prove every byte, so no peer is at fault.
    if (header.parentHash !== chain.head.hash) throw halts.forked({ certificate, head: chain.head.hash }, header, hash)
    const verified = await mempool.verify(block.transactions)
    if (!verified.ok && verified.error.code === 'unavailable') {
      this.#options.logger.warn(
        { height: header.number },
        `cannot verify a fetched block now, will retry: ${verified.error.message}`,
      )
      return 'later'
    }
    const candidate: CandidateBlock = { header, hash, transactions: unwrap(verified) }
    this.#book.succeeded(from)
    return { block: candidate, certificate, from }
  }

  #refuse(from: PeerId, { message }: AnswerError): undefined {
    this.#blame(from, 'invalid', `sent an invalid block: ${message}`)
    return undefined
  }
}

const bodyBytes = ({ transactions }: CertifiedBlock): number => transactions.reduce((sum, { length }) => sum + length, 0)

/** Waits for the promise; rejects with the signal's reason as soon as it is aborted. */
function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
