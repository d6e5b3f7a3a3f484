import { askedGas, type CandidateQueue, type FillLimits, GAS, Heap, Turns } from '@quoin/execution'
import type { Hash, SignedTransaction, Wei } from '@quoin/protocol'
import type { Newcomers } from './holders.ts'
import { OFFER_LIMITS, POOL_LIMITS } from './limits.ts'
import type { PoolEntry, SenderQueue } from './sender-queue.ts'

/** What a block can take, and which transactions it must not contain. */
export interface OfferRequest {
  readonly fill: FillLimits
  readonly isSuspended: (hash: Hash) => boolean
  /** Transactions that the block is offered already, by the lane. Their senders' later ones follow them. */
  readonly isOffered: (hash: Hash) => boolean
  /** Number of blocks that no longer count, as in `SenderUse`. */
  readonly dropped: number
}

type Offer = readonly CandidateQueue<SignedTransaction>[]

/** Counts what has been offered. */
class Counter {
  readonly #request: OfferRequest
  readonly #gasMax: number
  readonly #bytesMax: number
  #gasLeft: number
  #bytesLeft: number
  #countLeft: number = OFFER_LIMITS.countMax

  constructor(request: OfferRequest) {
    this.#request = request
    const { gasMax, bytesMax, part } = request.fill
    this.#gasMax = OFFER_LIMITS.gasFactor * gasMax * part
    this.#bytesMax = OFFER_LIMITS.bytesFactor * bytesMax * part
    this.#gasLeft = this.#gasMax
    this.#bytesLeft = this.#bytesMax
  }

  /** How much of the offer is complete, from 0 to 1. */
  get part(): number {
    return 1 - Math.min(this.#gasLeft / this.#gasMax, this.#bytesLeft / this.#bytesMax)
  }

  get isFull(): boolean {
    return this.#gasLeft < GAS.transaction || this.#bytesLeft <= 0 || this.#countLeft <= 0
  }

  /** Whether a transaction may be offered. If not, its sender's later transactions are held back too. */
  mayTake({ transaction: { hash, gasLimit, raw } }: PoolEntry): boolean {
    const { fill, isSuspended } = this.#request
    return gasLimit <= fill.gasMax && raw.length <= fill.bytesMax && !isSuspended(hash)
  }

  take({ transaction, gasMin }: PoolEntry): void {
    this.#gasLeft -= gasMin
    this.#bytesLeft -= transaction.raw.length
    this.#countLeft--
  }
}

/** A source of transactions that are offered in sequence: one sender, or all newcomers. */
interface Source {
  readonly use: number
  readonly served: number
  first(): PoolEntry | undefined
  /** The entry that follows the last returned one, which was offered. */
  after(entry: PoolEntry): PoolEntry | undefined
}

/** Newcomers in rotation, in order of arrival, skipping transactions that may not be offered. */
class Rotation implements Source {
  readonly use: number
  readonly served: number
  readonly #counter: Counter
  #round: Iterator<readonly [SenderQueue, PoolEntry]>
  #nextRound: (readonly [SenderQueue, PoolEntry])[] = []
  #queue: SenderQueue | undefined
  #missesLeft: number = OFFER_LIMITS.missesMax

  constructor(newcomers: Newcomers, counter: Counter, isOffered: OfferRequest['isOffered']) {
    this.use = newcomers.use
    this.served = newcomers.served
    this.#counter = counter
    this.#round = firsts(newcomers, isOffered)
  }

  first(): PoolEntry | undefined {
    while (this.#missesLeft > 0) {
      const next = this.#next()
      if (next === undefined) return undefined
      const [queue, entry] = next
      this.#queue = queue
      if (this.#counter.mayTake(entry)) return entry
      this.#missesLeft--
    }
    return undefined
  }

  after(entry: PoolEntry): PoolEntry | undefined {
    const queue = this.#queue!
    const next = queue.after(entry)
    if (next !== undefined) this.#nextRound.push([queue, next])
    return this.first()
  }

  #next(): readonly [SenderQueue, PoolEntry] | undefined {
    const next = this.#round.next()
    if (next.done !== true) return next.value
    if (this.#nextRound.length === 0) return undefined
    this.#round = this.#nextRound.values()
    this.#nextRound = []
    return this.#next()
  }
}

/** The first executable entry of a sender that is not offered yet. */
function firstOpen(queue: SenderQueue, isOffered: OfferRequest['isOffered']): PoolEntry | undefined {
  let entry = queue.first()
  while (entry !== undefined && isOffered(entry.transaction.hash)) entry = queue.after(entry)
  return entry
}

function* firsts(
  queues: Iterable<SenderQueue>,
  isOffered: OfferRequest['isOffered'],
): Generator<readonly [SenderQueue, PoolEntry]> {
  for (const queue of queues) {
    const entry = firstOpen(queue, isOffered)
    if (entry !== undefined) yield [queue, entry]
  }
}

/** Range reserved for the arrival sequence, below the block number in a rank. */
const ranksOfBlock = 2 ** 44

/** Order among senders whose use counts as zero: the sender served longest ago (or not recently) first, then by arrival. */
const rankOf = ({ served }: Pick<Source, 'served'>, sequence: number, { dropped }: OfferRequest): number =>
  Math.max(0, served - dropped) * ranksOfBlock + sequence

/**
 * Senders that go first: among senders with little recent use, those that have sent the most in their lives, as long as their requests fit
 * into a small part of the block. Keys are free, but each past transaction of a key took room in a block.
 */
function regulars(senders: readonly SenderQueue[], request: OfferRequest): ReadonlySet<SenderQueue> {
  const { fill } = request
  let left = OFFER_LIMITS.regularsPart * fill.gasMax * fill.part
  let missesLeft: number = OFFER_LIMITS.missesMax
  const first = new Set<SenderQueue>()
  for (const queue of mostSent(senders, Math.ceil(left / GAS.transaction) + missesLeft, request)) {
    if (left < GAS.transaction || missesLeft === 0) break
    const asked = askedGas(queue.firstGasLimit, queue.firstBytes, fill)
    if (asked <= left || first.size === 0) {
      first.add(queue)
      left -= asked
    } else {
      missesLeft--
    }
  }
  return first
}

/**
 * Of the senders with little recent use that have sent before, returns at most `countMax`, those that have sent the most first. Examines
 * each sender once.
 */
function mostSent(senders: readonly SenderQueue[], countMax: number, request: OfferRequest): readonly SenderQueue[] {
  const kept: SenderQueue[] = []
  const nonces = new Float64Array(countMax)
  const ranks = new Float64Array(countMax)
  /** The top of the heap is the kept sender that has sent the least. */
  const heap = new Heap(countMax, (a, b) => (nonces[a]! - nonces[b]! || ranks[b]! - ranks[a]!) < 0)
  for (const queue of senders) {
    const { accountNonce: nonce } = queue
    if (nonce === 0 || queue.use > POOL_LIMITS.useFloorGas) continue
    const isFull = kept.length === countMax
    const at = isFull ? heap.first! : kept.length
    if (isFull && nonce < nonces[at]!) continue
    const rank = rankOf(queue, queue.firstSequence, request)
    if (isFull && nonce === nonces[at] && rank > ranks[at]!) continue
    kept[at] = queue
    nonces[at] = nonce
    ranks[at] = rank
    if (isFull) heap.firstChanged()
    else heap.add(at)
  }
  const order = [...kept.keys()].sort((a, b) => nonces[b]! - nonces[a]! || ranks[a]! - ranks[b]!)
  return order.map((at) => kept[at]!)
}

/**
 * Builds the offer where gas is free: senders take turns (`Turns`), and newcomers count as one sender. Use below a floor counts as zero:
 * those senders are ordered by when they were last served, and some of them go first (`regulars`). Each transaction is counted with its
 * least possible gas, so the offer contains everything that a block could take; the block builder knows the actual gas.
 */
export function offerInTurns(queues: ReadonlyMap<unknown, SenderQueue>, newcomers: Newcomers, request: OfferRequest): Offer {
  const counter = new Counter(request)
  const { fill } = request
  const turns = new Turns(queues.size + 1)
  const asked = ({ transaction: { gasLimit, raw } }: PoolEntry) => askedGas(gasLimit, raw.length, fill)
  const sources: Source[] = []
  /** Next entry of the newcomers, and of senders that have had a turn. */
  const next = new Map<number, PoolEntry | undefined>()
  const rotation = new Rotation(newcomers, counter, request.isOffered)
  const first = rotation.first()
  if (first !== undefined) {
    sources.push(rotation)
    next.set(0, first)
    turns.add(countedUse(rotation), asked(first), rankOf(rotation, first.sequence, request))
  }
  const senders: SenderQueue[] = []
  for (const queue of queues.values())
    if (!newcomers.has(queue) && queue.executableCount > 0 && queue.firstGasLimit <= fill.gasMax) senders.push(queue)
  const preferred = regulars(senders, request)
  const useOf = (source: Source) => countedUse(source) - Number(preferred.has(source as SenderQueue))
  for (const queue of senders) {
    sources.push(queue)
    turns.add(useOf(queue), askedGas(queue.firstGasLimit, queue.firstBytes, fill), rankOf(queue, queue.firstSequence, request))
  }
  /** By source, in order of their first turns. */
  const offered = new Map<Source, SignedTransaction[]>()
  for (let at = turns.next; at !== undefined && !counter.isFull; at = turns.next) {
    const source = sources[at]!
    const entry = next.get(at) ?? firstOpen(source as SenderQueue, request.isOffered)
    if (entry === undefined || !counter.mayTake(entry)) {
      turns.took(0, counter.part, undefined)
      continue
    }
    counter.take(entry)
    const before = offered.get(source)
    if (before === undefined) offered.set(source, [entry.transaction])
    else before.push(entry.transaction)
    const following = source.after(entry)
    if (following !== undefined) next.set(at, following)
    turns.took(entry.gasMin, counter.part, following && asked(following))
  }
  return [...offered].map(([source, candidates]) => ({ use: useOf(source), candidates }))
}

const countedUse = ({ use }: Pick<Source, 'use'>): number => Math.max(use, POOL_LIMITS.useFloorGas)

/** Wei per unit of gas that the proposer receives: the tip, limited by the fee cap minus the base fee. */
export function effectiveTip(transaction: SignedTransaction, baseFee: bigint): bigint {
  const room = transaction.maxFeePerGas - baseFee
  return room < transaction.maxPriorityFeePerGas ? room : transaction.maxPriorityFeePerGas
}

/**
 * Builds the offer where gas is charged: one queue. Among each sender's next transactions the best tip goes first; of equal tips, the
 * sender with less use, then the earlier arrival. Tips are compared as floating-point numbers.
 */
export function offerByTip(queues: ReadonlyMap<unknown, SenderQueue>, baseFee: Wei, request: OfferRequest): Offer {
  const counter = new Counter(request)
  const waiting: SenderQueue[] = []
  const next: (PoolEntry | undefined)[] = []
  const tips: number[] = []
  const sequences: number[] = []
  const heap = new Heap(queues.size, (a, b) => {
    const difference = tips[b]! - tips[a]! || waiting[a]!.use - waiting[b]!.use || sequences[a]! - sequences[b]!
    return difference < 0
  })
  const base = Number(baseFee)
  for (const queue of queues.values()) {
    if (queue.executableCount === 0 || queue.firstFeeCap < base) continue
    tips.push(Math.min(queue.firstTip, queue.firstFeeCap - base))
    sequences.push(queue.firstSequence)
    heap.add(waiting.push(queue) - 1)
  }
  const candidates: SignedTransaction[] = []
  for (let at = heap.first; at !== undefined && !counter.isFull; at = heap.first) {
    const queue = waiting[at]!
    const entry = next[at] ?? firstOpen(queue, request.isOffered)
    const isTaken = entry !== undefined && effectiveTip(entry.transaction, baseFee) >= 0n && counter.mayTake(entry)
    if (isTaken) {
      counter.take(entry)
      candidates.push(entry.transaction)
    }
    const following = isTaken ? queue.after(entry) : undefined
    if (following === undefined) {
      heap.removeFirst()
      continue
    }
    next[at] = following
    tips[at] = Number(effectiveTip(following.transaction, baseFee))
    sequences[at] = following.sequence
    heap.firstChanged()
  }
  return [{ use: 0, candidates }]
}
