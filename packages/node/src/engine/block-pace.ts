import { ENGINE_LIMITS } from './limits.ts'

/**
 * How much of a block this node fills as proposer, so that blocks come in time while more transactions wait than the machines can
 * execute. Fast machines fill blocks completely. The time in which this node executes and commits blocks decides, not the latency of
 * the network: later rounds of a height shrink blocks for that (`fillHalvingsMax`). After a time of small blocks it begins anew with
 * `fillPartStart`: whether the machine is still as fast is not known.
 */
export class BlockPace {
  #part: number = ENGINE_LIMITS.fillPartStart

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
    const fitting = (filledPart * workMsMax) / workMs
    if (workMs <= workMsMax)
      // Twice as large a block may take more than twice as long, so the part grows in steps.
      this.#part = Math.min(1, Math.max(fillPartStart, 2 * filledPart), Math.max(this.#part, fitting))
    // A nearly empty block that takes long, for example because of the disk, says nothing about full ones.
    else if (filledPart >= fillPartMin) this.#part = Math.max(fillPartMin, Math.min(this.#part, fitting))
  }
}
