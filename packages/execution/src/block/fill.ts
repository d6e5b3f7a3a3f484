import { type Address, LIMITS, type Result } from '@quoin/protocol'
import type { Candidate, CandidateQueue, FillLimits, TransactionRefusal } from '../executor.ts'
import type { BlockRun, SenderTransaction } from './block.ts'
import { GAS } from './intrinsic-gas.ts'
import { askedGas, Turns } from './turns.ts'

export interface Filled {
  /** Positions among the candidates of all queues, counted through in order. */
  readonly included: readonly number[]
  /** Ascending by position. */
  readonly refused: readonly { readonly index: number; readonly reason: TransactionRefusal }[]
}

type Decode = (candidate: Candidate) => Result<SenderTransaction, TransactionRefusal>

/**
 * Fills a block with candidates from queues that take turns (`Turns`), one candidate per turn. Turns are ordered by the gas that
 * was actually used. A candidate fits if its gas limit fits. If it does not, its sender is skipped for the rest of this block,
 * and no other sender is affected. A candidate is left out without a refusal if a later block may take it: no room, a nonce gap,
 * a base fee that may fall, or an account that this block has changed.
 */
export function fillBlock(
  run: BlockRun,
  queues: readonly CandidateQueue[],
  /** Called for a candidate that fits, just before it runs. */
  decode: Decode,
  fill: FillLimits,
): Filled {
  const whole: FillLimits = {
    gasMax: Math.min(fill.gasMax, run.rules.gasLimit),
    bytesMax: Math.min(fill.bytesMax, LIMITS.blockBytesMax),
    part: fill.part,
  }
  const filling = new Filling(run, decode)
  const turns = new Turns(queues.length)
  const asked = (candidate: Candidate | undefined) => candidate && askedGas(candidate.gasLimit, candidate.raw.length, whole)
  /** For each queue: the position of its first candidate, and the number of its candidates that had their turn. */
  const starts: number[] = []
  const taken: number[] = []
  let count = 0
  for (const [index, { use, candidates }] of queues.entries()) {
    starts.push(count)
    taken.push(0)
    count += candidates.length
    // An empty queue is removed when its turn comes.
    turns.add(use, asked(candidates[0]) ?? 0, index)
  }
  let room = whole
  for (let at = turns.next; at !== undefined && room.gasMax - run.gasUsed >= GAS.transaction; at = turns.next) {
    const filled = run.filledPart(whole)
    if (filled >= 1 && room === whole) {
      if (filled - turns.filledByUse >= lastPart) break
      room = run.roomFor(lastPart, whole)
    }
    const { candidates } = queues[at]!
    const turn = taken[at]!++
    const candidate = candidates[turn]
    const gasUsed = candidate === undefined ? 0 : filling.offer(candidate, starts[at]! + turn, room)
    turns.took(gasUsed, run.filledPart(whole), asked(candidates[turn + 1]))
  }
  return filling.result()
}

/**
 * The fraction of the part to be filled that always goes to those that ask for little. The transactions before may use more than the part:
 * then this much is added, and only for transactions whose gas limits fit into it.
 */
const lastPart = 1 / 4

/** Results of the candidates so far. */
class Filling {
  readonly #run: BlockRun
  readonly #decode: Decode
  readonly #included: number[] = []
  readonly #refused: { readonly index: number; readonly reason: TransactionRefusal }[] = []
  /** Senders of included candidates. */
  readonly #sent = new Set<Address>()
  /** Senders of candidates that do not fit. Their later candidates cannot run in this block. */
  readonly #held = new Set<Address>()

  constructor(run: BlockRun, decode: Decode) {
    this.#run = run
    this.#decode = decode
  }

  /** Offers a candidate to the block, if it fits into `room`. Returns the gas that it used. */
  offer(candidate: Candidate, index: number, room: FillLimits): number {
    const { sender } = candidate
    if (this.#held.has(sender)) return 0
    if (!this.#run.hasRoom(candidate, room)) {
      this.#held.add(sender)
      return 0
    }
    const decoded = this.#decode(candidate)
    if (!decoded.ok) {
      this.#refused.push({ index, reason: decoded.error })
      return 0
    }
    const before = this.#run.gasUsed
    const offered = this.#run.offer(decoded.value, room)
    if (offered.kind === 'included') {
      this.#sent.add(sender)
      this.#included.push(index)
    } else if (offered.kind === 'no-room') {
      this.#held.add(sender)
    } else if (isFinal(offered.reason) && !this.#sent.has(sender)) {
      this.#refused.push({ index, reason: offered.reason })
    }
    return this.#run.gasUsed - before
  }

  result(): Filled {
    return { included: this.#included, refused: this.#refused.toSorted((a, b) => a.index - b.index) }
  }
}

const isFinal = ({ code }: TransactionRefusal): boolean => code !== 'nonce-too-high' && code !== 'fee-too-low'
