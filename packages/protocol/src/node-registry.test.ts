import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as any from '../test/arbitraries.ts'
import { checkRoundTrip, checkStrict } from '../test/codec-laws.ts'
import { concatBytes, hexToBytes, numberToBytes, utf8ToBytes } from './bytes.ts'
import { decode, encode } from './codec.ts'
import { LIMITS } from './limits.ts'
import { nodeRegistryCodec, type RegisteredNode } from './node-registry.ts'
import { idOfName } from './short-name.ts'

const node = (peerId: string, ...addresses: readonly string[]): RegisteredNode => ({
  peerId,
  kind: 'observer',
  organisation: idOfName('a')!,
  addresses,
})
const text = (value: string) => concatBytes(numberToBytes(value.length, 2), utf8ToBytes(value))
/** Encodes without any check. */
const written = (...nodes: readonly RegisteredNode[]) =>
  concatBytes(
    numberToBytes(nodes.length, 4),
    ...nodes.flatMap(({ peerId, organisation, addresses }) => [
      text(peerId),
      Uint8Array.of(1),
      hexToBytes(organisation),
      numberToBytes(addresses.length, 4),
      ...addresses.map(text),
    ]),
  )

describe('the node registry', () => {
  it('round-trips, in one encoding', () => {
    fc.assert(
      fc.property(any.nodeRegistry, (nodes) => void checkRoundTrip(nodeRegistryCodec, nodes)),
      { numRuns: 30 },
    )
    const nodes = [node('a'), node('b', '/ip4/10.0.0.1/tcp/26656', '/dns4/x/tcp/1')]
    expect(encode(nodeRegistryCodec, nodes)).toEqual(written(...nodes))
    checkStrict(nodeRegistryCodec, written(...nodes))
  })

  it.each([
    ['one node twice', [node('a'), node('a', 'x')]],
    ['nodes out of order', [node('b'), node('a')]],
  ])('does not exist with %s', (_what, nodes) => {
    const message = 'nodes must be sorted by peer id, without duplicates'
    expect(() => encode(nodeRegistryCodec, nodes)).toThrow(message)
    expect(decode(nodeRegistryCodec, written(...nodes))).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining(message) },
    })
  })

  it('at all limits has exactly bytesMax', () => {
    const address = 'x'.repeat(LIMITS.nodeAddressCharsMax)
    const full = Array.from({ length: LIMITS.nodesMax }, (_, i) =>
      node(String(i).padStart(LIMITS.peerIdCharsMax, '0'), ...Array<string>(LIMITS.nodeAddressesMax).fill(address)),
    )
    expect(encode(nodeRegistryCodec, full).length).toBe(nodeRegistryCodec.bytesMax)
    expect(() => encode(nodeRegistryCodec, [...full, node('~')])).toThrow('513 items')
    expect(() => encode(nodeRegistryCodec, [node('a', ...Array<string>(LIMITS.nodeAddressesMax + 1).fill('x'))])).toThrow(
      '9 items',
    )
  })
})
