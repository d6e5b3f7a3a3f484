import type { Stream } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { messageRpc, subscriptionRpc } from '../../test/gossip-rpc.ts'
import { createCounters } from './counters.ts'
import { encodeVarint, FrameDecoder, varintHeader } from './frames.ts'
import { GossipOutbox } from './gossip-outbox.ts'
import { rpcParts, subscriptionFrame } from './gossip-rpc.ts'
import { NETWORK_LIMITS } from './limits.ts'

const KiB = 1024
const limits = {
  ...NETWORK_LIMITS,
  gossipSendBytesMax: 100 * KiB,
  gossipControlBytesMax: 10 * KiB,
  gossipWriteBytesMax: 16 * KiB,
  gossipFrameBytesMax: 60 * KiB,
  gossipFrameMessagesMax: 4,
}

/** A stream whose peer reads only when the test tells it to. */
class SlowStream extends EventTarget {
  readonly protocol = '/meshsub/1.2.0'
  status = 'open'
  writeBufferLength = 0
  readonly written: Uint8Array[] = []

  send(data: Uint8Array): boolean {
    if (this.status !== 'open') throw new Error('closed')
    this.written.push(data)
    this.writeBufferLength += data.length
    return true
  }

  drain(): Promise<void> {
    this.writeBufferLength = 0
    this.dispatchEvent(new Event('drain'))
    return new Promise((resolve) => setImmediate(resolve))
  }

  get rpcs() {
    const decoder = new FrameDecoder(10 ** 7, varintHeader)
    for (const bytes of this.written) decoder.push(bytes)
    const rpcs: Uint8Array[] = []
    for (let frame = decoder.next(); frame.ok && frame.value !== undefined; frame = decoder.next()) rpcs.push(frame.value)
    return rpcs
  }
}

function setUp() {
  const stream = new SlowStream()
  const counters = createCounters()
  const outbox = new GossipOutbox(limits, counters)
  const attach = (next: SlowStream, hello?: Uint8Array) => outbox.attach(next as unknown as Stream, hello)
  attach(stream)
  const view = outbox.viewOf('/meshsub/1.2.0')
  const send = (...rpcs: readonly Uint8Array[]) => {
    const rpc = Buffer.concat(rpcs)
    return view.send(new Uint8Array(Buffer.concat([encodeVarint(rpc.length), rpc])))
  }
  return { stream, counters, outbox, attach, send }
}

const message = (length: number, fill = 1) => messageRpc('t', new Uint8Array(length).fill(fill))
const control = (length: number) => Buffer.concat([Uint8Array.of(0x1a), encodeVarint(length), new Uint8Array(length)])

describe('the queue of gossip to a peer', () => {
  it('hands its stream no more than that passes on, in order', async () => {
    const { stream, send } = setUp()
    for (let i = 1; i <= 9; i++) send(message(10 * KiB, i))
    expect(stream.rpcs.length).toBe(2)
    for (let i = 0; i < 4; i++) await stream.drain()
    expect(stream.rpcs.map((rpc) => rpcParts(rpc, 9)!.payloads[0]![0])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('refuses messages beyond its bound, and still takes control', async () => {
    const { stream, counters, send } = setUp()
    let sent = 0
    for (; sent < 100 && counters.gossipDropped === 0; sent++) {
      try {
        send(message(10 * KiB))
      } catch (refusal) {
        expect(String(refusal)).toMatch('does not read')
      }
    }
    // Messages taken by the stream, and queued ones.
    expect(sent - 1).toBe(2 + 9)
    expect(() => send(message(10 * KiB), control(5))).toThrow()
    expect(() => {
      for (let i = 0; i < 99; i++) send(message(100))
    }).toThrow()
    send(control(2 * KiB))
    send(control(2 * KiB))
    expect(() => {
      for (let i = 0; i < 20; i++) send(control(2 * KiB))
    }).toThrow()
    for (let i = 0; i < 10; i++) await stream.drain()
    const all = stream.rpcs.map((rpc) => rpcParts(rpc, 9)!)
    expect(all.filter(({ payloads }) => payloads[0]?.length === 10 * KiB).length).toBe(11)
    expect(all.filter(({ hasControl }) => hasControl).length).toBeGreaterThanOrEqual(2)
    send(message(10 * KiB))
  })

  it('splits what is too large for a frame', () => {
    const { stream, send } = setUp()
    send(...Array.from({ length: 6 }, (_, i) => message(1_000, i)), control(9))
    expect(stream.rpcs.map((rpc) => rpcParts(rpc, 4)?.payloads.length)).toEqual([4, 2])
    expect(rpcParts(stream.rpcs[1]!, 4)?.hasControl).toBe(true)
  })

  it('keeps for the next stream what the last one did not take, and greets on it first', async () => {
    const { stream, attach, send } = setUp()
    for (let i = 1; i <= 4; i++) send(message(10 * KiB, i))
    stream.status = 'reset'
    await stream.drain()
    stream.dispatchEvent(new Event('close'))
    send(message(10 * KiB, 5))
    expect(stream.rpcs.length).toBe(2)
    const next = new SlowStream()
    attach(next, subscriptionFrame('t'))
    for (let i = 0; i < 4; i++) await next.drain()
    expect(next.rpcs[0]).toEqual(subscriptionRpc('t'))
    expect(next.rpcs.slice(1).map((rpc) => rpcParts(rpc, 9)!.payloads[0]![0])).toEqual([3, 4, 5])
    // The old stream sends nothing more.
    send(message(10, 6))
    await stream.drain()
    expect([stream.rpcs.length, next.rpcs.length]).toEqual([2, 5])
  })

  it('loses no frame to a stream that takes no more, and resets it', () => {
    const { stream, attach, send } = setUp()
    let resets = 0
    const broken = Object.assign(new SlowStream(), {
      send: () => {
        throw new Error('closing')
      },
      abort: () => resets++,
    })
    attach(broken)
    send(message(10, 1))
    send(message(10, 2))
    attach(stream)
    expect([resets, stream.rpcs.map((rpc) => rpcParts(rpc, 9)!.payloads[0]![0])]).toEqual([1, [1, 2]])
  })

  it('takes nothing more when it is closed', () => {
    const { stream, outbox, attach, send } = setUp()
    outbox.close()
    expect(() => send(message(10))).toThrow('over')
    attach(new SlowStream())
    expect(stream.written).toEqual([])
  })
})
