import { type CandidateQueue, type FillLimits, intrinsicGas, LANE, type TransactionRefusal } from '@quoin/execution'
import {
  type Address,
  type Crypto,
  err,
  type Hash,
  type Height,
  ok,
  type Result,
  type SignedTransaction,
  type Wei,
} from '@quoin/protocol'
import type { SenderRecovery } from '../crypto/recovery.ts'
import { Sequencer } from '../lifecycle.ts'
import type { Clock } from '../powers.ts'
import { type LaneRules, LaneSenders } from './lane-offer.ts'
import { POOL_LIMITS } from './limits.ts'
import { offerByTip, offerInTurns } from './ordering.ts'
import type { Quarantine } from './quarantine.ts'
import { type BlockUse, RecentUse } from './recent-use.ts'
import { Replaced } from './replaced.ts'
import type { SenderQueue } from './sender-queue.ts'
import { Suspension } from './suspension.ts'
import type { FinalTransactions, Mempool, Origin, PooledTransaction, PoolRefusal, VerifyRefusal } from './types.ts'
import { TransactionVerifier } from './verifier.ts'
import { Waiting } from './waiting.ts'

/** What admission needs from the head's state. */
export interface PoolState {
  account(address: Address): { readonly nonce: number; readonly balance: bigint }
  /** Whether senders pay for gas. If not, fees are nominal. */
  readonly chargesFees: boolean
  /** Base fee of the next block. */
  readonly baseFee: Wei
  /** Of the head. */
  readonly height: number
  /** Checks rules that do not depend on the account's nonce and balance: gas bounds, fee caps, permission to send. */
  check(transaction: SignedTransaction): TransactionRefusal | undefined
  /** The most that a transaction can take from its sender's balance. */
  cost(transaction: SignedTransaction): bigint
  /** The lane by which those who govern always get through. */
  readonly lane: LaneRules
}

/** Powers and settings of the transaction pool. */
export interface PoolOptions {
  readonly crypto: Crypto
  readonly chainId: number
  readonly recovery: SenderRecovery
  readonly clock: Clock
  readonly quarantine: Quarantine
  /** State of the current head; called for each admission. */
  readonly state: () => PoolState
  /** Why the pool accepts no transactions any more; undefined while it does. */
  readonly refusal?: (() => string | undefined) | undefined
}

type Listener = (transaction: SignedTransaction, origin: Origin) => void

const refuse = (code: PoolRefusal['code'], message: string): Result<never, PoolRefusal> => err({ code, message })

/**
 * The transaction pool. It admits transactions against the state of the head, and orders them for block builders. Its limits are
 * `POOL_LIMITS`.
 */
export class TransactionPool implements Mempool {
  readonly #options: PoolOptions
  readonly #verifier: TransactionVerifier
  readonly #use = new RecentUse()
  readonly #waiting = new Waiting((sender) => this.#use.of(sender))
  /** Queues with replacements since the last block. */
  readonly #replacing = new Set<SenderQueue>()
  readonly #replaced = new Replaced()
  readonly #lane = new LaneSenders()
  readonly #listeners = new Set<Listener>()
  readonly #suspension = new Suspension()
  /** Block bodies are verified one turn at a time, so recovery never holds more of their transactions than one turn has. */
  readonly #turns = new Sequencer()
  #sequence = 0

  constructor(options: PoolOptions) {
    this.#options = options
    this.#verifier = new TransactionVerifier(
      options.crypto,
      options.chainId,
      options.recovery,
      (hash) => this.#waiting.get(hash)?.transaction,
    )
  }

  get executableCount(): number {
    return this.#waiting.executableCount
  }

  get stats(): Mempool['stats'] {
    const { count, bytes, executableCount } = this.#waiting
    return { count, bytes, queued: count - executableCount }
  }

  dropCaches(): void {
    this.#verifier.dropRemembered()
  }

  waiting(hash: Hash): SignedTransaction | undefined {
    return this.#waiting.get(hash)?.transaction
  }

  verified(hash: Hash): SignedTransaction | undefined {
    return this.#verifier.get(hash)
  }

  pendingNonce(sender: Address): number | undefined {
    const queue = this.#waiting.queue(sender)
    return queue === undefined || queue.executableCount === 0 ? undefined : queue.nextNonce
  }

  pending(): readonly SignedTransaction[] {
    return [...this.#waiting.queues().values()].flatMap((queue) => [...queue.executable()].map((entry) => entry.transaction))
  }

  queued(): readonly SignedTransaction[] {
    return [...this.#waiting.queues().values()].flatMap((queue) => queue.queued().map((entry) => entry.transaction))
  }

  *walk(sender?: Address): Generator<PooledTransaction> {
    // Not an iterator of the map: while a walk that nobody finishes has one, V8 keeps every sender that the map loses.
    const senders = sender === undefined ? [...this.#waiting.queues().keys()] : [sender]
    for (const one of senders) {
      const queue = this.#waiting.queue(one)
      if (queue === undefined) continue
      const { nextNonce } = queue
      for (const { transaction } of queue.all()) yield { transaction, isQueued: transaction.nonce >= nextNonce }
    }
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

  async add(raw: Uint8Array, origin: Origin, hash?: Hash): Promise<Result<SignedTransaction, PoolRefusal>> {
    if (this.#verifier.inFlight >= POOL_LIMITS.verificationsMax) {
      return refuse(
        'overloaded',
        `${POOL_LIMITS.verificationsMax} transactions are being verified: send the transaction again later`,
      )
    }
    const verified = await this.#verifier.verify(raw, hash)
    if (!verified.ok) {
      const { code, message } = verified.error
      return code === 'unavailable' ? refuse('overloaded', message) : refuse(code, message)
    }
    const refusal = this.#admit(verified.value)
    if (refusal !== undefined) return err(refusal)
    for (const listener of this.#listeners) listener(verified.value, origin)
    return ok(verified.value)
  }

  /** Synchronous from here on, so that admissions never interleave. */
  #admit(transaction: SignedTransaction): PoolRefusal | undefined {
    const stopped = this.#options.refusal?.()
    if (stopped !== undefined) return { code: 'stopped', message: stopped }
    if (this.#waiting.get(transaction.hash) !== undefined) return { code: 'already-known', message: 'already known' }
    if (this.#options.quarantine.has(transaction.hash)) {
      return {
        code: 'quarantined',
        message: 'transaction is quarantined: the contract interpreter of this node failed on it; send it to another node',
      }
    }
    const state = this.#options.state()
    const refusal = state.check(transaction) ?? this.#checkAccount(state, transaction)
    if (refusal !== undefined) return refusal
    const problem = this.#checkPlace(transaction, state)
    if (problem !== undefined) return problem
    const account = state.account(transaction.sender)
    const usesLane = state.lane.usesLane(transaction)
    // As many as a block takes of a voter always get room. With more, it could push out everyone at no cost.
    const always = usesLane && (this.#waiting.queue(transaction.sender)?.size ?? 0) < LANE.transactionsMax
    if (!this.#waiting.makeRoom(transaction, account, always))
      return { code: 'pool-full', message: 'txpool is full: send the transaction again later' }
    this.#insert(transaction, state)
    if (usesLane) this.#lane.admitted(transaction.sender)
    return undefined
  }

  #checkAccount(state: PoolState, transaction: SignedTransaction): PoolRefusal | undefined {
    const { nonce, balance } = state.account(transaction.sender)
    if (transaction.nonce < nonce)
      return { code: 'nonce-too-low', message: `nonce too low: next nonce ${nonce}, tx nonce ${transaction.nonce}` }
    const highest = nonce + POOL_LIMITS.senderTransactionsMax - 1
    if (transaction.nonce > highest) {
      return {
        code: 'nonce-too-high',
        message: `nonce too high: the pool accepts nonces up to ${highest} for this sender now, tx nonce ${transaction.nonce}`,
      }
    }
    const cost = state.cost(transaction)
    if (cost > balance) {
      return { code: 'insufficient-funds', message: `insufficient funds for gas * price + value: have ${balance} want ${cost}` }
    }
    return undefined
  }

  /** Whether the sender may have a transaction at this nonce. */
  #checkPlace(transaction: SignedTransaction, state: PoolState): PoolRefusal | undefined {
    const queue = this.#waiting.queue(transaction.sender)
    const replaced = queue?.get(transaction.nonce)
    if (replaced !== undefined) return this.#checkReplacement(state, queue!, replaced.transaction, transaction)
    const next = queue?.nextNonce ?? state.account(transaction.sender).nonce
    if (transaction.nonce <= next || (queue?.queuedCount ?? 0) < POOL_LIMITS.senderQueuedMax) return undefined
    return {
      code: 'sender-queue-full',
      message: `nonce too high: ${POOL_LIMITS.senderQueuedMax} transactions of this sender are queued behind the missing nonce ${next}`,
    }
  }

  #checkReplacement(
    state: PoolState,
    queue: SenderQueue,
    old: SignedTransaction,
    transaction: SignedTransaction,
  ): PoolRefusal | undefined {
    // A transaction by the lane takes any place: nothing that waits at its nonce may hold it up.
    if (state.lane.usesLane(transaction) && !state.lane.usesLane(old)) return undefined
    const { senderReplacementsMax, senderReplacedBytesMax } = POOL_LIMITS
    const refusal = (why: string): PoolRefusal => ({
      code: 'underpriced-replacement',
      message: `replacement transaction underpriced${why}`,
    })
    const bytes = queue.replacedBytes + transaction.raw.length
    if (queue.replacements >= senderReplacementsMax || (queue.replacements > 0 && bytes > senderReplacedBytesMax))
      return refusal(`: ${queue.replacements} replacements of this sender since the last block`)
    // Without charges fees are nominal: a transaction with equal fees replaces, but a replaced transaction must not replace in turn.
    const { chargesFees } = state
    if (!chargesFees && this.#replaced.has(transaction.hash))
      return refusal(': this transaction was replaced before and cannot come back')
    const percent = chargesFees ? 100n + BigInt(POOL_LIMITS.replacementBumpPercent) : 100n
    const bumped = (field: 'maxFeePerGas' | 'maxPriorityFeePerGas') =>
      (!chargesFees || transaction[field] > old[field]) && 100n * transaction[field] >= percent * old[field]
    if (bumped('maxFeePerGas') && bumped('maxPriorityFeePerGas')) return undefined
    return refusal('')
  }

  #insert(transaction: SignedTransaction, state: PoolState): void {
    const { sender, nonce } = transaction
    const replaced = this.#waiting.queue(sender)?.get(nonce)
    const entry = {
      transaction,
      sequence: replaced?.sequence ?? this.#sequence++,
      arrivedMs: this.#options.clock.monotonic(),
      gasMin: intrinsicGas(transaction),
    }
    this.#waiting.insert(entry, state.account(sender), state.cost(transaction))
    if (replaced === undefined) return
    const queue = this.#waiting.queue(sender)!
    queue.replacements++
    queue.replacedBytes += transaction.raw.length
    this.#replacing.add(queue)
    this.#replaced.add(replaced.transaction.hash)
  }

  candidates(fill: FillLimits): readonly CandidateQueue<SignedTransaction>[] {
    const { chargesFees, baseFee, lane, height } = this.#options.state()
    const byLane = this.#lane
      .offer((sender) => this.#waiting.queue(sender), lane, height)
      .map(({ use, candidates }) => ({
        use,
        candidates: candidates.filter(({ hash }) => !this.#suspension.has(hash)),
      }))
    const offered = new Set(byLane.flatMap(({ candidates }) => candidates.map(({ hash }) => hash)))
    const isSuspended = (hash: Hash) => this.#suspension.has(hash)
    const isOffered = (hash: Hash) => offered.has(hash)
    const request = { fill, isSuspended, isOffered, dropped: this.#use.dropped }
    const queues = this.#waiting.queues()
    const others = chargesFees ? offerByTip(queues, baseFee, request) : offerInTurns(queues, this.#waiting.newcomers, request)
    return [...byLane, ...others]
  }

  onBlock({ height, transactions, gasUsed, created }: FinalTransactions): void {
    const state = this.#options.state()
    const bySender = new Map<Address, number>()
    for (const [i, { sender }] of transactions.entries()) bySender.set(sender, (bySender.get(sender) ?? 0) + gasUsed[i]!)
    const began = new Set([...bySender.keys()].filter((sender) => created.has(sender)))
    // These accounts received something, so they are known now. Accounts that entered the state by sending stay newcomers for a while.
    this.#waiting.know([...created].filter((account) => !began.has(account)))
    for (const sender of bySender.keys()) this.#recheck(state, sender)
    this.countUse({ bySender, began })
    for (const queue of this.#replacing) queue.forgetReplacements()
    this.#replacing.clear()
    this.#expire()
    this.#suspension.onHeight(height)
  }

  /**
   * Counts the gas use of a final block for the order. Called directly for blocks that `onBlock` does not see: those before the pool was
   * opened.
   */
  countUse(block: BlockUse): void {
    const { changed, settled } = this.#use.add(block)
    this.#waiting.know(settled)
    this.#waiting.useChanged(changed, this.#use.newcomers)
  }

  /** Drops transactions with nonces that are used now, and those that the sender's new balance cannot pay. */
  #recheck(state: PoolState, sender: Address): void {
    const queue = this.#waiting.queue(sender)
    if (queue === undefined) return
    const { nonce, balance } = state.account(sender)
    this.#waiting.advance(queue, nonce)
    if (queue.isCovered(balance)) return
    for (const { transaction } of queue.all()) if (state.cost(transaction) > balance) this.#waiting.remove(transaction)
  }

  /** Entries are in order of arrival, except replacements, so the loop ends at the first young one. */
  #expire(): void {
    const oldest = this.#options.clock.monotonic() - POOL_LIMITS.lifetimeMs
    for (const { transaction, arrivedMs } of this.#waiting.entries()) {
      if (arrivedMs > oldest) return
      this.#waiting.remove(transaction)
    }
  }

  drop(hashes: readonly Hash[]): void {
    for (const hash of hashes) {
      const entry = this.#waiting.get(hash)
      if (entry !== undefined) this.#waiting.remove(entry.transaction)
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
