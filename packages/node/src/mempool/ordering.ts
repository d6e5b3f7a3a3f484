import { askedGas, type CandidateQueue, type FillLimits, GAS, Heap, Turns } from '@quoin/execution'
import type { Hash, SignedTransaction, Wei } from '@quoin/protocol'
import type { Newcomers } from './holders.ts'
import { OFFER_LIMITS, POOL_LIMITS } from './limits.ts'
import type { PoolEntry, SenderQueue } from './sender-queue.ts'

/** What a block may take, and what it must not. */
export interface OfferRequest {
  readonly fill: FillLimits
  readonly isSuspended: (hash: Hash) => boolean
  /** Blocks that count no more, as `SenderUse` counts them. */
  readonly dropped: number
}

type Offer = readonly CandidateQueue<SignedTransaction>[]

/** Counts what has been offered. */
class Counter {
  readonly #request: OfferRequest
  #gasLeft: number
  #bytesLeft: number
  #countLeft: number = OFFER_LIMITS.countMax

  constructor(request: OfferRequest) {
    this.#request = request
    this.#gasLeft = OFFER_LIMITS.gasFactor * request.fill.gasMax
    this.#bytesLeft = OFFER_LIMITS.bytesFactor * request.fill.bytesMax
  }

  /** How much of the offer is made, from 0 to 1. */
  get part(): number {
    const { gasMax, bytesMax } = this.#request.fill
    const gasLeft = this.#gasLeft / (OFFER_LIMITS.gasFactor * gasMax)
    return 1 - Math.min(gasLeft, this.#bytesLeft / (OFFER_LIMITS.bytesFactor * bytesMax))
  }

  get isFull(): boolean {
    return this.#gasLeft < GAS.transaction || this.#bytesLeft <= 0 || this.#countLeft <= 0
  }

  /** Whether a transaction may be offered. One that may not keeps back what its sender has behind it. */
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

/** Whose transactions are offered one after the other: a sender's, or those of all newcomers. */
interface Source {
  readonly use: number
  readonly served: number
  first(): PoolEntry | undefined
  /** What follows the entry that was given last, which is offered. */
  after(entry: PoolEntry): PoolEntry | undefined
}

/** Newcomers in turn, in the order in which they came, as far as their transactions may be offered. */
class Rotation implements Source {
  readonly use: number
  readonly served: number
  readonly #counter: Counter
  #round: Iterator<readonly [SenderQueue, PoolEntry]>
  #nextRound: (readonly [SenderQueue, PoolEntry])[] = []
  #queue: SenderQueue | undefined
  #missesLeft: number = OFFER_LIMITS.missesMax

  constructor(newcomers: Newcomers, counter: Counter) {
    this.use = newcomers.use
    this.served = newcomers.served
    this.#counter = counter
    this.#round = firsts(newcomers)
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

function* firsts(queues: Iterable<SenderQueue>): Generator<readonly [SenderQueue, PoolEntry]> {
  for (const queue of queues) {
    const entry = queue.first()
    if (entry !== undefined) yield [queue, entry]
  }
}

/** Room for the order of arrival behind that of blocks. */
const ranksOfBlock = 2 ** 44

/** The order among senders whose use is as good as none: who was served longest ago, or not lately, then by arrival. */
const rankOf = ({ served }: Pick<Source, 'served'>, sequence: number, { dropped }: OfferRequest): number =>
  Math.max(0, served - dropped) * ranksOfBlock + sequence

/**
 * Senders that go first: of those that used little lately, the ones that have sent most in their lives, as far as what they ask is a small part of the block. Keys are free, but
 * each transaction in a key's past took room in a block.
 */
function regulars(senders: readonly SenderQueue[], request: OfferRequest): ReadonlySet<SenderQueue> {
  const { fill } = request
  let left = OFFER_LIMITS.regularsPart * fill.gasMax
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

/** At most so many of the senders that used little lately and have sent before: those that have sent most, in that order. Others are looked at once each. */
function mostSent(senders: readonly SenderQueue[], countMax: number, request: OfferRequest): readonly SenderQueue[] {
  const kept: SenderQueue[] = []
  const nonces = new Float64Array(countMax)
  const ranks = new Float64Array(countMax)
  /** Whoever sent least of those that are kept is at hand. */
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
 * What a block should take where gas is free: senders take turns (`Turns`), newcomers as one sender. Use below a floor is as good as none: those senders go by when they were
 * last served, and some of them before (`regulars`). Gas counts as if each transaction used the least that it can:
 * then the offer has whatever a block may take, whose builder knows what is really used.
 */
export function offerInTurns(queues: ReadonlyMap<unknown, SenderQueue>, newcomers: Newcomers, request: OfferRequest): Offer {
  const counter = new Counter(request)
  const { fill } = request
  const turns = new Turns(queues.size + 1)
  const asked = ({ transaction: { gasLimit, raw } }: PoolEntry) => askedGas(gasLimit, raw.length, fill)
  const sources: Source[] = []
  /** Of senders that had a turn, and of the newcomers. */
  const next = new Map<number, PoolEntry | undefined>()
  const rotation = new Rotation(newcomers, counter)
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
  /** By source, in the order of their first turns. */
  const offered = new Map<Source, SignedTransaction[]>()
  for (let at = turns.next; at !== undefined && !counter.isFull; at = turns.next) {
    const source = sources[at]!
    const entry = next.get(at) ?? source.first()!
    if (!counter.mayTake(entry)) {
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

/** What a transaction pays the proposer for each unit of gas: the tip, as far as the fee cap leaves room above the base fee. */
export function effectiveTip(transaction: SignedTransaction, baseFee: bigint): bigint {
  const room = transaction.maxFeePerGas - baseFee
  return room < transaction.maxPriorityFeePerGas ? room : transaction.maxPriorityFeePerGas
}

/**
 * What a block should take where gas is charged: one queue, in which the best tip goes first among each sender's next transactions; of equal tips whose sender used
 * less, then the earlier arrival. Tips are compared as near as numbers come.
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
    const entry = next[at] ?? queue.first()!
    const isTaken = effectiveTip(entry.transaction, baseFee) >= 0n && counter.mayTake(entry)
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
