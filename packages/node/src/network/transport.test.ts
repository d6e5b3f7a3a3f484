import { type AddressInfo, Server, Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { deferred, meshed, startNode, startNodes, stopAll } from '../../test/network.ts'
import type { TransportError } from '../powers.ts'

afterEach(stopAll)

const never = new AbortController().signal

/** A 200-byte message that contains a number. */
function numbered(value: number): Uint8Array {
  const message = new Uint8Array(200)
  new DataView(message.buffer).setUint32(0, value)
  return message
}

const numberOf = (message: Uint8Array): number => new DataView(message.buffer, message.byteOffset).getUint32(0)

describe('four connected transports', () => {
  it('keep one connection a pair and deliver to each other', async () => {
    const nodes = await startNodes(4)
    for (const from of nodes) for (const to of nodes) if (from !== to) from.transport.send(to.id, numbered(7))
    await Promise.all(nodes.map(({ seen }) => seen.until(() => seen.messages.length === 3)))
    for (const node of nodes) {
      expect(new Set(node.seen.messages.map(({ from }) => from))).toEqual(new Set(node.transport.peers()))
      expect(node.transport.counters).toMatchObject({
        framesIn: 3,
        framesOut: 3,
        bytesIn: 600,
        bytesOut: 600,
        dropped: 0,
        connects: 3,
      })
    }
  })

  it('gossip a payload to all, once each', async () => {
    const nodes = await startNodes(4)
    await meshed(nodes)
    const payloads = [0, 1, 2].map(numbered)
    for (const payload of payloads) nodes[0]!.transport.publish(payload, 'all')
    await Promise.all(nodes.slice(1).map(({ seen }) => seen.until(() => seen.gossip.length === 3)))
    for (const { seen } of nodes.slice(1)) expect(seen.gossip.map(({ payload }) => numberOf(payload)).sort()).toEqual([0, 1, 2])
    expect(nodes[0]!.seen.gossip).toEqual([])
  })
})

describe('ordered stream', () => {
  it('carries 10,000 messages of 200 bytes in order, in far fewer writes', async () => {
    const [a, b] = await startNodes(2)
    for (let i = 0; i < 10_000; i++) a!.transport.send(b!.id, numbered(i))
    await b!.seen.until(() => b!.seen.messages.length === 10_000)
    expect(b!.seen.messages.every(({ message }, i) => numberOf(message) === i && message.length === 200)).toBe(true)
    expect(a!.transport.counters.writes).toBeLessThan(100)
    expect(a!.transport.counters.dropped).toBe(0)
  })

  it('carries the largest message and refuses one byte more', async () => {
    const [a, b] = await startNodes(2)
    const largest = new Uint8Array(1024 * 1024).fill(3)
    a!.transport.send(b!.id, largest)
    await b!.seen.until(() => b!.seen.messages.length === 1)
    expect(Buffer.compare(b!.seen.messages[0]!.message, largest)).toBe(0)
    expect(() => a!.transport.send(b!.id, new Uint8Array(1024 * 1024 + 1))).toThrow(RangeError)
    expect(() => a!.transport.send(b!.id, new Uint8Array(0))).toThrow(RangeError)
  })

  it('drops the oldest messages beyond the queue, and counts them', async () => {
    const [a, b] = await startNodes(2, { limits: { sendQueueCountMax: 10 } })
    for (let i = 0; i < 25; i++) a!.transport.send(b!.id, numbered(i))
    await b!.seen.until(() => b!.seen.messages.length === 10)
    expect(b!.seen.messages.map(({ message }) => numberOf(message))).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24])
    expect(a!.transport.counters.dropped).toBe(15)
  })

  it('survives a handler that throws', async () => {
    const [a, b] = await startNodes(2)
    const record = b!.seen.onMessage.bind(b!.seen)
    b!.seen.onMessage = (from, message) => {
      record(from, message)
      if (numberOf(message) === 0) throw new Error('bug')
    }
    a!.transport.send(b!.id, numbered(0))
    a!.transport.send(b!.id, numbered(1))
    await b!.seen.until(() => b!.seen.messages.length === 2)
    expect(b!.transport.counters.handlerFaults).toBe(1)
  })

  it('counts what is sent to a peer that is not there', async () => {
    const [a] = await startNodes(1)
    a!.transport.send('12D3KooWBadPeer', numbered(0))
    expect(a!.transport.counters.dropped).toBe(1)
  })
})

describe('requests', () => {
  it('are answered, from one byte to the largest', async () => {
    const [a, b] = await startNodes(2)
    b!.seen.answer = (_, message) => Promise.resolve(message)
    for (const length of [1, 1000, 1024 * 1024]) {
      const question = new Uint8Array(length).fill(length % 251)
      const answer = await a!.transport.request(b!.id, question, never)
      expect(Buffer.compare(answer, question)).toBe(0)
    }
    b!.seen.answer = () => Promise.resolve(new Uint8Array(16 * 1024 * 1024).fill(9))
    expect((await a!.transport.request(b!.id, Uint8Array.of(1), never)).length).toBe(16 * 1024 * 1024)
    b!.seen.answer = () => Promise.resolve(new Uint8Array(0))
    expect((await a!.transport.request(b!.id, Uint8Array.of(1), never)).length).toBe(0)
  })

  it('are refused by the handler, or when it throws', async () => {
    const [a, b] = await startNodes(2)
    await expect(a!.transport.request(b!.id, Uint8Array.of(1), never)).rejects.toMatchObject({ reason: 'refused' })
    b!.seen.answer = () => Promise.reject(new Error('bug'))
    await expect(a!.transport.request(b!.id, Uint8Array.of(1), never)).rejects.toMatchObject({ reason: 'refused' })
    expect(b!.transport.counters).toMatchObject({ requestsIn: 2, requestsRefused: 2, handlerFaults: 1 })
  })

  it('fail when oversized, aborted or without a connection', async () => {
    const [a, b] = await startNodes(2)
    const asked = deferred<void>()
    b!.seen.answer = () => {
      asked.resolve(undefined)
      return new Promise(() => {})
    }
    const oversized = a!.transport.request(b!.id, new Uint8Array(1024 * 1024 + 1), never)
    await expect(oversized).rejects.toMatchObject({ reason: 'oversized' })
    await expect(a!.transport.request('nobody', Uint8Array.of(1), never)).rejects.toMatchObject({ reason: 'disconnected' })
    const controller = new AbortController()
    const aborted = a!.transport.request(b!.id, Uint8Array.of(1), controller.signal)
    await asked.promise
    controller.abort(new Error('enough'))
    await expect(aborted).rejects.toMatchObject({ reason: 'aborted', message: 'enough' })
    const cut = a!.transport.request(b!.id, Uint8Array.of(1), never)
    const settled = expect(cut).rejects.toMatchObject({ reason: 'disconnected' })
    a!.transport.admit([])
    await settled
  })

  it('run a few at a time, wait in line, and fail beyond the line', async () => {
    const limits = { requestsSentCountMax: 2, requestsServedCountMax: 2, requestsWaitingCountMax: 3 }
    const [a, b] = await startNodes(2, { limits })
    let most = 0
    let serving = 0
    const release: (() => void)[] = []
    b!.seen.answer = async (_, message) => {
      most = Math.max(most, ++serving)
      await new Promise<void>((resolve) => {
        release.push(resolve)
        b!.seen.changed()
      })
      serving--
      return message
    }
    const asked = [0, 1, 2, 3, 4, 5].map((i) => a!.transport.request(b!.id, Uint8Array.of(i + 1), never))
    await expect(asked[5]).rejects.toMatchObject({ reason: 'failed' })
    await b!.seen.until(() => release.length === 2)
    for (let answered = 0; answered < 5; answered++) {
      await b!.seen.until(() => release.length > 0)
      release.shift()!()
    }
    expect((await Promise.all(asked.slice(0, 5))).map((answer) => answer[0])).toEqual([1, 2, 3, 4, 5])
    expect(most).toBe(2)
  })

  it('are refused by a peer that serves too many already', async () => {
    const [asker, server] = await Promise.all([
      startNode({ limits: { requestsServedCountMax: 8, requestsSentCountMax: 3 } }),
      startNode({ limits: { requestsServedCountMax: 2, requestsSentCountMax: 2 } }),
    ])
    const list = [asker.address(), server.address()]
    for (const { transport } of [asker, server]) transport.admit(list)
    await asker.seen.until(() => asker.transport.peers().length === 1)
    await server.seen.until(() => server.transport.peers().length === 1)
    const held = deferred<Uint8Array>()
    server.seen.answer = () => held.promise
    const asked = [1, 2, 3].map((i) => asker.transport.request(server.id, Uint8Array.of(i), never))
    const refusals: TransportError[] = []
    const outcomes = Promise.all(
      asked.map((question) => question.catch((error) => (refusals.push(error), held.resolve(Uint8Array.of(0))))),
    )
    await outcomes
    expect(refusals.map(({ reason }) => reason)).toEqual(['refused'])
  })
})

describe('connections', () => {
  it('come back after a peer restarted', async () => {
    const nodes = await startNodes(3)
    const [a, b, c] = nodes
    const port = c!.transport.addresses()[0]!
    await c!.transport.stop()
    await Promise.all([a, b].map((node) => node!.seen.until(() => node!.transport.peers().length === 1)))
    const again = await startNode({ key: c!.key, listen: [port] })
    const before = performance.now()
    again.transport.admit([a!.address(), b!.address()])
    await Promise.all([a, b].map((node) => node!.seen.until(() => node!.transport.peers().length === 2)))
    expect(performance.now() - before).toBeLessThan(2_000)
    await again.seen.until(() => again.transport.peers().length === 2)
    await meshed([a!, b!, again])
    a!.transport.publish(numbered(5), 'all')
    await again.seen.until(() => again.seen.gossip.length === 1)
    a!.transport.send(again.id, numbered(6))
    await again.seen.until(() => again.seen.messages.length === 1)
    expect(a!.seen.peers.filter(({ peer }) => peer === c!.id).map(({ state }) => state)).toEqual(['up', 'down', 'up'])
  })

  it('settle on one when both sides dial in the same moment', async () => {
    const nodes = await Promise.all(Array.from({ length: 4 }, () => startNode({ limits: { dialHeadStartMs: 0 } })))
    const list = nodes.map((node) => node.address())
    for (const { transport } of nodes) transport.admit(list)
    await meshed(nodes)
    for (const from of nodes) for (const to of nodes) if (from !== to) from.transport.send(to.id, numbered(1))
    await Promise.all(nodes.map(({ seen }) => seen.until(() => new Set(seen.messages.map(({ from }) => from)).size === 3)))
  })

  it('end when a peer leaves the list', async () => {
    const [a, b, c] = await startNodes(3)
    a!.transport.admit([b!.address()])
    await c!.seen.until(() => !c!.transport.peers().includes(a!.id))
    expect(a!.transport.peers()).toEqual([b!.id])
    expect(a!.seen.peers.at(-1)).toEqual({ peer: c!.id, state: 'down' })
  })

  it('fail to start on a port in use, with the reason', async () => {
    const [a] = await startNodes(1)
    await expect(startNode({ listen: [...a!.transport.addresses()] })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})

const portOf = (address: string): number => Number(/\/tcp\/(\d+)/.exec(address)![1])

/**
 * Sockets and servers of this process on one of the ports. Other files of the suite run in the process too, and their clients keep
 * connections open for a while: `process.getActiveResourcesInfo` cannot tell them apart.
 */
function handlesOn(ports: ReadonlySet<number>): readonly string[] {
  const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles(): readonly unknown[] }
  return handles.call(process).flatMap((handle) => {
    if (handle instanceof Server) return ports.has((handle.address() as AddressInfo | null)?.port ?? 0) ? ['server'] : []
    if (!(handle instanceof Socket)) return []
    return [handle.localPort, handle.remotePort].some((port) => ports.has(port ?? 0)) ? ['socket'] : []
  })
}

describe('stop', () => {
  it('leaves no handle open and reports every peer', async () => {
    const nodes = await startNodes(3)
    await meshed(nodes)
    const ports = new Set(nodes.flatMap(({ transport }) => transport.addresses().map(portOf)))
    // Both ends of three connections, and three servers.
    expect(handlesOn(ports).length).toBeGreaterThanOrEqual(9)
    for (let i = 0; i < 1000; i++) nodes[0]!.transport.send(nodes[1]!.id, numbered(i))
    const hanging = nodes[0]!.transport
      .request(nodes[1]!.id, Uint8Array.of(1), never)
      .catch((error: TransportError) => error.reason)
    nodes[0]!.transport.publish(numbered(1), 'all')
    await Promise.all(nodes.map(({ transport }) => transport.stop()))
    expect(['refused', 'disconnected', 'failed']).toContain(await hanging)
    for (const { seen, transport } of nodes) {
      expect(transport.peers()).toEqual([])
      expect(seen.peers.filter(({ state }) => state === 'down').length).toBe(
        seen.peers.filter(({ state }) => state === 'up').length,
      )
    }
    // A closed handle stays listed until the close callbacks of this turn have run, which is after its immediates.
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(handlesOn(ports)).toEqual([])
  })

  it('works while peers are dialled that are not there', async () => {
    const node = await startNode()
    node.transport.admit([
      { peerId: '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp', addresses: ['/ip4/127.0.0.1/tcp/1'] },
    ])
    await node.transport.stop()
    await node.transport.stop()
  })
})
