import type { FillLimits } from '../executor.ts'
import { Heap } from './heap.ts'

/** The part of a block that goes by use alone. */
const byUsePart = 1 / 2
/** Ranks of takers that had a turn lie above those of all that had none. */
const ranksOfTurns = 2 ** 52

/** What a transaction asks of a block: its gas limit, or the same part of the block's gas as its bytes are of the block's bytes, if that is more. */
export const askedGas = (gasLimit: number, bytes: number, { gasMax, bytesMax }: FillLimits): number =>
  Math.max(gasLimit, (bytes * gasMax) / bytesMax)

/**
 * Who has the next turn while a block is filled. Takers are numbered from 0 in the order in which they are added; each has used some gas, lately and in
 * this block, and has one transaction next.
 *
 * The first half of the block goes to whoever has used least, so that no taker waits for ever, however much its transaction asks. The rest goes to
 * whoever would have used least once its next transaction had used all that it asks (`askedGas`): many takers that used nothing yet and ask for a quarter of a block each
 * cannot hold up one that used a little and asks for little. Among equals those come first that had no turn yet, by their arrival, then whoever had its last turn
 * longest ago.
 *
 * Gas used is counted in whole numbers below 2^53: a hundred blocks of the largest gas limit are 10^14.
 */
export class Turns {
  readonly #use: Float64Array
  readonly #asked: Float64Array
  /** The order among equals. */
  readonly #rank: Float64Array
  /** What takers are ordered by now. */
  readonly #key: Float64Array
  readonly #heap: Heap
  #count = 0
  #isByUse = true
  #turns = 0

  /** For so many takers at the most. */
  constructor(takersMax: number) {
    const [use, asked, rank, key] = Array.from({ length: 4 }, () => new Float64Array(takersMax)) as FourArrays
    this.#use = use
    this.#asked = asked
    this.#rank = rank
    this.#key = key
    this.#heap = new Heap(takersMax, (a, b) => {
      const difference = key[a]! - key[b]! || rank[a]! - rank[b]!
      return difference < 0
    })
  }

  /** The next taker comes in, with what its first transaction asks, and a number for its arrival that is no less than 0. All must be there before the first turn. */
  add(use: number, asked: number, arrival: number): void {
    const taker = this.#count++
    this.#use[taker] = use
    this.#asked[taker] = asked
    this.#rank[taker] = arrival
    this.#key[taker] = use
    this.#heap.add(taker)
  }

  /** Whose turn it is; undefined when nobody is left. */
  get next(): number | undefined {
    return this.#heap.first
  }

  /**
   * The turn is over: what its transaction used (0 where it is not in the block), how much of the block is full, from 0 to 1, and what the taker's next
   * transaction asks. A taker that has nothing more leaves.
   */
  took(gasUsed: number, filledPart: number, askedNext: number | undefined): void {
    const taker = this.#heap.first!
    this.#use[taker]! += gasUsed
    if (askedNext === undefined) {
      this.#heap.removeFirst()
    } else {
      this.#asked[taker] = askedNext
      this.#rank[taker] = ranksOfTurns + this.#turns++
      this.#key[taker] = this.#keyOf(taker)
      this.#heap.firstChanged()
    }
    if (!this.#isByUse || filledPart < byUsePart) return
    this.#isByUse = false
    for (const waiting of this.#heap) this.#key[waiting] = this.#keyOf(waiting)
    this.#heap.orderAnew()
  }

  #keyOf(taker: number): number {
    return this.#isByUse ? this.#use[taker]! : this.#use[taker]! + this.#asked[taker]!
  }
}

type FourArrays = [Float64Array, Float64Array, Float64Array, Float64Array]
