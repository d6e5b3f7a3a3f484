import { compareBytes } from '@quoin/protocol'
import { TREE_LIMITS } from './limits.ts'

/** A new value of a tree key, or its removal. */
export interface TreeChange {
  /** 32 bytes (`treeKey`). */
  readonly key: Uint8Array
  /** Undefined removes the key; an empty value is a value. */
  readonly value: Uint8Array | undefined
}

/**
 * Orders changes by key. Returns positions in `changes`; for a key that occurs more than once, only its last change. It sorts
 * doubles that combine 32 key bits and the position, because a comparator costs ten times as much.
 *
 * @throws RangeError for more than `changesMax` changes, or a key that is not 32 bytes long
 */
export function orderChanges(changes: readonly TreeChange[]): Uint32Array {
  const count = changes.length
  if (count > TREE_LIMITS.changesMax) throw new RangeError(`${count} changes, at most ${TREE_LIMITS.changesMax} in a batch`)
  const sortable = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const key = changes[i]!.key
    if (key.length !== 32) throw new RangeError(`a tree key has 32 bytes, not ${key.length}`)
    const first = key[0]! * 2 ** 24 + ((key[1]! << 16) | (key[2]! << 8) | key[3]!)
    sortable[i] = first * TREE_LIMITS.changesMax + i
  }
  sortable.sort()
  const order = new Uint32Array(count)
  let start = 0
  for (let i = 0; i < count; i++) {
    const first = Math.floor(sortable[i]! / TREE_LIMITS.changesMax)
    order[i] = sortable[i]! % TREE_LIMITS.changesMax
    const last = i + 1 === count || Math.floor(sortable[i + 1]! / TREE_LIMITS.changesMax) !== first
    if (!last) continue
    if (i > start) {
      order.subarray(start, i + 1).sort((a, b) => compareBytes(changes[a]!.key, changes[b]!.key) || a - b)
    }
    start = i + 1
  }
  return withoutRepeats(changes, order)
}

function withoutRepeats(changes: readonly TreeChange[], order: Uint32Array): Uint32Array {
  let kept = 0
  for (let i = 0; i < order.length; i++) {
    const next = order[i + 1]
    if (next !== undefined && compareBytes(changes[order[i]!]!.key, changes[next]!.key) === 0) continue
    order[kept++] = order[i]!
  }
  return order.subarray(0, kept)
}
