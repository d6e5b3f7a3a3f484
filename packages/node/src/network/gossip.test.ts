import { connect as connectSocket, type Socket } from 'node:net'
import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { afterEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { messageRpc, rpcFrame, subscriptionRpc } from '../../test/gossip-rpc.ts'
import { deferred, meshed, startNode, stopAll, type TestNode } from '../../test/network.ts'
import { SlowLink } from '../../test/slow-link.ts'
import { admitted, portOf, startStranger, stopStrangers, target } from '../../test/stranger.ts'
import { encodeFrames, FrameDecoder, varintHeader } from './frames.ts'
import { rpcParts } from './gossip-rpc.ts'
import { NETWORK_LIMITS } from './limits.ts'

const KiB = 1024
const TOPIC = '/quoin/test/transactions/1'
const ORDERED = '/quoin/test/ordered/1'
const GOSSIP = '/meshsub/1.2.0'

const closers: (() => void)[] = []
afterEach(async () => {
  await stopAll()
  await stopStrangers()
  for (const close of closers.splice(0)) close()
})

const closing = (target: Stream) =>
  new Promise<void>((resolve) => {
    if (target.status !== 'open') return resolve()
    target.addEventListener('close', () => resolve())
  })

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Returns a payload that differs for each index. */
function payload(index: number, length = 100 * KiB): Uint8Array {
  const bytes = new Uint8Array(length)
  new DataView(bytes.buffer).setUint32(0, index)
  return bytes
}

/** A stranger that subscribes to a node's gossip and reads the stream on which the node sends it. */
async function subscriber(node: TestNode) {
  const stranger = await startStranger()
  const gossip = deferred<Stream>()
  const ordered = deferred<Stream>()
  await stranger.handle(ORDERED, (stream: Stream) => ordered.resolve(stream))
  await stranger.handle(GOSSIP, (stream: Stream) => {
    stream.pause()
    gossip.resolve(stream)
  })
  const id = stranger.peerId.toString()
  node.transport.admit([{ peerId: id, addresses: [] }])
  await stranger.dial(target(node))
  const [connection] = stranger.getConnections()
  const stream = await connection!.newStream(GOSSIP)
  stream.send(rpcFrame(subscriptionRpc(TOPIC)))
  await node.seen.until(() => node.transport.subscribers().includes(id))
  return { stranger, id, connection: connection!, ordered: await ordered.promise, gossip: await gossip.promise, out: stream }
}

describe('a peer that does not read its gossip', () => {
  it('loses gossip, and neither its session nor what is sent in order', async () => {
    const node = await startNode()
    const { id, ordered, gossip } = await subscriber(node)
    const { counters } = node.transport
    // The stranger has the stream before gossipsub has registered it.
    for (let i = 0; counters.gossipOut === 0; i++) {
      node.transport.publish(payload(2 ** 20 + i, 8), 'all')
      await turn()
    }
    const small = counters.gossipOut
    for (let i = 0; i < 100; i++) {
      node.transport.publish(payload(i), 'all')
      await turn()
    }
    const { gossipDropped } = counters
    const gossipOut = counters.gossipOut - small
    expect(gossipOut + gossipDropped).toBe(100)
    expect(gossipOut * 100 * KiB).toBeLessThan(
      NETWORK_LIMITS.gossipSendBytesMax + NETWORK_LIMITS.streamWindowBytesMax + 256 * KiB,
    )
    const heard = deferred<Uint8Array>()
    // Heartbeats are empty frames.
    const isVote = (bytes: Uint8Array) => bytes.at(-1) === 7
    ordered.addEventListener(
      'message',
      ({ data }: StreamMessageEvent) => isVote(data.subarray()) && heard.resolve(data.subarray()),
    )
    node.transport.send(id, Uint8Array.of(7))
    await heard.promise
    expect([node.transport.peers(), counters.disconnects]).toEqual([[id], 0])
    // When it reads again, it gets the node's subscription first, then whole messages: those that fit into the queue.
    const decoder = new FrameDecoder(NETWORK_LIMITS.gossipFrameBytesMax, varintHeader)
    const rpcs: Uint8Array[] = []
    const all = deferred<void>()
    gossip.addEventListener('message', ({ data }: StreamMessageEvent) => {
      decoder.push(data.subarray())
      for (let frame = decoder.next(); frame.ok && frame.value !== undefined; frame = decoder.next()) rpcs.push(frame.value)
      if (rpcs.flatMap((rpc) => rpcParts(rpc, 9)!.payloads).length === small + gossipOut) all.resolve()
    })
    gossip.resume()
    await all.promise
    expect(rpcs[0]).toEqual(subscriptionRpc(TOPIC))
    const indices = rpcs.flatMap((rpc) => rpcParts(rpc, 9)!.payloads.map((bytes) => Buffer.from(bytes).readUint32BE()))
    expect(indices.slice(small)).toEqual(Array.from({ length: gossipOut }, (_, i) => i))
    node.transport.publish(payload(1_000), 'all')
    await turn()
    expect(counters.gossipDropped).toBe(gossipDropped)
  })
})

describe('a gossip stream', () => {
  it('that the peer resets is opened again, each time, and the session stays', async () => {
    const node = await startNode({ limits: { redialMsMin: 20 } })
    const { stranger, id, gossip, ordered } = await subscriber(node)
    await stranger.unhandle(GOSSIP)
    const streams: Stream[] = []
    const rpcs: Uint8Array[][] = []
    await stranger.handle(GOSSIP, (stream: Stream) => {
      const heard: Uint8Array[] = []
      const decoder = new FrameDecoder(NETWORK_LIMITS.gossipFrameBytesMax, varintHeader)
      streams.push(stream)
      rpcs.push(heard)
      stream.addEventListener('message', ({ data }: StreamMessageEvent) => {
        decoder.push(data.subarray())
        for (let frame = decoder.next(); frame.ok && frame.value !== undefined; frame = decoder.next()) heard.push(frame.value)
        node.seen.changed()
      })
      node.seen.changed()
    })
    gossip.abort(new Error('reset'))
    for (let resets = 0; resets < 3; resets++) {
      await node.seen.until(() => streams.length > resets && rpcs[resets]!.length > 0)
      node.transport.publish(payload(resets, 100), 'all')
      await node.seen.until(() => rpcs[resets]!.some((rpc) => rpcParts(rpc, 9)!.payloads.length > 0))
      expect(rpcs[resets]![0]).toEqual(subscriptionRpc(TOPIC))
      streams[resets]!.abort(new Error('reset'))
    }
    expect([node.transport.peers(), node.transport.counters.disconnects, ordered.status]).toEqual([[id], 0, 'open'])
  })

  it('of a peer may follow another one, but not as often as it likes', async () => {
    const node = await startNode({ clock: new ManualClock() })
    const { id, out, connection } = await subscriber(node)
    out.abort(new Error('reset'))
    for (let i = 1; i < NETWORK_LIMITS.gossipStreamsBurstMax; i++) {
      const stream = await connection.newStream(GOSSIP)
      stream.send(rpcFrame(messageRpc(TOPIC, payload(i, 100))))
      await node.seen.until(() => node.seen.gossip.length === i)
      stream.abort(new Error('reset'))
    }
    for (let i = 0; i < 20; i++) {
      const refused = await connection.newStream(GOSSIP).catch(() => undefined)
      if (refused !== undefined) await closing(refused)
    }
    expect([node.transport.peers(), node.transport.score(id)]).toEqual([[id], 0])
  })
})

describe('a peer that does not answer', () => {
  it('delays no peer that connects after it', async () => {
    const node = await startNode()
    const [silent, other] = await Promise.all([startNode(), startNode()])
    const link = await SlowLink.open(portOf(silent), 10_000_000)
    closers.push(() => link.close())
    const noted = node.seen.onPeer.bind(node.seen)
    node.seen.onPeer = (peer, state) => {
      if (peer === silent.id) link.isCut = true
      noted(peer, state)
    }
    silent.transport.admit([{ peerId: node.id, addresses: [] }])
    node.transport.admit([{ peerId: silent.id, addresses: [`/ip4/127.0.0.1/tcp/${link.port}`] }, other.address()])
    await node.seen.until(() => link.isCut)
    const before = performance.now()
    other.transport.admit([node.address()])
    await other.seen.until(() => other.transport.subscribers().includes(node.id))
    await node.seen.until(() => node.transport.subscribers().includes(other.id))
    node.transport.publish(payload(1, 10), 'all')
    await other.seen.until(() => other.seen.gossip.length === 1)
    expect(performance.now() - before).toBeLessThan(NETWORK_LIMITS.handshakeMsMax / 2)
  })
})

describe('what a peer sends again', () => {
  it('is reported, and not passed to gossipsub', async () => {
    const node = await startNode()
    const { out } = await subscriber(node)
    const frame = rpcFrame(messageRpc(TOPIC, payload(1, 100)))
    for (let i = 0; i < 3; i++) out.send(frame)
    out.send(rpcFrame(messageRpc(TOPIC, payload(2, 100)), messageRpc(TOPIC, payload(1, 100))))
    await node.seen.until(() => node.seen.gossip.length === 5)
    const indices = node.seen.gossip.map(({ payload: bytes }) => bytes[3])
    expect(indices.sort()).toEqual([1, 1, 1, 1, 2])
  })

  it('is dropped when another peer has brought it', async () => {
    const [node, other] = await Promise.all([startNode(), startNode()])
    const { id, out } = await subscriber(node)
    const list = [node.address(), other.address(), { peerId: id, addresses: [] }]
    for (const { transport } of [node, other]) transport.admit(list)
    await other.seen.until(() => other.transport.subscribers().includes(node.id))
    out.send(rpcFrame(messageRpc(TOPIC, payload(1, 100))))
    await node.seen.until(() => node.seen.gossip.length === 1)
    other.transport.publish(payload(1, 100), 'all')
    other.transport.publish(payload(2, 100), 'all')
    await node.seen.until(() => node.seen.gossip.length === 2)
    expect(node.seen.gossip.map(({ payload: bytes }) => bytes[3])).toEqual([1, 2])
  })
})

describe('reading gossip', () => {
  it('stops while a peer has sent more than it may, whatever it was', async () => {
    const clock = new ManualClock()
    const limits = { gossipReadBytesPerSecond: 100 * KiB, gossipReadBurstBytes: 1_216 * KiB }
    const smaller = {
      gossipBytesMax: 16 * KiB,
      gossipFrameBytesMax: 272 * KiB,
      gossipSendBytesMax: 544 * KiB,
      gossipControlBytesMax: 64 * KiB,
    }
    const node = await startNode({ clock, limits: { ...limits, ...smaller } })
    const { id, out, connection } = await subscriber(node)
    for (let i = 0; i < 150; i++) out.send(rpcFrame(messageRpc(TOPIC, payload(i, 16 * KiB))))
    await node.seen.until(() => node.seen.gossip.length >= 70)
    const ordered = await connection.newStream(ORDERED)
    ordered.send(encodeFrames([Uint8Array.of(1)]))
    await node.seen.until(() => node.seen.messages.length === 1)
    const before = node.seen.gossip.length
    expect(before).toBeLessThan(75)
    clock.advance(1_000)
    await node.seen.until(() => node.seen.gossip.length >= before + 5)
    ordered.send(encodeFrames([Uint8Array.of(2)]))
    await node.seen.until(() => node.seen.messages.length === 2)
    expect(node.seen.gossip.length).toBeLessThan(before + 10)
    expect([node.transport.peers(), node.transport.score(id)]).toEqual([[id], 0])
  })

  it('stops while many bytes of a peer are in validation', async () => {
    const node = await startNode()
    const { out, connection } = await subscriber(node)
    node.seen.verdict = () => new Promise(() => {})
    for (let i = 0; i < 40; i++) out.send(rpcFrame(messageRpc(TOPIC, payload(i))))
    await node.seen.until(() => node.seen.gossip.length >= 11)
    const ordered = await connection.newStream(ORDERED)
    ordered.send(encodeFrames([Uint8Array.of(1)]))
    await node.seen.until(() => node.seen.messages.length === 1)
    expect(node.seen.gossip.length).toBe(Math.ceil(NETWORK_LIMITS.gossipPendingBytesMax / (100 * KiB)))
  })

  it('penalises a peer for bytes that are not an RPC, and for too many messages in a frame', async () => {
    const node = await startNode({ clock: new ManualClock() })
    const { id, out } = await subscriber(node)
    out.send(rpcFrame(Uint8Array.of(0x12, 9)))
    out.send(rpcFrame(...Array.from({ length: 65 }, (_, i) => messageRpc(TOPIC, payload(i, 10)))))
    out.send(rpcFrame(messageRpc(TOPIC, payload(1, 10))))
    await node.seen.until(() => node.seen.gossip.length === 1)
    expect([node.transport.score(id), node.transport.peers()]).toEqual([-50, [id]])
  })
})

describe('a vote', () => {
  /** Bytes that pass over the link between the sending of a vote and its arrival, for several votes while gossip is queued. */
  it('waits for some hundred KiB of gossip at most, however much of it waits', async () => {
    const [a, b] = await Promise.all([startNode(), startNode()])
    const link = await SlowLink.open(portOf(b), 2_000_000)
    closers.push(() => link.close())
    b.transport.admit([{ peerId: a.id, addresses: [] }])
    a.transport.admit([{ peerId: b.id, addresses: [`/ip4/127.0.0.1/tcp/${link.port}`] }])
    await meshed([a, b])
    for (let i = 0; i < 40; i++) a.transport.publish(payload(i), 'all')
    const waits: number[] = []
    while (b.seen.gossip.length < 15) {
      const before = link.carried
      const had = b.seen.messages.length
      a.transport.send(b.id, new Uint8Array(200))
      await b.seen.until(() => b.seen.messages.length > had)
      waits.push(link.carried - before)
    }
    expect(waits.length).toBeGreaterThan(3)
    expect(Math.max(...waits)).toBeLessThan(2.5 * NETWORK_LIMITS.streamWindowBytesMax)
    expect(a.transport.counters.disconnects).toBe(0)
  })
})

describe('half-open sockets', () => {
  it('of many addresses do not keep a peer out whose address is listed, though they never yield', async () => {
    const node = await startNode({ limits: { handshakesPerSecondMax: 1_000, handshakeMsMax: 60_000, handshakeYieldMs: 60_000 } })
    const port = portOf(node)
    const sockets = new Set<Socket>()
    // A refused connection is opened again at once.
    const hold = (host: number) => {
      const socket = connectSocket({ port, host: '127.0.0.1', localAddress: `127.0.5.${host}` })
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => {
        if (sockets.delete(socket)) setImmediate(hold, host)
      })
      socket.resume()
    }
    closers.push(() => {
      const held = [...sockets]
      sockets.clear()
      for (const socket of held) socket.destroy()
    })
    for (let i = 0; i < 320; i++) hold(1 + (i % 40))
    while (node.transport.counters.handshakesRefused < 320) await turn()
    const peer = await startNode()
    node.transport.admit([{ peerId: peer.id, addresses: ['/ip4/127.0.0.1/tcp/1'] }])
    peer.transport.admit([node.address()])
    await node.seen.until(() => node.transport.peers().length === 1)
    expect(node.transport.counters.handshakesCut).toBe(0)
    for (const close of closers.splice(0)) close()
  })

  it('do not count any more when they are open', async () => {
    const node = await startNode({ limits: { handshakesPerAddressMax: 1, handshakeYieldMs: 1 } })
    const peers = await Promise.all([startNode(), startNode(), startNode()])
    node.transport.admit(peers.map(({ id }) => ({ peerId: id, addresses: [] })))
    for (const [before, peer] of peers.entries()) {
      peer.transport.admit([node.address()])
      await node.seen.until(() => node.transport.peers().length === before + 1)
    }
    expect(node.transport.counters).toMatchObject({ disconnects: 0, handshakesCut: 0, handshakesRefused: 0 })
  })

  it('of one address do not keep a peer of the same address out for long', async () => {
    const limits = { handshakesPerSecondMax: 1_000, handshakesPerAddressMax: 4, handshakeYieldMs: 200 }
    const node = await startNode({ limits })
    const sockets = await Promise.all(
      Array.from(
        { length: 40 },
        () =>
          new Promise<Socket>((resolve) => {
            const socket = connectSocket(portOf(node), '127.0.0.1', () => resolve(socket))
            socket.on('error', () => {})
            closers.push(() => socket.destroy())
          }),
      ),
    )
    await new Promise<void>((resolve) => {
      const check = () => (sockets.filter(({ destroyed }) => destroyed).length === 36 ? resolve() : setTimeout(check, 5))
      for (const socket of sockets) socket.resume()
      check()
    })
    const before = performance.now()
    const peer = await startNode()
    node.transport.admit([{ peerId: peer.id, addresses: [] }])
    peer.transport.admit([node.address()])
    await node.seen.until(() => node.transport.peers().length === 1)
    expect(performance.now() - before).toBeLessThan(3_000)
    expect(node.transport.counters.handshakesCut).toBeGreaterThan(0)
  })

  it('that say nothing are closed in time', async () => {
    const node = await startNode({ limits: { handshakeMsMax: 200, handshakeYieldMs: 100 } })
    await new Promise<void>((resolve) => {
      const socket = connectSocket(portOf(node), '127.0.0.1')
      socket.once('error', () => resolve())
      socket.once('close', () => resolve())
      socket.resume()
    })
    expect((await admitted(node)).id).toBeDefined()
  })
})
