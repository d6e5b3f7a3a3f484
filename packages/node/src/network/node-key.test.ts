import { peerIdFromString } from '@libp2p/peer-id'
import { unwrap } from '@quoin/protocol'
import { describe, expect, it } from 'vitest'
import { createNodeKey, loadNodeKey, parsePeerId } from './node-key.ts'

describe('node key', () => {
  it.each(['Ed25519', 'secp256k1'] as const)('of type %s is made, stored and loaded', async (type) => {
    const bytes = await createNodeKey(type)
    const key = unwrap(loadNodeKey(bytes))
    expect(key.type).toBe(type)
    expect(parsePeerId(key.peerId)).toBe(key.peerId)
    expect(unwrap(loadNodeKey(bytes)).peerId).toBe(key.peerId)
    expect(unwrap(loadNodeKey(await createNodeKey(type))).peerId).not.toBe(key.peerId)
  })

  it('names its peer by the public key, as the libp2p specification says', () => {
    // The Ed25519 vector of peer-ids.md in github.com/libp2p/specs: private and public key in protobuf form.
    const publicKey = '080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e'
    const secret = '7e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d'
    const key = unwrap(loadNodeKey(Uint8Array.from(Buffer.from(`08011240${secret}${publicKey.slice(8)}`, 'hex'))))
    // A short key is its own hash: multihash code 0 (identity), its length, the key.
    expect(Buffer.from(peerIdFromString(key.peerId).toMultihash().bytes).toString('hex')).toBe(`0024${publicKey}`)
  })

  it('is refused if it is not a key', () => {
    for (const bytes of [new Uint8Array(0), Uint8Array.of(1, 2, 3), new Uint8Array(100).fill(0xff)]) {
      expect(loadNodeKey(bytes)).toMatchObject({ ok: false, error: { code: 'malformed' } })
    }
    expect(parsePeerId('nobody')).toBeUndefined()
    expect(parsePeerId('')).toBeUndefined()
  })
})
