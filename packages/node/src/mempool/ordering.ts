import type { Hash, SignedTransaction, Wei } from '@quoin/protocol'
import type { PoolEntry, SenderQueue } from './sender-queue.ts'

/** What a transaction pays the proposer for each unit of gas: the tip, as far as the fee cap leaves room above the base fee. */
export function effectiveTip(transaction: SignedTransaction, baseFee: bigint): bigint {
  const room = transaction.maxFeePerGas - baseFee
  return room < transaction.maxPriorityFeePerGas ? room : transaction.maxPriorityFeePerGas
}

export interface CandidateLimits {
  readonly gasMax: number
  readonly countMax: number
  readonly bytesMax: number
}

interface Candidate {
  readonly tip: bigint
  readonly entry: PoolEntry
  readonly rest: Generator<PoolEntry>
}

/**
 * The transactions that a block should take: among each sender's next one always the best tip, the earlier arrival where tips are
 * equal, so that under the policy `free` without tips it is first come, first served. Stops at the first limit reached; a
 * transaction over the gas or bytes left, or one that is suspended, ends its sender's turn.
 */
export function selectCandidates(
  queues: Iterable<SenderQueue>,
  baseFee: Wei,
  limits: CandidateLimits,
  isSuspended: (hash: Hash) => boolean,
): readonly SignedTransaction[] {
  const heap: Candidate[] = []
  for (const queue of queues) {
    const rest = queue.executable()
    offer(heap, rest, baseFee)
  }
  const chosen: SignedTransaction[] = []
  let gas = limits.gasMax
  let bytes = limits.bytesMax
  while (heap.length > 0 && chosen.length < limits.countMax) {
    const { entry, rest } = pop(heap)
    const { transaction } = entry
    if (transaction.gasLimit > gas || transaction.raw.length > bytes || isSuspended(transaction.hash)) continue
    gas -= transaction.gasLimit
    bytes -= transaction.raw.length
    chosen.push(transaction)
    offer(heap, rest, baseFee)
  }
  return chosen
}

function offer(heap: Candidate[], rest: Generator<PoolEntry>, baseFee: Wei): void {
  const next = rest.next()
  if (next.done === true) return
  const tip = effectiveTip(next.value.transaction, baseFee)
  if (tip >= 0n) push(heap, { tip, entry: next.value, rest })
}

const before = (a: Candidate, b: Candidate): boolean => (a.tip === b.tip ? a.entry.sequence < b.entry.sequence : a.tip > b.tip)

function push(heap: Candidate[], item: Candidate): void {
  let at = heap.length
  heap.push(item)
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!before(item, heap[parent]!)) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = item
}

function pop(heap: Candidate[]): Candidate {
  const top = heap[0]!
  const item = heap.pop()!
  if (heap.length === 0) return top
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
    if (!before(heap[child]!, item)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = item
  return top
}
