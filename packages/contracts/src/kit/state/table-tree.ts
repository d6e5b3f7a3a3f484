import type { Guest } from '../guest.ts'

declare const quoin: Guest

/*
 * A B+ tree: a sorted set of texts, none of which is a prefix of another. At `place` is a number: its low 64 bits are the number of texts, the higher
 * bits the number of nodes made so far. The nodes are at `place#0` (the root), `place#1`, …, each as one text:
 *
 * - A leaf has a comma before each text: `,a,b,c`.
 * - An inner node has an entry for each child, with a separator and the child's number: `, 4,bc 7,m 2`. The child contains the texts from its separator
 *   up to but not including the next separator. The first separator is empty; the others are the shortest that separate their neighbours (Bayer and
 *   Unterauer 1977, *Prefix B-trees*).
 *
 * A node that becomes too long is split in the middle. The last node of a level is split at its end if it grew there, so that ascending texts fill
 * their nodes. A node is removed when it is empty, and never merged with others (Johnson and Shasha 1993, *B-trees with inserts and deletes: why
 * free-at-empty is better than merge-at-half*). There are never more leaves than texts, and the height is at most logarithmic in the total number of
 * insertions. A root with one child is replaced by that child.
 *
 * These are functions, not a class, because each `this` costs gas at deployment.
 */

/**
 * A longer node is split. Insertions into 1,000 texts took the same gas within 8 % for limits of 150, 220, 300 and 420. Scans are cheaper with long
 * nodes, which contain more texts per walk from the root.
 */
const NODE_CHARS_MAX = 300

/** A node with fewer entries is not split even if it is longer: the longest entries need more room than that. */
const DIVIDED_ENTRIES_MIN = 6

const ROOT = '0'

/** Less than all characters of keys, and greater than the space after a separator. */
const NOT_AFTER = '!'
/** Greater than the comma after a key. A text that is less than `text + AFTER` does not come after `text`. */
const AFTER = '-'
/** Greater than all characters of keys. */
export const END = '~'

/** Counts changes of all trees in this call, so that a running iteration knows when to search again. */
let changes = 0

/** Number of texts. */
export const treeSize = (place: string): bigint => BigInt.asUintN(64, count(place, 0n))

/** Adds a text that is not in the tree. */
export function addText(place: string, text: string): void {
  changes++
  addBelow(place, ROOT, text, true)
  count(place, 1n)
}

/** Removes a text that is in the tree. */
export function removeText(place: string, text: string): void {
  changes++
  removeBelow(place, ROOT, text)
  count(place, -1n)
}

/** Iterates over the texts from `lower` up to but not including `upper`, or backwards. Each step goes to the next text in the tree at that moment. */
export function* textsOf(place: string, lower: string, upper: string, backwards: boolean): Generator<string, void> {
  let from = backwards ? upper : lower
  while (lower < upper) {
    const [leaf, fence] = leafAt(place, from, backwards)
    let at = seek(leaf, from)
    const seen = changes
    while (seen === changes && at !== (backwards ? 0 : leaf.length)) {
      const end = backwards ? at : entryEnd(leaf, at)
      const start = backwards ? leaf.lastIndexOf(',', at - 1) : at
      const text = leaf.slice(start + 1, end)
      if (backwards ? text < lower : text >= upper) return
      from = backwards ? text : text + AFTER
      at = backwards ? start : end
      yield text
    }
    if (seen !== changes) continue
    if (fence === '') return
    from = fence
  }
}

/** The leaf to search for the first text that is not less than `from` (backwards: for the last text less than it), and the neighbour's separator. */
function leafAt(place: string, from: string, backwards: boolean): readonly [leaf: string, fence: string] {
  let node = load(place, ROOT)
  let fence = ''
  while (isInner(node)) {
    const end = seek(node, backwards ? from : from + NOT_AFTER)
    if (backwards) fence = node.slice(node.lastIndexOf(',', end - 1) + 1, node.lastIndexOf(' ', end - 1)) || fence
    else if (end < node.length) fence = node.slice(end + 1, node.indexOf(' ', end))
    node = load(place, childBefore(node, end))
  }
  return [node, fence]
}

/**
 * Adds a text below a node.
 *
 * @param isLast whether the node is the last one of its level
 * @returns the entry of the new sibling, for the parent, if the node was split; else an empty string
 */
function addBelow(place: string, id: string, text: string, isLast: boolean): string {
  const node = load(place, id)
  const inner = isInner(node)
  const at = seek(node, inner ? text + NOT_AFTER : text)
  const grows = isLast && at === node.length
  const entry = inner ? addBelow(place, childBefore(node, at), text, grows) : text
  if (entry === '') return ''
  const grown = `${node.slice(0, at)},${entry}${node.slice(at)}`
  if (grown.length <= NODE_CHARS_MAX || !isDivisible(grown)) {
    store(place, id, grown)
    return ''
  }
  const cut = grows ? at : grown.lastIndexOf(',', grown.length >> 1)
  const left = grown.slice(0, cut)
  const right = grown.slice(cut)
  const space = right.indexOf(' ')
  const separator = inner
    ? right.slice(1, space)
    : separatorOf(left.slice(left.lastIndexOf(',') + 1), right.slice(1, entryEnd(right, 0)))
  const sibling = storeNew(place, inner ? `,${right.slice(space)}` : right)
  if (id !== ROOT) {
    store(place, id, left)
    return `${separator} ${sibling}`
  }
  store(place, ROOT, `, ${storeNew(place, left)},${separator} ${sibling}`)
  return ''
}

/** Removes a text below a node. Returns whether the node became empty and was removed. */
function removeBelow(place: string, id: string, text: string): boolean {
  const node = load(place, id)
  const inner = isInner(node)
  const at = seek(node, inner ? text + NOT_AFTER : text)
  if (inner && !removeBelow(place, childBefore(node, at), text)) return false
  const from = inner ? node.lastIndexOf(',', at - 1) : at
  let rest = node.slice(0, from) + node.slice(inner ? at : at + 1 + text.length)
  if (inner && from === 0 && rest !== '') rest = `,${rest.slice(rest.indexOf(' '))}`
  while (id === ROOT && isInner(rest) && rest.lastIndexOf(',') === 0) {
    const child = rest.slice(2)
    rest = load(place, child)
    store(place, child, '')
  }
  store(place, id, rest)
  return rest === ''
}

/** Adds to the combined number of texts and nodes, and returns it. */
function count(place: string, change: bigint): bigint {
  const counted = (quoin.load('uint256', place) as bigint) + change
  if (change) quoin.store('uint256', place, counted)
  return counted
}

const load = (place: string, id: string): string => quoin.load('string', `${place}#${id}`) as string

/** Bytes and text are stored in the same form, but bytes cost less gas. */
const store = (place: string, id: string, node: string): void => quoin.store('bytes', `${place}#${id}`, quoin.encodeUtf8(node))

/** Stores a new node and returns its number. */
function storeNew(place: string, node: string): string {
  const id = `${count(place, 1n << 64n) >> 64n}`
  store(place, id, node)
  return id
}

const isInner = (node: string): boolean => node[1] === ' '

function isDivisible(node: string): boolean {
  let at = 0
  for (let entries = 1; entries < DIVIDED_ENTRIES_MIN && at >= 0; entries++) at = node.indexOf(',', at + 1)
  return at > 0
}

/** Number of the child whose entry ends at an index. */
const childBefore = (node: string, end: number): string => node.slice(node.lastIndexOf(' ', end - 1) + 1, end)

/** End of the entry that begins at an index. */
function entryEnd(node: string, at: number): number {
  const end = node.indexOf(',', at + 1)
  return end < 0 ? node.length : end
}

/** Start of the first entry that is not less than a text; the node's end if there is none. */
function seek(node: string, text: string): number {
  let low = 0
  let high = node.length
  while (low < high) {
    const start = node.lastIndexOf(',', (low + high) >> 1)
    // A shorter entry is followed by a comma or a space, which is less than any character of a text.
    if (node.slice(start + 1, start + 1 + text.length) < text) low = entryEnd(node, start)
    else high = start
  }
  return low
}

/** The shortest prefix of `text` that is greater than `before`. */
function separatorOf(before: string, text: string): string {
  let low = 1
  let high = text.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (text.slice(0, middle) > before) high = middle
    else low = middle + 1
  }
  return text.slice(0, low)
}
