import { connect as connectSocket } from 'node:net'
import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { unwrap, utf8ToBytes } from '@quoin/protocol'
import { afterEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { deferred, meshed, startNode, startNodes, stopAll } from '../../test/network.ts'
import { admitted, portOf, startStranger, stopStrangers, target } from '../../test/stranger.ts'
import { encodeFrames, FrameDecoder } from './frames.ts'
import { NETWORK_LIMITS } from './limits.ts'
import { createNodeKey } from './node-key.ts'

afterEach(async () => {
  await stopAll()
  await stopStrangers()
})

const never = new AbortController().signal

const closing = (stream: {
  addEventListener(type: 'close', listener: () => void, options: { once: true }): void
  status: string
}) =>
  new Promise<void>((resolve) => {
    if (stream.status !== 'open') resolve()
    stream.addEventListener('close', () => resolve(), { once: true })
  })

describe('who is refused', () => {
  it('a peer that is not on the list, by its id', async () => {
    const node = await startNode()
    node.transport.admit([{ peerId: (await startNode()).id, addresses: [] }])
    const stranger = await startStranger()
    await closing(await stranger.dial(target(node)).catch(() => ({ status: 'closed', addEventListener() {} })))
    expect(node.transport.counters).toMatchObject({ refusedById: 1, refusedByIp: 0, connects: 0 })
    expect(node.transport.peers()).toEqual([])
  })

  it('an admitted peer of another chain, in the handshake', async () => {
    const node = await startNode()
    const key = await createNodeKey()
    const other = await startStranger('another', key)
    node.transport.admit([{ peerId: other.peerId.toString(), addresses: [] }])
    await expect(other.dial(target(node))).rejects.toThrow()
    expect(node.transport.counters.connects).toBe(0)
  })

  it('more handshakes from one IP than its rate', async () => {
    const node = await startNode({ limits: { handshakesPerSecondMax: 3 } })
    const port = portOf(node)
    const outcomes = await Promise.all(
      Array.from(
        { length: 8 },
        () =>
          new Promise<string>((resolve) => {
            const socket = connectSocket(port, '127.0.0.1')
            socket.once('error', () => resolve('refused'))
            socket.once('close', () => resolve('refused'))
            // The responder of multistream-select answers the first line.
            socket.once('data', () => {
              resolve('greeted')
              socket.destroy()
            })
            socket.write('\x13/multistream/1.0.0\n')
          }),
      ),
    )
    expect(outcomes.filter((outcome) => outcome === 'greeted').length).toBe(3)
  })
})

describe('what a hostile peer sends', () => {
  it('garbage on a raw socket closes that socket only', async () => {
    const [a, b] = await startNodes(2)
    const port = portOf(a!)
    for (const garbage of [new Uint8Array(100_000).fill(0xff), utf8ToBytes('GET / HTTP/1.1\r\n\r\n'), Uint8Array.of(0)]) {
      await new Promise<void>((resolve) => {
        const socket = connectSocket(port, '127.0.0.1', () => socket.end(garbage))
        socket.once('error', () => resolve())
        socket.once('close', () => resolve())
        socket.resume()
      })
    }
    a!.transport.send(b!.id, Uint8Array.of(1))
    await b!.seen.until(() => b!.seen.messages.length === 1)
  })

  const frames: readonly (readonly [string, Uint8Array, number])[] = [
    ['a frame over the limit', Uint8Array.of(0x00, 0x10, 0x00, 0x01, 1, 2, 3), -25],
    ['a frame of 4 GiB', new Uint8Array(10_000).fill(0xff), -25],
    ['a flood of heartbeats', new Uint8Array(4 * 17), -5],
  ]
  it.each(frames)('%s is penalised and ends the connection', async (_, bytes, score) => {
    const node = await startNode({ clock: new ManualClock() })
    const { stranger, id } = await admitted(node)
    const [connection] = stranger.getConnections()
    const stream = await connection!.newStream('/quoin/test/ordered/1')
    stream.send(encodeFrames([Uint8Array.of(1), Uint8Array.of(2)]))
    stream.send(bytes)
    await closing(connection!)
    expect(node.seen.messages.map(({ message }) => message[0])).toEqual([1, 2])
    expect(node.transport.score(id)).toBe(score)
    expect(node.seen.peers.at(-1)).toEqual({ peer: id, state: 'down' })
  })

  it('silence for too long ends the connection, signs of life keep it', async () => {
    const clock = new ManualClock()
    const node = await startNode({ clock })
    const { stranger, id } = await admitted(node)
    const [connection] = stranger.getConnections()
    const stream = await connection!.newStream('/quoin/test/ordered/1')
    for (let i = 0; i < 10; i++) {
      stream.send(new Uint8Array(4))
      stream.send(encodeFrames([Uint8Array.of(i)]))
      await node.seen.until(() => node.seen.messages.length === i + 1)
      clock.advance(NETWORK_LIMITS.heartbeatMs)
    }
    for (let ms: number = NETWORK_LIMITS.heartbeatMs; ms < NETWORK_LIMITS.silenceMsMax; ms += NETWORK_LIMITS.heartbeatMs)
      clock.advance(NETWORK_LIMITS.heartbeatMs)
    expect(node.transport.peers()).toEqual([id])
    clock.advance(NETWORK_LIMITS.heartbeatMs)
    expect(node.transport.peers()).toEqual([])
    await closing(connection!)
  })

  it('a node that stood still itself does not take its peers for dead', async () => {
    const clock = new ManualClock()
    const node = await startNode({ clock })
    const { id } = await admitted(node)
    clock.advance(60_000)
    expect(node.transport.peers()).toEqual([id])
  })

  it('a second ordered stream is reset', async () => {
    const node = await startNode()
    const { stranger, id } = await admitted(node)
    const [connection] = stranger.getConnections()
    const first = await connection!.newStream('/quoin/test/ordered/1')
    first.send(encodeFrames([Uint8Array.of(1)]))
    await node.seen.until(() => node.seen.messages.length === 1)
    const second = await connection!.newStream('/quoin/test/ordered/1', { maxOutboundStreams: 9 }).catch(() => undefined)
    if (second !== undefined) await closing(second)
    first.send(encodeFrames([Uint8Array.of(2)]))
    await node.seen.until(() => node.seen.messages.length === 2)
    expect(node.transport.peers()).toEqual([id])
  })

  it('an oversized request is penalised, a cut one is not', async () => {
    const node = await startNode({ clock: new ManualClock() })
    const { stranger, id } = await admitted(node)
    const [connection] = stranger.getConnections()
    const cut = await connection!.newStream('/quoin/test/request/1')
    cut.send(Uint8Array.of(0, 0, 0, 9, 1))
    await cut.close()
    await closing(cut)
    expect(node.transport.score(id)).toBe(0)
    const oversized = await connection!.newStream('/quoin/test/request/1')
    oversized.send(Uint8Array.of(0xff, 0xff, 0xff, 0xff))
    await closing(oversized)
    expect(node.transport.score(id)).toBe(-25)
    expect(node.transport.peers()).toEqual([id])
  })

  it('an oversized or malformed answer fails the request and is penalised', async () => {
    const node = await startNode({ clock: new ManualClock(), limits: { responseBytesMax: 100 } })
    const { stranger, id } = await admitted(node)
    const answers = [
      encodeFrames([new Uint8Array(102)]),
      encodeFrames([Uint8Array.of(9)]),
      encodeFrames([new Uint8Array(0)]),
      Uint8Array.of(0, 0),
    ]
    await stranger.handle('/quoin/test/request/1', (stream: Stream) => {
      stream.addEventListener('message', () => {
        stream.send(answers.shift()!)
        void stream.close()
      })
    })
    const ask = () => node.transport.request(id, Uint8Array.of(1), never)
    await expect(ask()).rejects.toMatchObject({ reason: 'oversized' })
    await expect(ask()).rejects.toMatchObject({ reason: 'failed' })
    await expect(ask()).rejects.toMatchObject({ reason: 'failed' })
    expect(node.transport.score(id)).toBe(-75)
    await expect(ask()).rejects.toMatchObject({ reason: 'failed' })
    expect(node.transport.score(id)).toBe(-75)
  })

  it('a gossip frame over the limit is penalised and ends its stream', async () => {
    const node = await startNode({ clock: new ManualClock() })
    const { stranger, id } = await admitted(node)
    const [connection] = stranger.getConnections()
    const stream = await connection!.newStream('/meshsub/1.2.0')
    stream.send(Uint8Array.of(0xff, 0xff, 0xff, 0x7f))
    await closing(stream)
    expect([node.transport.score(id), node.transport.peers()]).toEqual([-25, [id]])
  })

  it('gossip that is no RPC is ignored', async () => {
    const node = await startNode()
    const { stranger, id } = await admitted(node)
    const [connection] = stranger.getConnections()
    const stream = await connection!.newStream('/meshsub/1.2.0')
    stream.send(Uint8Array.of(5, 0xff, 0xff, 0xff, 0xff, 0xff))
    const ordered = await connection!.newStream('/quoin/test/ordered/1')
    ordered.send(encodeFrames([Uint8Array.of(1)]))
    await node.seen.until(() => node.seen.messages.length === 1)
    expect(node.transport.peers()).toEqual([id])
  })

  it('gossip that the handler rejects lowers the score, what it ignores does not, and neither spreads', async () => {
    const nodes = await startNodes(2)
    const [a, b] = nodes
    await meshed(nodes)
    const judged: string[] = []
    b!.seen.verdict = (_, payload) => {
      const verdict = payload[0] === 1 ? ('ignore' as const) : ('reject' as const)
      judged.push(verdict)
      b!.seen.changed()
      return Promise.resolve(verdict)
    }
    a!.transport.publish(Uint8Array.of(1), 'all')
    await b!.seen.until(() => judged.length === 1)
    expect(b!.transport.counters.penalties).toBe(0)
    a!.transport.publish(Uint8Array.of(2), 'all')
    await b!.seen.until(() => judged.length === 2)
    await new Promise((resolve) => setImmediate(resolve))
    expect(b!.transport.counters).toMatchObject({ penalties: 1, gossipRejected: 1 })
  })
})

describe('bounds', () => {
  it('a peer that does not read costs a full queue, no more', async () => {
    const limits = { sendQueueBytesMax: 2 * 1024 * 1024 }
    const node = await startNode({ limits })
    const stranger = await startStranger()
    const stalled = deferred<Stream>()
    await stranger.handle('/quoin/test/ordered/1', (stream: Stream) => {
      stream.pause()
      stalled.resolve(stream)
    })
    const id = stranger.peerId.toString()
    node.transport.admit([{ peerId: id, addresses: [] }])
    await stranger.dial(target(node))
    await node.seen.until(() => node.transport.peers().includes(id))
    const stream = await stalled.promise
    const message = new Uint8Array(64 * 1024)
    for (let i = 0; i < 1024; i++) {
      node.transport.send(id, message)
      // Lets queued data leave between two messages.
      if (i % 8 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    const { bytesOut, dropped } = node.transport.counters
    const inFlightMax = NETWORK_LIMITS.streamWindowBytesMax + NETWORK_LIMITS.streamWriteBytesMax + 64 * 1024
    expect(bytesOut).toBeLessThanOrEqual(inFlightMax)
    expect(dropped).toBe(1024 - bytesOut / message.length - limits.sendQueueBytesMax / message.length)
    expect(node.transport.peers()).toEqual([id])
    // The newest messages are left when it reads again.
    const decoder = new FrameDecoder(NETWORK_LIMITS.messageBytesMax)
    const all = deferred<undefined>()
    let received = 0
    stream.addEventListener('message', ({ data }: StreamMessageEvent) => {
      decoder.push(data.subarray())
      for (let frame = unwrap(decoder.next()); frame !== undefined; frame = unwrap(decoder.next())) received += frame.length
      if (received === bytesOut + limits.sendQueueBytesMax) all.resolve(undefined)
    })
    stream.resume()
    await all.promise
  })

  it('reading gossip pauses while too much of it is in validation, and nothing is lost to that', async () => {
    const limits = { gossipPendingCountMax: 4 }
    const nodes = await startNodes(2, { limits })
    const [a, b] = nodes
    await meshed(nodes)
    let pending = 0
    let most = 0
    const release: (() => void)[] = []
    b!.seen.verdict = async () => {
      most = Math.max(most, ++pending)
      await new Promise<void>((resolve) => {
        release.push(resolve)
        b!.seen.changed()
      })
      pending--
      return 'accept'
    }
    for (let i = 0; i < 32; i++) a!.transport.publish(new Uint8Array(1_000).fill(i), 'all')
    await b!.seen.until(() => release.length >= 4)
    // One connection is one queue: when this arrives, the gossip before it has arrived as well.
    await new Promise((resolve) => setImmediate(resolve))
    a!.transport.send(b!.id, Uint8Array.of(1))
    await b!.seen.until(() => b!.seen.messages.length === 1)
    for (let done = 0; done < 32; done++) {
      await b!.seen.until(() => release.length > 0)
      release.shift()!()
    }
    // One more frame may be on its way to the handler when the limit is reached.
    expect(most).toBeLessThanOrEqual(8)
    expect(b!.transport.counters).toMatchObject({ gossipIn: 32, gossipDropped: 0 })
  })
})

describe('ban', () => {
  it('disconnects at the limit, refuses meanwhile, and expires', async () => {
    const clock = new ManualClock()
    const key = await createNodeKey()
    const judge = await startNode({ clock })
    const culprit = await startNode({ key })
    const list = [judge.address(), culprit.address()]
    culprit.transport.admit(list)
    judge.transport.admit([{ peerId: culprit.id, addresses: [] }])
    await judge.seen.until(() => judge.transport.peers().length === 1)
    for (let i = 0; i < 3; i++) judge.transport.penalise(culprit.id, 'malformed')
    expect(judge.transport.peers()).toEqual([culprit.id])
    judge.transport.penalise(culprit.id, 'oversized')
    expect(judge.transport.peers()).toEqual([])
    expect(judge.transport.counters.bans).toBe(1)
    await culprit.seen.until(() => culprit.transport.peers().length === 0)
    const refused = await startStranger('test', key)
    await closing(await refused.dial(target(judge)).catch(() => ({ status: 'closed', addEventListener() {} })))
    expect(judge.transport.counters.refusedById).toBeGreaterThanOrEqual(1)
    expect(judge.transport.peers()).toEqual([])
    clock.advance(NETWORK_LIMITS.banMs)
    await judge.seen.until(() => judge.transport.peers().length === 1)
    expect(judge.transport.score(culprit.id)).toBe(0)
  })

  it('answers for all that the peer sent before it, however late that turns out', async () => {
    const clock = new ManualClock()
    const [judge, culprit] = await Promise.all([startNode({ clock }), startNode()])
    judge.transport.admit([{ peerId: culprit.id, addresses: [] }])
    culprit.transport.admit([judge.address()])
    await meshed([judge, culprit])
    const verdict = deferred<'reject'>()
    judge.seen.verdict = () => verdict.promise
    culprit.transport.publish(Uint8Array.of(1), 'all')
    await judge.seen.until(() => judge.seen.gossip.length === 1)
    for (let i = 0; i < 9; i++) judge.transport.penaliseGossip(culprit.id, 'oversized')
    expect(judge.transport.counters).toMatchObject({ penalties: 4, gossipBans: 1, bans: 0 })
    clock.advance(NETWORK_LIMITS.banMs)
    verdict.resolve('reject')
    await new Promise((resolve) => setImmediate(resolve))
    expect(judge.transport.counters).toMatchObject({ penalties: 4, gossipRejected: 1 })
    expect(judge.transport.score(culprit.id)).toBe(0)
  })

  it('for gossip leaves the peer its session and its votes, and ends in time', async () => {
    const clock = new ManualClock()
    const [judge, culprit] = await Promise.all([startNode({ clock }), startNode()])
    judge.transport.admit([{ peerId: culprit.id, addresses: [] }])
    culprit.transport.admit([judge.address()])
    await meshed([judge, culprit])
    judge.seen.verdict = () => Promise.resolve('reject')
    for (let i = 0; judge.transport.counters.gossipBans === 0; i++) {
      culprit.transport.publish(Uint8Array.of(1, i), 'all')
      await judge.seen.until(() => judge.seen.gossip.length === i + 1)
      await new Promise((resolve) => setImmediate(resolve))
    }
    const read = judge.seen.gossip.length
    for (let i = 0; i < 50; i++) culprit.transport.publish(Uint8Array.of(2, i), 'all')
    for (const said of [1, 2]) {
      culprit.transport.send(judge.id, Uint8Array.of(said))
      await judge.seen.until(() => judge.seen.messages.length === said)
    }
    judge.transport.publish(Uint8Array.of(3), 'all')
    await culprit.seen.until(() => culprit.seen.gossip.length === 1)
    // The frame that was being read when the ban began may have been read.
    expect(judge.seen.gossip.length).toBeLessThanOrEqual(read + 1)
    expect([judge.transport.peers(), judge.transport.counters.disconnects]).toEqual([[culprit.id], 0])
    judge.seen.verdict = () => Promise.resolve('accept')
    clock.advance(NETWORK_LIMITS.banMs)
    await judge.seen.until(() => judge.seen.gossip.length === read + 50)
    expect([judge.transport.score(culprit.id), judge.transport.counters.disconnects]).toEqual([0, 0])
  })

  it('is not what a peer gets that connects too often: it has to wait', async () => {
    const node = await startNode({ clock: new ManualClock(), limits: { sessionsBurstMax: 2 } })
    const { stranger, id } = await admitted(node)
    for (let times = 0; times < 3; times++) {
      await Promise.all(stranger.getConnections().map((connection) => connection.close()))
      await node.seen.until(() => node.transport.peers().length === 0)
      const connection = await stranger.dial(target(node))
      if (times > 0) await closing(connection)
      else await node.seen.until(() => node.transport.peers().includes(id))
    }
    expect(node.transport.counters).toMatchObject({ connects: 2, bans: 0 })
    expect(node.transport.counters.refusedById).toBeGreaterThan(0)
  })

  it('does not concern peers off the list', async () => {
    const node = await startNode()
    node.transport.penalise('12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp', 'malformed')
    expect(node.transport.counters.penalties).toBe(0)
  })
})
