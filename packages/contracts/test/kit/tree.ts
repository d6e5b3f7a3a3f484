import { type Address, utf8ToBytes } from '@quoin/protocol'
import type { Journal } from '../../../execution/src/state/journal.ts'

/** Shape of a table's tree in storage. */
interface TreeShape {
  readonly keys: readonly string[]
  readonly nodes: number
  readonly leaves: number
  readonly height: number
  /** Number of nodes made so far, including removed ones. */
  readonly made: number
  readonly size: number
  readonly charsMax: number
}

/**
 * Reads a table's tree node by node and checks its invariants: all leaves have the same height and are not empty; every text is between its
 * separators; separators are sorted and the first one of each node is empty; node numbers are unique and below the counter. Shares no code with the
 * table.
 */
export function readTree(journal: Journal, contract: Address, place: string): TreeShape {
  const stored = (key: string) => journal.storage(contract, utf8ToBytes(key))
  const counters = BigInt(`0x0${Buffer.from(stored(place) ?? []).toString('hex')}`)
  const made = Number(counters >> 64n)
  const seen = new Set<string>()
  let [leaves, height, charsMax] = [0, 0, 0]

  const visit = (id: string, from: string, to: string, depth: number): readonly string[] => {
    if (seen.has(id) || !/^(?:0|[1-9]\d*)$/.test(id) || Number(id) > made)
      throw new Error(`node ${id} is there twice or was never made`)
    seen.add(id)
    const text = Buffer.from(stored(`${place}#${id}`) ?? []).toString()
    charsMax = Math.max(charsMax, text.length)
    if (text === '') {
      if (id !== '0') throw new Error(`node ${id} is empty`)
      return []
    }
    const [nothing, ...entries] = text.split(',')
    if (nothing !== '') throw new Error(`node ${id} begins with ${nothing}`)
    if (!entries[0]!.includes(' ')) {
      if (height !== 0 && height !== depth) throw new Error(`leaves of height ${height} and ${depth}`)
      height = depth
      leaves++
      if (entries.some((entry) => entry < from || entry >= to)) throw new Error(`leaf ${id} has texts of its neighbours`)
      return entries
    }
    const children = entries.map((entry) => entry.split(' ') as [separator: string, child: string])
    if (children[0]![0] !== '' || children.slice(1).some(([separator]) => separator <= from || separator >= to))
      throw new Error(`the separators of node ${id} are not within its own`)
    return children.flatMap(([separator, child], i) => visit(child, separator || from, children[i + 1]?.[0] ?? to, depth + 1))
  }
  const keys = visit('0', '', '~', 1)
  if (keys.some((key, i) => i > 0 && key <= keys[i - 1]!)) throw new Error('the texts are not in order')
  for (let id = 1; id <= made; id++)
    if (!seen.has(`${id}`) && stored(`${place}#${id}`) !== undefined) throw new Error(`node ${id} is lost`)
  return { keys, nodes: seen.size, leaves, height, made, size: Number(BigInt.asUintN(64, counters)), charsMax }
}
