import type { Guest } from '../guest.ts'

declare const quoin: Guest

/*
 * A set of texts in order, none the beginning of another: a B+ tree. At its place lies the number of texts, and above its 64 bits the number of
 * nodes made; its nodes lie at `place#0` (the root), `place#1`, …, each as one text:
 *
 * - A leaf has a comma before each text: `,a,b,c`.
 * - An inner node has children for texts, each a separator and the child's number: `, 4,bc 7,m 2`. Texts from a separator up to, and without,
 *   the next are in the child. The first separator is empty, the others are as short as tells the neighbours apart (Bayer and
 *   Unterauer 1977, *Prefix B-trees*).
 *
 * A node that becomes too long is divided in the middle; the last one at its end, if that is where it grew: ascending texts fill their nodes.
 * A node is removed when it is empty, and not merged with others before (Johnson and Shasha 1993, *B-trees with inserts and deletes: why
 * free-at-empty is better than merge-at-half*): there are never more leaves than texts, and the height is at most logarithmic in the number
 * of insertions that there were. A root with one child becomes that child.
 *
 * These are functions and no class because each `this` is paid for at deployment.
 */

/**
 * A node with more is divided. With 150, 220, 300 and 420 insertions among 1,000 took within 8 % of the same gas; scans like long nodes, which
 * hold more texts to each walk from the root.
 */
const NODE_CHARS_MAX = 300

/** … unless it has fewer texts or children: the longest are longer than that. */
const DIVIDED_ENTRIES_MIN = 6

const ROOT = '0'

/** Below all characters of keys, and above the space behind a separator. */
const NOT_AFTER = '!'
/** Above the comma behind a key; what is less than a text and this is not after the text. */
const AFTER = '-'
/** Above all characters of keys. */
export const END = '~'

/** Changes of any tree in this call: who walks through one knows by it when to look anew. */
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

/** The texts from `lower` up to, and without, `upper`, backwards if so asked. Each step goes to the next one that the tree has at that moment. */
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

/** The leaf in which to look for the first text that is not before `from`, or for the last one before it, and where its neighbour begins. */
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

/** Adds a text below a node, the last of its level or not; answers with what the parent is to get beside the node, if it was divided. */
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

/** Removes a text below a node; answers whether the node was the text's alone and is gone. */
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

/** Adds to the numbers of texts and nodes; answers with both. */
function count(place: string, change: bigint): bigint {
  const counted = (quoin.load('uint256', place) as bigint) + change
  if (change) quoin.store('uint256', place, counted)
  return counted
}

const load = (place: string, id: string): string => quoin.load('string', `${place}#${id}`) as string

/** Bytes and text are stored alike, but the host takes bytes for less. */
const store = (place: string, id: string, node: string): void => quoin.store('bytes', `${place}#${id}`, quoin.encodeUtf8(node))

/** Answers with the node's number. */
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

/** The number of the child whose entry ends at an index. */
const childBefore = (node: string, end: number): string => node.slice(node.lastIndexOf(' ', end - 1) + 1, end)

/** Where the entry that begins at an index ends. */
function entryEnd(node: string, at: number): number {
  const end = node.indexOf(',', at + 1)
  return end < 0 ? node.length : end
}

/** Where the first entry begins that is not before a text; the node's end if there is none. */
function seek(node: string, text: string): number {
  let low = 0
  let high = node.length
  while (low < high) {
    const start = node.lastIndexOf(',', (low + high) >> 1)
    // What follows a shorter entry is a comma or a space, less than what a text goes on with.
    if (node.slice(start + 1, start + 1 + text.length) < text) low = entryEnd(node, start)
    else high = start
  }
  return low
}

/** The shortest beginning of a text that is after another text. */
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
