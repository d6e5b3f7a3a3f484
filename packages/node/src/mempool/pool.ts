import type { TransactionRefusal } from '@quoin/execution'
import {
  type Address,
  type Crypto,
  err,
  type Hash,
  type Header,
  type Height,
  ok,
  type Result,
  type SignedTransaction,
  type Wei,
} from '@quoin/protocol'
import type { SenderRecovery } from '../crypto/recovery.ts'
import type { Clock } from '../powers.ts'
import { Sequencer } from '../sequencer.ts'
import { POOL_LIMITS } from './limits.ts'
import { type CandidateLimits, selectCandidates } from './ordering.ts'
import type { Quarantine } from './quarantine.ts'
import { type PoolEntry, SenderQueue } from './sender-queue.ts'
import { Suspension } from './suspension.ts'
import type { Mempool, Origin, PoolRefusal, VerifyRefusal } from './types.ts'
import { TransactionVerifier } from './verifier.ts'

/** What admission asks of the head's state. */
export interface PoolState {
  account(address: Address): { readonly nonce: number; readonly balance: bigint }
  /** Base fee of the next block. */
  readonly baseFee: Wei
  /** Rules that hold whatever the account's nonce and balance: gas bounds, fee caps, permission to send. */
  check(transaction: SignedTransaction): TransactionRefusal | undefined
  /** The most that a transaction can take from its sender's balance. */
  cost(transaction: SignedTransaction): bigint
}

export interface PoolOptions {
  readonly crypto: Crypto
  readonly chainId: number
  readonly recovery: SenderRecovery
  readonly clock: Clock
  readonly quarantine: Quarantine
  /** The state of the current head; asked anew for each admission. */
  readonly state: () => PoolState
  /** Why no transaction is taken any more; undefined while they are. */
  readonly refusal?: (() => string | undefined) | undefined
}

type Listener = (transaction: SignedTransaction, origin: Origin) => void

const refuse = (code: PoolRefusal['code'], message: string): Result<never, PoolRefusal> => err({ code, message })

export class TransactionPool implements Mempool {
  readonly #options: PoolOptions
  readonly #verifier: TransactionVerifier
  readonly #byHash = new Map<Hash, PoolEntry>()
  /** In the order in which senders came, so that every walk over them is the same on equal inputs. */
  readonly #queues = new Map<Address, SenderQueue>()
  readonly #listeners = new Set<Listener>()
  readonly #suspension = new Suspension()
  /** Of bodies that are verified: one turn at a time, so that recovery never has more of them than a turn's. */
  readonly #turns = new Sequencer()
  #bytes = 0
  #executable = 0
  #sequence = 0

  constructor(options: PoolOptions) {
    this.#options = options
    this.#verifier = new TransactionVerifier(
      options.crypto,
      options.chainId,
      options.recovery,
      (hash) => this.#byHash.get(hash)?.transaction,
    )
  }

  get executableCount(): number {
    return this.#executable
  }

  get stats(): Mempool['stats'] {
    return { count: this.#byHash.size, bytes: this.#bytes, queued: this.#byHash.size - this.#executable }
  }

  dropCaches(): void {
    this.#verifier.dropRemembered()
  }

  get(hash: Hash): SignedTransaction | undefined {
    return this.#verifier.get(hash)
  }

  pendingNonce(sender: Address): number | undefined {
    const queue = this.#queues.get(sender)
    return queue === undefined || queue.executableCount === 0 ? undefined : queue.nextNonce
  }

  pending(): readonly SignedTransaction[] {
    return [...this.#queues.values()].flatMap((queue) => [...queue.executable()].map((entry) => entry.transaction))
  }

  queued(): readonly SignedTransaction[] {
    return [...this.#queues.values()].flatMap((queue) =>
      queue.all().flatMap(({ transaction }) => (transaction.nonce >= queue.nextNonce ? [transaction] : [])),
    )
  }

  async verify(raws: readonly Uint8Array[]): Promise<Result<readonly SignedTransaction[], VerifyRefusal>> {
    const verified: SignedTransaction[] = []
    for (let from = 0; from < raws.length; from += POOL_LIMITS.verifyTurnMax) {
      const turn = raws.slice(from, from + POOL_LIMITS.verifyTurnMax)
      for (const result of await this.#turns.run(() => Promise.all(turn.map((raw) => this.#verifier.verify(raw))))) {
        if (!result.ok) return result
        verified.push(result.value)
      }
    }
    return ok(verified)
  }

  async add(raw: Uint8Array, origin: Origin): Promise<Result<SignedTransaction, PoolRefusal>> {
    if (this.#verifier.inFlight >= POOL_LIMITS.verificationsMax) {
      return refuse('overloaded', `${POOL_LIMITS.verificationsMax} transactions are being verified: send this one again later`)
    }
    const verified = await this.#verifier.verify(raw)
    if (!verified.ok) {
      const { code, message } = verified.error
      return code === 'unavailable' ? refuse('overloaded', message) : refuse(code, message)
    }
    const refusal = this.#admit(verified.value)
    if (refusal !== undefined) return err(refusal)
    for (const listener of this.#listeners) listener(verified.value, origin)
    return ok(verified.value)
  }

  /** Synchronous from here on: two admissions never interleave. */
  #admit(transaction: SignedTransaction): PoolRefusal | undefined {
    const stopped = this.#options.refusal?.()
    if (stopped !== undefined) return { code: 'stopped', message: stopped }
    if (this.#byHash.has(transaction.hash)) return { code: 'already-known', message: 'already known' }
    if (this.#options.quarantine.has(transaction.hash)) {
      return {
        code: 'quarantined',
        message: 'transaction is quarantined: the contract engine of this node failed on it; send it to another node',
      }
    }
    const state = this.#options.state()
    const refusal = state.check(transaction) ?? this.#checkAccount(state, transaction)
    if (refusal !== undefined) return refusal
    const replaced = this.#queues.get(transaction.sender)?.get(transaction.nonce)
    const problem =
      replaced === undefined ? this.#checkRoom(transaction) : this.#checkReplacement(state, replaced.transaction, transaction)
    if (problem !== undefined) return problem
    this.#insert(transaction, replaced, state)
    return undefined
  }

  #checkAccount(state: PoolState, transaction: SignedTransaction): PoolRefusal | undefined {
    const { nonce, balance } = state.account(transaction.sender)
    if (transaction.nonce < nonce)
      return { code: 'nonce-too-low', message: `nonce too low: next nonce ${nonce}, tx nonce ${transaction.nonce}` }
    const highest = nonce + POOL_LIMITS.senderTransactionsMax - 1
    if (transaction.nonce > highest) {
      return { code: 'nonce-too-high', message: `nonce too high: at most ${highest} is taken now, tx nonce ${transaction.nonce}` }
    }
    const cost = state.cost(transaction)
    if (cost > balance) {
      return { code: 'insufficient-funds', message: `insufficient funds for gas * price + value: have ${balance} want ${cost}` }
    }
    return undefined
  }

  #checkRoom(transaction: SignedTransaction): PoolRefusal | undefined {
    const queue = this.#queues.get(transaction.sender)
    const next = queue?.nextNonce ?? this.#options.state().account(transaction.sender).nonce
    if (transaction.nonce > next && (queue?.queuedCount ?? 0) >= POOL_LIMITS.senderQueuedMax) {
      return {
        code: 'sender-queue-full',
        message: `nonce too high: ${POOL_LIMITS.senderQueuedMax} transactions of this sender wait behind a missing nonce ${next}`,
      }
    }
    if (this.#hasRoom(transaction.raw.length)) return undefined
    const fits = transaction.nonce === next && this.#evictQueued(transaction)
    return fits ? undefined : { code: 'pool-full', message: 'txpool is full: send the transaction again later' }
  }

  #hasRoom(bytes: number): boolean {
    return this.#byHash.size < POOL_LIMITS.transactionsMax && this.#bytes + bytes <= POOL_LIMITS.bytesMax
  }

  /** Makes room for a transaction that can run by dropping ones that cannot, from the sender with the most of them. */
  #evictQueued(transaction: SignedTransaction): boolean {
    while (!this.#hasRoom(transaction.raw.length)) {
      let victim: SenderQueue | undefined
      for (const queue of this.#queues.values()) {
        if (queue.queuedCount > (victim?.queuedCount ?? 0)) victim = queue
      }
      const last = victim?.last()
      if (last === undefined) return false
      this.#remove(last.transaction)
    }
    return true
  }

  #checkReplacement(state: PoolState, old: SignedTransaction, transaction: SignedTransaction): PoolRefusal | undefined {
    const queue = this.#queues.get(transaction.sender)!
    if (queue.replacements >= POOL_LIMITS.senderReplacementsMax) {
      return {
        code: 'underpriced-replacement',
        message: `replacement transaction underpriced: ${POOL_LIMITS.senderReplacementsMax} replacements of this sender since the last block`,
      }
    }
    // Without a base fee the price is nominal: any higher tip replaces, and the count above limits how often.
    const percent = state.baseFee === 0n ? 100n : 100n + BigInt(POOL_LIMITS.replacementBumpPercent)
    const bumped = (field: 'maxFeePerGas' | 'maxPriorityFeePerGas') =>
      transaction[field] > old[field] && 100n * transaction[field] >= percent * old[field]
    if (bumped('maxFeePerGas') && bumped('maxPriorityFeePerGas')) return undefined
    return { code: 'underpriced-replacement', message: 'replacement transaction underpriced' }
  }

  #insert(transaction: SignedTransaction, replaced: PoolEntry | undefined, state: PoolState): void {
    let queue = this.#queues.get(transaction.sender)
    if (queue === undefined) {
      queue = new SenderQueue(state.account(transaction.sender).nonce)
      this.#queues.set(transaction.sender, queue)
    }
    const entry = { transaction, sequence: replaced?.sequence ?? this.#sequence++, arrivedMs: this.#options.clock.monotonic() }
    if (replaced !== undefined) {
      this.#byHash.delete(replaced.transaction.hash)
      this.#bytes -= replaced.transaction.raw.length
      queue.replacements++
    }
    this.#byHash.set(transaction.hash, entry)
    this.#bytes += transaction.raw.length
    const cost = state.cost(transaction)
    this.#counted(queue, () => queue.set(entry, cost))
  }

  /** Changes a queue and keeps the pool's count of executable transactions true. */
  #counted<T>(queue: SenderQueue, change: () => T): T {
    const before = queue.executableCount
    const result = change()
    this.#executable += queue.executableCount - before
    return result
  }

  #remove(transaction: SignedTransaction): void {
    const queue = this.#queues.get(transaction.sender)
    if (queue === undefined || !this.#byHash.delete(transaction.hash)) return
    this.#bytes -= transaction.raw.length
    this.#counted(queue, () => queue.delete(transaction.nonce))
    if (queue.size === 0) this.#queues.delete(transaction.sender)
  }

  candidates(limits: CandidateLimits): readonly SignedTransaction[] {
    const isSuspended = (hash: Hash) => this.#suspension.has(hash)
    return selectCandidates(this.#queues.values(), this.#options.state().baseFee, limits, isSuspended)
  }

  onBlock(header: Header, included: readonly SignedTransaction[]): void {
    const state = this.#options.state()
    for (const sender of new Set(included.map((transaction) => transaction.sender))) this.#recheck(state, sender)
    for (const queue of this.#queues.values()) queue.replacements = 0
    this.#expire()
    this.#suspension.onHeight(header.number)
  }

  /** Drops what the sender's new nonce overtook and what its new balance cannot pay. */
  #recheck(state: PoolState, sender: Address): void {
    const queue = this.#queues.get(sender)
    if (queue === undefined) return
    const { nonce, balance } = state.account(sender)
    for (const { transaction } of this.#counted(queue, () => queue.advance(nonce))) {
      this.#byHash.delete(transaction.hash)
      this.#bytes -= transaction.raw.length
    }
    if (!queue.isCovered(balance)) {
      for (const { transaction } of queue.all()) if (state.cost(transaction) > balance) this.#remove(transaction)
    }
    if (queue.size === 0) this.#queues.delete(sender)
  }

  /** Entries lie in the order of arrival, replacements aside, so that the walk ends at the first young one. */
  #expire(): void {
    const oldest = this.#options.clock.monotonic() - POOL_LIMITS.lifetimeMs
    for (const { transaction, arrivedMs } of this.#byHash.values()) {
      if (arrivedMs > oldest) return
      this.#remove(transaction)
    }
  }

  drop(hashes: readonly Hash[]): void {
    for (const hash of hashes) {
      const entry = this.#byHash.get(hash)
      if (entry !== undefined) this.#remove(entry.transaction)
    }
  }

  suspend(hashes: readonly Hash[], until: Height): void {
    this.#suspension.add(hashes, until)
  }

  quarantine(hashes: readonly Hash[], height: Height): Promise<void> {
    this.drop(hashes)
    return this.#options.quarantine.add(hashes, height)
  }

  onAdmitted(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#listeners.clear()
  }
}
