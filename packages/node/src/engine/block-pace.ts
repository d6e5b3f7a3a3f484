import { ENGINE_LIMITS } from './limits.ts'

/** Nearly empty blocks whose time is remembered: a single one may have waited for the disk. */
const SMALL_BLOCKS = 8

/**
 * How much of a block this node fills as proposer, so that blocks come in time while more transactions wait than the machines can
 * execute. Fast machines fill blocks completely. The time in which this node executes and commits blocks decides, not the latency of
 * the network: later rounds of a height shrink blocks for that (`fillHalvingsMax`).
 *
 * Only the time that depends on the transactions counts: that of nearly empty blocks is subtracted, because smaller blocks do not
 * reduce it.
 */
export class BlockPace {
  #part: number = ENGINE_LIMITS.fillPartStart
  /** Times of the last nearly empty blocks, in ms. */
  #small: readonly number[] = []

  /** Fraction of the next block that may be used, from `fillPartMin` to 1. */
  get part(): number {
    return this.#part
  }

  /**
   * Learns from a final block.
   *
   * @param filledPart fraction of the block that is used, from 0 to 1
   * @param workMs time that this node took to build or validate the block and to commit it
   * @param workMsMax time that this should take at most
   */
  took(filledPart: number, workMs: number, workMsMax: number): void {
    const { fillPartMin, fillPartStart } = ENGINE_LIMITS
    if (filledPart < fillPartMin) {
      this.#small = [workMs, ...this.#small].slice(0, SMALL_BLOCKS)
      return
    }
    const fixedMs = this.#small.length < SMALL_BLOCKS ? 0 : Math.min(...this.#small)
    // Where a block takes long by itself, its transactions may take as long again.
    const availableMs = Math.max(workMsMax - fixedMs, Math.min(workMsMax, fixedMs))
    const fitting = (filledPart * availableMs) / Math.max(1, workMs - fixedMs)
    if (fitting < filledPart) this.#part = Math.max(fillPartMin, Math.min(this.#part, fitting))
    // Twice as large a block may take more than twice as long, so the part grows in steps.
    else this.#part = Math.max(this.#part, Math.min(1, fitting, Math.max(fillPartStart, 2 * filledPart)))
  }
}
