import { type CandidateQueue, LANE } from '@quoin/execution'
import type { Address, Hash, SignedTransaction } from '@quoin/protocol'
import type { SenderQueue } from './sender-queue.ts'

/**
 * Use by which a builder orders queues: the least there is, because use travels to the executor as a whole number. The lane's queues stand first
 * among those with the same use, so each of them has its first turn before all others.
 */
const FIRST = 0

export interface LaneRules {
  usesLane(transaction: SignedTransaction): boolean
  /** With whom a sender shares its turns. */
  turn(sender: Address): Hash | Address
}

/**
 * Senders whose next transaction may go by the lane, so that a builder finds them among fifty thousand others. A sender stays here until the
 * pool has nothing of it.
 */
export class LaneSenders {
  readonly #senders = new Set<Address>()

  /** Notes an admitted transaction. */
  admitted(sender: Address): void {
    this.#senders.add(sender)
  }

  /**
   * What a block may take by the lane: one queue for each organisation, and as many transactions of it as a block has room for. The
   * builder gives each organisation its turn; who is first changes with the height.
   *
   * @param queueOf the pooled transactions of a sender
   */
  offer(
    queueOf: (sender: Address) => SenderQueue | undefined,
    rules: LaneRules,
    height: number,
  ): readonly CandidateQueue<SignedTransaction>[] {
    const byTurn = new Map<Hash | Address, SignedTransaction[]>()
    for (const sender of this.#senders) {
      const queue = queueOf(sender)
      if (queue === undefined) {
        this.#senders.delete(sender)
        continue
      }
      const turn = rules.turn(sender)
      const taken = byTurn.get(turn) ?? []
      for (const { transaction } of queue.executable()) {
        if (taken.length >= LANE.transactionsMax || !rules.usesLane(transaction)) break
        taken.push(transaction)
      }
      if (taken.length > 0) byTurn.set(turn, taken)
    }
    const offers = [...byTurn.values()].map((candidates) => ({ use: FIRST, candidates }))
    const first = offers.length === 0 ? 0 : height % offers.length
    return [...offers.slice(first), ...offers.slice(0, first)]
  }
}
