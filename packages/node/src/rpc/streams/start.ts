import type { Height } from '@quoin/protocol'
import type { RpcBackend } from '../backend.ts'
import { invalidParams, RpcError } from '../errors.ts'
import type { CallContext } from '../method.ts'
import { reach } from '../min-height.ts'
import { storedPart } from '../stored-part.ts'
import { type CursorContent, isOfChain, namesBlock, positionOf } from './cursor.ts'
import { beginningOf, endOf, type Position, type Unit } from './position.ts'
import type { StreamStart } from './request.ts'

const unknownCursor = (why: string): RpcError => new RpcError('cursor-unknown', `the cursor is unknown: ${why}`)

/** The position of a start. Throws RpcError if this chain or this node does not have it. */
export async function positionOfStart(
  backend: RpcBackend,
  start: StreamStart,
  unit: Unit | undefined,
  call: CallContext,
): Promise<Position> {
  const head = backend.blocks.head.header.number
  if (start === undefined) return endOf(head)
  if ('cursor' in start) return positionOfCursor(backend, start.cursor, unit, call)
  if ('time' in start) return beginningOf(firstBlockAt(backend, start.time))
  // A cursor at its beginning would name the block before it.
  await reach(start.block - 1, call)
  return beginningOf(start.block)
}

async function positionOfCursor(
  backend: RpcBackend,
  cursor: CursorContent,
  unit: Unit | undefined,
  call: CallContext,
): Promise<Position> {
  const { height } = cursor
  if (!isOfChain(cursor, call.shared.genesis())) throw unknownCursor('it is from another chain')
  if (backend.standsAlone && height > backend.blocks.head.header.number) throw unknownCursor(`this chain has no block ${height}`)
  await reach(height, call)
  if (!namesBlock(cursor, storedPart(backend.blocks, 'header', height).hash))
    throw unknownCursor(`this chain has another block ${height}`)
  const position = positionOf(cursor, unit)
  if (position !== undefined) return position
  throw invalidParams(
    `the cursor lies within a block, after some of its ${cursor.behind}: a stream of other items cannot begin there`,
  )
}

/** The first block at or after a time, by binary search: block times rise strictly. The next block if the head is before the time. */
function firstBlockAt({ blocks }: Pick<RpcBackend, 'blocks'>, timeMs: number): number {
  let low = 0
  let high: number = blocks.head.header.number + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (storedPart(blocks, 'header', middle as Height).header.timeMs >= timeMs) high = middle
    else low = middle + 1
  }
  return low
}
