import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesToHex, concatBytes, type Hash, hexToBytes, utf8ToBytes } from './bytes.ts'
import * as codec from './codec.ts'
import { nobleCrypto as crypto } from './noble.ts'
import {
  leafNode,
  NODE_BYTES,
  type StateProof,
  stateProofCodec,
  stateProofDepthMax,
  stateValueHash,
  treeKey,
  verifyStateProof,
} from './state-proof.ts'

const node = (fill: number): Uint8Array => new Uint8Array(NODE_BYTES).fill(fill)
const key = (first: number): Uint8Array => new Uint8Array(32).with(0, first)
const value = utf8ToBytes('value')
const root = (bytes: Uint8Array): Hash => bytesToHex(bytes) as Hash

function inner(left: Uint8Array, right: Uint8Array): Uint8Array {
  const hash = crypto.sha256(concatBytes(left, right))
  hash[0]! &= 0x7f
  return hash
}

const leaf = (first: number): Uint8Array => leafNode(crypto, key(first), stateValueHash(crypto, value))

/** Keys 00, 40 and c0 (first bytes): the first two under the left child of the root. */
const left = inner(leaf(0x00), leaf(0x40))
const tree = root(inner(left, leaf(0xc0)))

const sibling = fc.option(
  fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((bytes) => bytes.some((byte) => byte !== 0)),
  { nil: undefined },
)
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const proof: fc.Arbitrary<StateProof> = fc.record({
  siblings: fc.array(sibling, { maxLength: stateProofDepthMax }),
  terminal: fc.oneof(
    fc.constant({ kind: 'key' } as const),
    fc.constant({ kind: 'empty' } as const),
    fc.record({ kind: fc.constant('other' as const), key: bytes32, valueHash: bytes32 }),
  ),
})

describe('hashes', () => {
  it('are tagged SHA-256', () => {
    expect(bytesToHex(treeKey(crypto, utf8ToBytes('flat key')))).toBe(bytesToHex(crypto.sha256(utf8ToBytes('\u0001flat key'))))
    expect(bytesToHex(stateValueHash(crypto, value))).toBe(bytesToHex(crypto.sha256(utf8ToBytes('\u0002value'))))
  })
})

describe('the codec', () => {
  it('round-trips within its limit', () => {
    fc.assert(
      fc.property(proof, (value) => {
        const encoded = codec.encode(stateProofCodec, value)
        expect(encoded.length).toBeLessThanOrEqual(stateProofCodec.bytesMax)
        expect(codec.decode(stateProofCodec, encoded)).toEqual({ ok: true, value })
      }),
    )
    expect(stateProofCodec.bytesMax).toBeLessThanOrEqual(2_048)
  })

  it('accepts one encoding of a proof only', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const decoded = codec.decode(stateProofCodec, bytes)
        if (decoded.ok) expect(codec.encode(stateProofCodec, decoded.value)).toEqual(bytes)
      }),
    )
    const refused = (hex: string) => expect(codec.decode(stateProofCodec, hexToBytes(`0x${hex}`))).toMatchObject({ ok: false })
    const filled = '11'.repeat(32)
    expect(codec.decode(stateProofCodec, hexToBytes(`0x0180${filled}00`)).ok).toBe(true)
    refused(`01c0${filled}${filled}00`) // a bit beyond the path
    refused(`0180${'00'.repeat(32)}00`) // an empty sibling in full
    refused(`0180${filled}03`) // an unknown terminal
    refused(`0180${filled}0000`) // trailing bytes
    refused(`3d${'00'.repeat(8)}01`) // 61 levels
    refused('')
  })

  it('writes these bytes', () => {
    const golden = codec.encode(stateProofCodec, {
      siblings: [node(1), undefined, node(2)],
      terminal: { kind: 'other', key: node(3), valueHash: node(4) },
    })
    expect(bytesToHex(golden)).toBe(`0x03a0${'01'.repeat(32)}${'02'.repeat(32)}02${'03'.repeat(32)}${'04'.repeat(32)}`)
  })

  it('throws for a proof that no verifier would accept', () => {
    const terminal = { kind: 'empty' } as const
    expect(() => codec.encode(stateProofCodec, { siblings: new Array(61).fill(undefined), terminal })).toThrow(RangeError)
    expect(() => codec.encode(stateProofCodec, { siblings: [node(0)], terminal })).toThrow(RangeError)
    expect(() => codec.encode(stateProofCodec, { siblings: [new Uint8Array(31).fill(1)], terminal })).toThrow(RangeError)
  })
})

describe('verification', () => {
  const verify = (first: number, held: Uint8Array | undefined, proof: StateProof, under = tree) =>
    verifyStateProof(crypto, under, key(first), held, proof)

  it('accepts a value, and two kinds of absence', () => {
    expect(verify(0x00, value, { siblings: [leaf(0xc0), leaf(0x40)], terminal: { kind: 'key' } })).toBe(true)
    expect(verify(0xc0, value, { siblings: [left], terminal: { kind: 'key' } })).toBe(true)
    const valueHash = stateValueHash(crypto, value)
    expect(verify(0x80, undefined, { siblings: [left], terminal: { kind: 'other', key: key(0xc0), valueHash } })).toBe(true)
    const lopsided = root(inner(left, node(0)))
    expect(verify(0x80, undefined, { siblings: [left], terminal: { kind: 'empty' } }, lopsided)).toBe(true)
    expect(verify(0x80, undefined, { siblings: [], terminal: { kind: 'empty' } }, root(node(0)))).toBe(true)
    expect(verify(0xc0, value, { siblings: [], terminal: { kind: 'key' } }, root(leaf(0xc0)))).toBe(true)
  })

  it('refuses a proof that contradicts the claim', () => {
    const siblings = [left]
    const valueHash = stateValueHash(crypto, value)
    const other = (first: number) => ({ kind: 'other', key: key(first), valueHash }) as const
    expect(verify(0xc0, utf8ToBytes('valuf'), { siblings, terminal: { kind: 'key' } })).toBe(false)
    expect(verify(0xc0, undefined, { siblings, terminal: { kind: 'key' } })).toBe(false)
    expect(verify(0xc0, value, { siblings, terminal: { kind: 'empty' } })).toBe(false)
    expect(verify(0xc0, value, { siblings, terminal: other(0xc0) })).toBe(false)
    // The key's own leaf, presented as another's.
    expect(verify(0xc0, undefined, { siblings, terminal: other(0xc0) })).toBe(false)
    // A leaf on the other side of the root.
    expect(verify(0x40, undefined, { siblings, terminal: other(0xc0) })).toBe(false)
    expect(verify(0xc0, value, { siblings, terminal: { kind: 'key' } }, root(node(7)))).toBe(false)
  })

  it('sets the role of a node instead of reading it: an inner node is not accepted as a leaf', () => {
    // The preimage of `left` read as key ‖ vh has the same digest except for the role bit.
    const terminal = { kind: 'other', key: leaf(0x00), valueHash: leaf(0x40) } as const
    const beside = terminal.key.with(31, terminal.key[31]! ^ 1)
    const siblings = (terminal.key[0]! & 0x80) === 0 ? [leaf(0xc0)] : [left]
    const claimed = root((terminal.key[0]! & 0x80) === 0 ? inner(left, siblings[0]!) : inner(siblings[0]!, left))
    expect(verifyStateProof(crypto, claimed, beside, undefined, { siblings, terminal })).toBe(false)
    const unmarked = leafNode(crypto, terminal.key, terminal.valueHash)
    unmarked[0]! &= 0x7f
    expect(bytesToHex(unmarked)).toBe(bytesToHex(left))
  })

  it('stops at the depth limit, and refuses a malformed object', () => {
    const deep = (levels: number) => {
      let climbed = leaf(0)
      for (let i = 0; i < levels; i++) climbed = inner(climbed, node(1))
      const siblings = new Array<Uint8Array>(levels).fill(node(1))
      return verify(0, value, { siblings, terminal: { kind: 'key' } }, root(climbed))
    }
    expect(deep(stateProofDepthMax)).toBe(true)
    expect(deep(stateProofDepthMax + 1)).toBe(false)
    expect(verify(0xc0, value, { siblings: [left.subarray(1)], terminal: { kind: 'key' } })).toBe(false)
    expect(verifyStateProof(crypto, tree, new Uint8Array(31), undefined, { siblings: [], terminal: { kind: 'empty' } })).toBe(
      false,
    )
    const terminal = { kind: 'other', key: key(0xc0), valueHash: new Uint8Array(33) } as const
    expect(verify(0x80, undefined, { siblings: [left], terminal })).toBe(false)
  })
})
