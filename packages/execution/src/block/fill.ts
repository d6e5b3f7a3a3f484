import { type Address, LIMITS, type Result } from '@quoin/protocol'
import type { Candidate, CandidateQueue, FillLimits, TransactionRefusal } from '../executor.ts'
import type { BlockRun, SenderTransaction } from './block.ts'
import { GAS } from './intrinsic-gas.ts'
import { askedGas, Turns } from './turns.ts'

export interface Filled {
  /** Positions among all candidates, queue behind queue. */
  readonly included: readonly number[]
  /** In the order of their positions. */
  readonly refused: readonly { readonly index: number; readonly reason: TransactionRefusal }[]
}

type Decode = (candidate: Candidate) => Result<SenderTransaction, TransactionRefusal>

/**
 * Runs candidates while they fit. Queues take turns of one candidate (`Turns`); what counts is the gas that was really used. A candidate fits when its gas limit
 * does: one that does not costs its sender the rest of this block, and nobody else. One is left out in silence where a later block may take it: no room,
 * a nonce gap, a base fee that may fall, or an account that this very block has changed.
 */
export function fillBlock(
  run: BlockRun,
  queues: readonly CandidateQueue[],
  /** Called for candidates that fit, just before each runs. */
  decode: Decode,
  fill: FillLimits,
): Filled {
  const room = { gasMax: Math.min(fill.gasMax, run.rules.gasLimit), bytesMax: Math.min(fill.bytesMax, LIMITS.blockBytesMax) }
  const filling = new Filling(run, decode, room)
  const turns = new Turns(queues.length)
  const asked = (candidate: Candidate | undefined) => candidate && askedGas(candidate.gasLimit, candidate.raw.length, room)
  /** For each queue: the position of its first candidate, and how many of its candidates had their turn. */
  const starts: number[] = []
  const taken: number[] = []
  let count = 0
  for (const [index, { use, candidates }] of queues.entries()) {
    starts.push(count)
    taken.push(0)
    count += candidates.length
    // A queue without candidates leaves when its turn comes.
    turns.add(use, asked(candidates[0]) ?? 0, index)
  }
  for (let at = turns.next; at !== undefined && room.gasMax - run.gasUsed >= GAS.transaction; at = turns.next) {
    const { candidates } = queues[at]!
    const turn = taken[at]!++
    const candidate = candidates[turn]
    const gasUsed = candidate === undefined ? 0 : filling.offer(candidate, starts[at]! + turn)
    turns.took(gasUsed, run.filledPart(room), asked(candidates[turn + 1]))
  }
  return filling.result()
}

/** What became of the candidates so far. */
class Filling {
  readonly #run: BlockRun
  readonly #decode: Decode
  readonly #fill: FillLimits
  readonly #included: number[] = []
  readonly #refused: { readonly index: number; readonly reason: TransactionRefusal }[] = []
  /** Senders of included candidates. */
  readonly #sent = new Set<Address>()
  /** Senders of candidates that do not fit: what lies behind those cannot run in this block. */
  readonly #held = new Set<Address>()

  constructor(run: BlockRun, decode: Decode, fill: FillLimits) {
    this.#run = run
    this.#decode = decode
    this.#fill = fill
  }

  /** Returns the gas that the candidate used in the block. */
  offer(candidate: Candidate, index: number): number {
    const { sender } = candidate
    if (this.#held.has(sender)) return 0
    if (!this.#run.hasRoom(candidate, this.#fill)) {
      this.#held.add(sender)
      return 0
    }
    const decoded = this.#decode(candidate)
    if (!decoded.ok) {
      this.#refused.push({ index, reason: decoded.error })
      return 0
    }
    const before = this.#run.gasUsed
    const offered = this.#run.offer(decoded.value, this.#fill)
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
