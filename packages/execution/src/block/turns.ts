import type { FillLimits } from '../executor.ts'
import { Heap } from './heap.ts'

/**
 * The fraction of a block that is assigned by use alone. A transaction asks for at most half of a block, so one whose turn comes in this part
 * fits, and a quarter of the block at least is left for those that ask for little.
 */
const byUsePart = 1 / 4
/** Takers that had a turn have ranks above those of all that had none. */
const ranksOfTurns = 2 ** 52

/**
 * What a transaction asks of a block, in gas: its gas limit, or its share of the block's bytes converted to gas, whichever is
 * larger.
 */
export const askedGas = (gasLimit: number, bytes: number, { gasMax, bytesMax }: FillLimits): number =>
  Math.max(gasLimit, (bytes * gasMax) / bytesMax)

/**
 * Decides who has the next turn while a block is filled. Takers are numbered from 0 in the order in which they are added. Each
 * has used some gas, recently and in this block, and has one next transaction.
 *
 * The first quarter of the block goes to the taker that has used least, so that no taker waits forever, however much its transaction
 * asks. The rest goes to the taker that would have used least after its next transaction used everything it asks (`askedGas`). So
 * many new takers that each ask for half of a block cannot hold up a taker that used a little and asks for little. Among
 * equals, takers without a turn so far come first, in order of arrival; then the one whose last turn was longest ago.
 *
 * Used gas is a whole number below 2^53: a hundred blocks with the largest gas limit use 10^14.
 */
export class Turns {
  readonly #use: Float64Array
  readonly #asked: Float64Array
  /** Order among equals. */
  readonly #rank: Float64Array
  /** Current sort key of each taker. */
  readonly #key: Float64Array
  readonly #heap: Heap
  #count = 0
  #isByUse = true
  #filledByUse = 0
  #turns = 0

  /** @param takersMax maximum number of takers */
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

  /**
   * Adds the next taker. All takers must be added before the first turn.
   *
   * @param use gas that it used before this block
   * @param asked what its first transaction asks
   * @param arrival its place in the order of arrival, not negative
   */
  add(use: number, asked: number, arrival: number): void {
    const taker = this.#count++
    this.#use[taker] = use
    this.#asked[taker] = asked
    this.#rank[taker] = arrival
    this.#key[taker] = use
    this.#heap.add(taker)
  }

  /** Fraction of the block that was filled by use alone; 0 as long as turns go by use. */
  get filledByUse(): number {
    return this.#filledByUse
  }

  /** The taker whose turn it is; undefined when none is left. */
  get next(): number | undefined {
    return this.#heap.first
  }

  /**
   * Ends a turn.
   *
   * @param gasUsed gas that the transaction used; 0 if it is not in the block
   * @param filledPart fraction of the block that is full; above 1 if the turn used more than was to be filled
   * @param askedNext what the taker's next transaction asks; undefined removes the taker
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
    this.#filledByUse = filledPart
    for (const waiting of this.#heap) this.#key[waiting] = this.#keyOf(waiting)
    this.#heap.orderAnew()
  }

  #keyOf(taker: number): number {
    return this.#isByUse ? this.#use[taker]! : this.#use[taker]! + this.#asked[taker]!
  }
}

type FourArrays = [Float64Array, Float64Array, Float64Array, Float64Array]
