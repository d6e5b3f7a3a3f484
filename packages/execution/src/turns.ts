import { Heap } from './heap.ts'

/** The part of a block's gas that goes by use alone. */
const byUseShare = 1 / 2
/** Ranks of takers that had a turn lie above those of all that had none. */
const ranksOfTurns = 2 ** 52

/**
 * Who has the next turn while a block is filled. Takers are numbered from 0 in the order in which they are added; each has used some gas, lately and in
 * this block, and has one transaction next.
 *
 * The first half of the gas goes to whoever has used least, so that no taker waits for ever, however much gas its transaction allows. The rest goes to
 * whoever would have used least once its next transaction had used its whole limit: many takers that used nothing yet and allow a quarter of a block each
 * cannot hold up one that used a little and asks for little. Among equals those come first that had no turn yet, by their arrival, then whoever had its last turn
 * longest ago.
 *
 * Gas is counted in whole numbers below 2^53: a hundred blocks of the largest gas limit are 10^14.
 */
export class Turns {
  readonly #use: Float64Array
  readonly #gasLimit: Float64Array
  /** The order among equals. */
  readonly #rank: Float64Array
  /** What takers are ordered by now. */
  readonly #key: Float64Array
  readonly #heap: Heap
  #count = 0
  #gasLeftByUse: number
  #turns = 0

  /** For so many takers at the most. `gasMax`: of the block. */
  constructor(takersMax: number, gasMax: number) {
    this.#gasLeftByUse = byUseShare * gasMax
    const [use, gasLimit, rank, key] = Array.from({ length: 4 }, () => new Float64Array(takersMax)) as FourArrays
    this.#use = use
    this.#gasLimit = gasLimit
    this.#rank = rank
    this.#key = key
    this.#heap = new Heap(takersMax, (a, b) => {
      const difference = key[a]! - key[b]! || rank[a]! - rank[b]!
      return difference < 0
    })
  }

  /**
   * The next taker comes in, with its first transaction's gas limit, and a number for its arrival that is no less than 0. All must be there before the first
   * turn.
   */
  add(use: number, gasLimit: number, arrival: number): void {
    const taker = this.#count++
    this.#use[taker] = use
    this.#gasLimit[taker] = gasLimit
    this.#rank[taker] = arrival
    this.#key[taker] = use
    this.#heap.add(taker)
  }

  /** Whose turn it is; undefined when nobody is left. */
  get next(): number | undefined {
    return this.#heap.first
  }

  /**
   * The turn is over: what its transaction used (0 where it is not in the block), and the gas limit of what the taker has next. A taker that has nothing more
   * leaves.
   */
  took(gasUsed: number, nextGasLimit: number | undefined): void {
    const taker = this.#heap.first!
    this.#use[taker]! += gasUsed
    if (nextGasLimit === undefined) {
      this.#heap.removeFirst()
    } else {
      this.#gasLimit[taker] = nextGasLimit
      this.#rank[taker] = ranksOfTurns + this.#turns++
      this.#key[taker] = this.#keyOf(taker)
      this.#heap.firstChanged()
    }
    const wasByUse = this.#gasLeftByUse > 0
    this.#gasLeftByUse -= gasUsed
    if (!wasByUse || this.#gasLeftByUse > 0) return
    for (const waiting of this.#heap) this.#key[waiting] = this.#keyOf(waiting)
    this.#heap.orderAnew()
  }

  #keyOf(taker: number): number {
    return this.#gasLeftByUse > 0 ? this.#use[taker]! : this.#use[taker]! + this.#gasLimit[taker]!
  }
}

type FourArrays = [Float64Array, Float64Array, Float64Array, Float64Array]
