import { createHash } from 'node:crypto'
import type { StateProof } from '@quoin/protocol'

/** Tree key (hex) to value. */
export type Content = ReadonlyMap<string, Uint8Array>

/**
 * The state tree by its definition (protocol/state-proof.ts): recursive, without batches, pages or shared code. The real tree
 * must agree with it.
 */
export function naiveRoot(content: Content): string {
  return `0x${nodeOf(sorted(content), 0).toString('hex')}`
}

/** Proof of a key, by the same recursion. */
export function naiveProof(content: Content, key: Uint8Array): StateProof {
  const siblings: (Uint8Array | undefined)[] = []
  let leaves = sorted(content)
  while (leaves.length > 1) {
    const depth = siblings.length
    const [own, other] = bit(key, depth) === 0 ? halves(leaves, depth) : halves(leaves, depth).toReversed()
    siblings.push(other!.length === 0 ? undefined : Uint8Array.from(nodeOf(other!, depth + 1)))
    leaves = own!
  }
  const [leaf] = leaves
  if (leaf === undefined) return { siblings, terminal: { kind: 'empty' } }
  if (leaf.key.equals(key)) return { siblings, terminal: { kind: 'key' } }
  return { siblings, terminal: { kind: 'other', key: Uint8Array.from(leaf.key), valueHash: Uint8Array.from(leaf.valueHash) } }
}

interface Leaf {
  readonly key: Buffer
  readonly valueHash: Buffer
}

const sha256 = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()
const bit = (key: Uint8Array, depth: number): number => (key[Math.floor(depth / 8)]! >> (7 - (depth % 8))) & 1

const sorted = (content: Content): Leaf[] =>
  [...content]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({ key: Buffer.from(key.slice(2), 'hex'), valueHash: sha256(Buffer.of(2), value) }))

const halves = (leaves: Leaf[], depth: number): [Leaf[], Leaf[]] => [
  leaves.filter(({ key }) => bit(key, depth) === 0),
  leaves.filter(({ key }) => bit(key, depth) === 1),
]

function nodeOf(leaves: Leaf[], depth: number): Buffer {
  const [first, second] = leaves
  if (first === undefined) return Buffer.alloc(32)
  if (second === undefined) {
    const leaf = sha256(first.key, first.valueHash)
    leaf[0]! |= 0x80
    return leaf
  }
  const [left, right] = halves(leaves, depth)
  const inner = sha256(nodeOf(left, depth + 1), nodeOf(right, depth + 1))
  inner[0]! &= 0x7f
  return inner
}
