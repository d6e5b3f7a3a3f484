import type { Hash } from '@quoin/protocol'
import { isPromise } from '../../awaitable.ts'
import type { RpcLimits } from '../limits.ts'
import { storedPart } from '../stored-part.ts'
import type { Turn } from '../turns.ts'
import { cursorOf, namedHeight } from './cursor.ts'
import { beginningOf, endOf, type Position, type Unit } from './position.ts'
import type { ChainView, StreamSource } from './source.ts'

/** A batch of a stream, without the parts that differ between its receivers. */
export interface Batch {
  /** Number of items. */
  readonly count: number
  /** The position after it. */
  readonly next: Position
  /** Height of the head when it was made. */
  readonly head: number
  /** The members of its JSON object. */
  readonly text: string
}

export interface BatchTask {
  readonly genesis: Hash
  readonly view: ChainView
  readonly source: StreamSource
  readonly from: Position
  readonly limits: Pick<RpcLimits, 'streamItemsMax' | 'streamBatchBytes'>
  readonly turn: Turn
  /** Whether the search has taken long enough. Then the batch ends where it is. */
  readonly isOver: () => boolean
}

/**
 * Makes the next batch: it ends after the head, with the item that reaches a limit, or when its time is over. Rejects if `nextTurn` does.
 * The position moves at least by a step of the search, so that whoever asks again gets to the end.
 */
export async function makeBatch(task: BatchTask): Promise<Batch> {
  const { view, source, from, limits, turn, isOver } = task
  const head = view.head.header.number
  const search = source.search(view, turn)
  const items: string[] = []
  let bytes = 0
  let at = from
  const end = (next: Position): Batch => ({
    ...{ count: items.length, next, head },
    text: batchText(task.genesis, view, next, source.unit, items),
  })
  while (at.height <= head && (at === from || !isOver())) {
    if (turn.isSliceOver()) await turn.nextTurn()
    if (at.index === 0) {
      const seeking = search.seek(at.height)
      const { height, mayMatch } = isPromise(seeking) ? await seeking : seeking
      at = beginningOf(height)
      if (!mayMatch) continue
    }
    const { height } = at
    for (const { index, text } of search.items(height, at.index)) {
      if (turn.isSliceOver()) await turn.nextTurn()
      items.push(text)
      bytes += text.length
      if (items.length < limits.streamItemsMax && bytes < limits.streamBatchBytes) continue
      return end(source.unit === undefined ? endOf(height) : { height, index: index + 1 })
    }
    at = endOf(height)
  }
  return end(at)
}

/** The members of a batch's JSON object: the cursor with the block that it names, whether it lies within that block, the head, and the items. */
export function batchText(
  genesis: Hash,
  { blocks, head }: Pick<ChainView, 'blocks' | 'head'>,
  position: Position,
  unit: Unit | undefined,
  items: readonly string[],
): string {
  const named = namedHeight(position)
  const { hash, timeMs } = storedPart(blocks, 'stamp', named)
  const { number: headNumber, timeMs: headTime } = head.header
  const cursor = cursorOf(genesis, position, unit, hash)
  return `"cursor":"${cursor}","height":${named},"blockHash":"${hash}","time":${timeMs},"isWithin":${position.index > 0},"head":{"height":${headNumber},"hash":"${head.hash}","time":${headTime}},"items":[${items.join()}]`
}
