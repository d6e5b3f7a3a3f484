import { RPC } from '@libp2p/gossipsub/message'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { messageRpc } from '../../test/gossip-rpc.ts'
import { encodeVarint } from './frames.ts'
import { beginsWithMessage, rpcParts, splitRpc } from './gossip-rpc.ts'

const control = (length: number) => Buffer.concat([Uint8Array.of(0x1a), encodeVarint(length), new Uint8Array(length)])
const subscriptions = Uint8Array.of(0x0a, 0)
const message = (length: number, fill = 1) => messageRpc('topic', new Uint8Array(length).fill(fill))
const join = (...parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts))

describe('an RPC', () => {
  it('has the payloads of its messages, and perhaps more', () => {
    expect(rpcParts(new Uint8Array(0), 9)).toEqual({ payloads: [], hasControl: false })
    const two = rpcParts(join(message(3), message(300, 2)), 9)
    expect(two?.payloads.map((payload) => [payload.length, payload[0]])).toEqual([
      [3, 1],
      [300, 2],
    ])
    expect([two?.hasControl, rpcParts(join(message(3), control(7)), 9)?.hasControl]).toEqual([false, true])
  })

  it('may hold numbers that nobody knows, but nothing beyond its end and not too many messages', () => {
    const numbers = Uint8Array.of(0x20, 0x80, 0x01, 0x29, 1, 2, 3, 4, 5, 6, 7, 8, 0x35, 1, 2, 3, 4)
    expect(rpcParts(join(numbers, message(3)), 9)?.payloads.length).toBe(1)
    const broken = [
      Uint8Array.of(0x12),
      Uint8Array.of(0x12, 5, 0),
      Uint8Array.of(0x12, 0xff, 0xff, 0xff, 0xff, 0xff),
      Uint8Array.of(0x12, 2, 0x12, 9),
      Uint8Array.of(0x35, 1),
      Uint8Array.of(0x0b),
      new Uint8Array(20).fill(0xff),
    ]
    for (const rpc of broken) expect(rpcParts(rpc, 9)).toBeUndefined()
    expect(rpcParts(join(...Array.from({ length: 10 }, () => message(1))), 9)).toBeUndefined()
  })

  it('is a message or control by how it begins', () => {
    expect([message(1), join(message(1), control(1)), control(1), subscriptions].map(beginsWithMessage)).toEqual([
      ...[true, true, false, false],
    ])
  })

  it('is split by count and size, between its parts', () => {
    const whole = join(message(100), message(200), message(50), control(30))
    expect(splitRpc(whole, 64, 10_000)).toEqual([whole])
    expect(splitRpc(whole, 2, 10_000)).toEqual([join(message(100), message(200)), join(message(50), control(30))])
    expect(splitRpc(whole, 64, 150)).toEqual([message(100), message(200), join(message(50), control(30))])
    expect(splitRpc(new Uint8Array(0), 64, 150)).toEqual([new Uint8Array(0)])
  })
})

describe('against gossipsub', () => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 })
  const encoded = fc.tuple(payloads, fc.boolean()).map(([given, hasControl]) => ({
    given,
    hasControl,
    rpc: RPC.encode({
      subscriptions: [],
      messages: given.map((data) => ({ data, topic: 'topic' })),
      ...(hasControl
        ? { control: { ihave: [], iwant: [{ messageIDs: [new Uint8Array(32)] }], graft: [], prune: [], idontwant: [] } }
        : {}),
    }),
  }))

  it('what it encodes has the same parts', () => {
    fc.assert(
      fc.property(encoded, ({ given, hasControl, rpc }) => {
        const parts = rpcParts(rpc, 8)
        expect(parts?.payloads.map((payload) => [...payload])).toEqual(given.map((payload) => [...payload]))
        expect(parts?.hasControl).toBe(hasControl)
        expect(beginsWithMessage(rpc)).toBe(given.length > 0)
      }),
    )
  })

  it('what is split says the same in pieces', () => {
    fc.assert(
      fc.property(
        encoded,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 900 }),
        ({ given, rpc }, messages, bytes) => {
          const pieces = splitRpc(rpc, messages, bytes).map((piece) => RPC.decode(piece))
          expect(pieces.every((piece) => piece.messages.length <= messages)).toBe(true)
          expect(pieces.flatMap((piece) => piece.messages.map(({ data }) => [...data!]))).toEqual(given.map((data) => [...data]))
        },
      ),
    )
  })

  it('whatever comes has parts or none, and nothing is thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        rpcParts(bytes, 8)
        splitRpc(bytes, 2, 20)
      }),
    )
  })
})
