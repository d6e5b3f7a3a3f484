/** Keys of a node at the most. Wider ones copy more at a write after a clone, narrower ones make reads go deeper. */
const NODE_KEYS_MAX = 32

/** Whoever holds it may change the nodes that bear it in place: everybody else copies them first. */
type Owner = object

interface Leaf<V> {
  readonly owner: Owner
  readonly keys: string[]
  readonly values: V[]
  readonly children: undefined
}

interface Branch<V> {
  readonly owner: Owner
  /** For each child a bound below which none of its keys lies; that of the first is the empty text. */
  readonly keys: string[]
  readonly children: Node<V>[]
}

type Node<V> = Leaf<V> | Branch<V>

/** The upper half of a node that became too wide, and a bound below which none of its keys lies. */
interface Split<V> {
  readonly key: string
  readonly node: Node<V>
}

export interface KeyRange {
  /** First key, inclusive. */
  readonly from: string
  /** End, exclusive. */
  readonly to: string
  readonly reverse: boolean
  /** Values at the most. */
  readonly limit: number
}

/** A map in the order of its keys (by UTF-16 units) that is cloned at once: clones share what neither has changed since (a B+ tree). */
export class OrderedMap<V> {
  #owner: Owner = {}
  #root: Node<V> = { owner: this.#owner, keys: [], values: [], children: undefined }
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: string): V | undefined {
    let node = this.#root
    while (node.children !== undefined) node = node.children[childAt(node, key)]!
    const at = placeOf(node.keys, key)
    return node.keys[at] === key ? node.values[at] : undefined
  }

  has(key: string): boolean {
    let node = this.#root
    while (node.children !== undefined) node = node.children[childAt(node, key)]!
    return node.keys[placeOf(node.keys, key)] === key
  }

  set(key: string, value: V): void {
    const root = this.#own(this.#root)
    const split = this.#insert(root, key, value)
    this.#root = split === undefined ? root : { owner: this.#owner, keys: ['', split.key], children: [root, split.node] }
  }

  /** Whether there was one. */
  delete(key: string): boolean {
    if (!this.has(key)) return false
    let root = this.#own(this.#root)
    this.#remove(root, key)
    while (root.children?.length === 1) root = root.children[0]!
    this.#root = root.children?.length === 0 ? { owner: this.#owner, keys: [], values: [], children: undefined } : root
    this.#size--
    return true
  }

  /** Values of a range in the order of their keys, the last first if `reverse`. */
  range(range: KeyRange): V[] {
    const found: V[] = []
    if (range.from < range.to) collect(this.#root, range, found)
    return found
  }

  /** A map with the same content. Takes the same time whatever its size. */
  clone(): OrderedMap<V> {
    const copy = new OrderedMap<V>()
    copy.#root = this.#root
    copy.#size = this.#size
    this.#owner = {}
    return copy
  }

  /** The node, or a copy of it, that may be changed. */
  #own(node: Node<V>): Node<V> {
    if (node.owner === this.#owner) return node
    const own = { owner: this.#owner, keys: node.keys.slice() }
    return node.children === undefined
      ? { ...own, values: node.values.slice(), children: undefined }
      : { ...own, children: node.children.slice() }
  }

  #insert(node: Node<V>, key: string, value: V): Split<V> | undefined {
    if (node.children === undefined) {
      const at = placeOf(node.keys, key)
      if (node.keys[at] === key) {
        node.values[at] = value
        return undefined
      }
      node.keys.splice(at, 0, key)
      node.values.splice(at, 0, value)
      this.#size++
    } else {
      const at = childAt(node, key)
      const child = this.#own(node.children[at]!)
      node.children[at] = child
      const split = this.#insert(child, key, value)
      if (split === undefined) return undefined
      node.keys.splice(at + 1, 0, split.key)
      node.children.splice(at + 1, 0, split.node)
    }
    return node.keys.length > NODE_KEYS_MAX ? this.#split(node) : undefined
  }

  #split(node: Node<V>): Split<V> {
    const keys = node.keys.splice(node.keys.length >>> 1)
    const [key] = keys as [string]
    const { owner, children } = node
    if (children === undefined) return { key, node: { owner, keys, values: node.values.splice(node.keys.length), children } }
    keys[0] = ''
    return { key, node: { owner, keys, children: children.splice(node.keys.length) } }
  }

  /** Nodes that became empty are left out by their parents; others are not joined, for what is deleted is seldom much. */
  #remove(node: Node<V>, key: string): void {
    if (node.children === undefined) {
      const at = placeOf(node.keys, key)
      node.keys.splice(at, 1)
      node.values.splice(at, 1)
      return
    }
    const at = childAt(node, key)
    const child = this.#own(node.children[at]!)
    node.children[at] = child
    this.#remove(child, key)
    if (child.keys.length > 0) return
    node.keys.splice(at, 1)
    node.children.splice(at, 1)
    if (node.keys.length > 0) node.keys[0] = ''
  }
}

/** How many of the keys come before this one. */
function placeOf(keys: readonly string[], key: string): number {
  let low = 0
  for (let high = keys.length; low < high; ) {
    const middle = (low + high) >>> 1
    if (keys[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}

/** The child in which a key lies, if anywhere. */
function childAt({ keys }: Branch<unknown>, key: string): number {
  const at = placeOf(keys, key)
  return keys[at] === key ? at : at - 1
}

function collect<V>(node: Node<V>, range: KeyRange, found: V[]): void {
  const { from, to, reverse, limit } = range
  const { children } = node
  const first = children === undefined ? placeOf(node.keys, from) : childAt(node, from)
  const last = children === undefined ? placeOf(node.keys, to) - 1 : childAt(node, to)
  const step = reverse ? -1 : 1
  for (let at = reverse ? last : first; at >= first && at <= last && found.length < limit; at += step) {
    if (children === undefined) found.push(node.values[at]!)
    else collect(children[at]!, range, found)
  }
}
