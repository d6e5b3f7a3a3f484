import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { nobleCrypto } from '@quoin/protocol'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { openTestNode, type TestNode, testValidators } from '../../../test/chain.ts'
import { serveTestNode, type TestRpc } from '../../../test/rpc.ts'
import { systemClock } from '../../system-clock.ts'
import type { RpcBackend } from '../backend.ts'
import type { RpcLimits } from '../limits.ts'
import type { CallContext, Methods } from '../method.ts'
import type { RpcSettings } from './server.ts'

let node: TestNode
let rpc: TestRpc
/** Behaviour of a test method. */
let work: (call: CallContext) => unknown
const sockets: Socket[] = []

const methods: Methods<RpcBackend> = { work: { run: async (_backend, _params, call) => work(call) } }

async function serve(limits: Partial<RpcLimits> = {}, settings: Partial<RpcSettings> = {}): Promise<void> {
  rpc = await serveTestNode(node, nobleCrypto, limits, { methods, settings, clock: systemClock })
}

beforeEach(async () => {
  node = await openTestNode({ crypto: nobleCrypto, validators: testValidators(nobleCrypto, 1) })
  work = () => 1
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await rpc.server.close()
})

const REQUEST = { jsonrpc: '2.0', id: 1, method: 'work' }
const post = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(rpc.url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })
const isServed = async () => (await (await post(REQUEST, { connection: 'close' })).json()) as unknown

/** Opens connections and sends these bytes on each. */
function open(count: number, bytes = ''): Promise<readonly Socket[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(rpc.server.port, '127.0.0.1')
      // The server may reset the connection.
      socket.on('error', () => {})
      sockets.push(socket)
      await once(socket, 'connect')
      if (bytes !== '') socket.write(bytes)
      return socket
    }),
  )
}

const head = (length: number) =>
  `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`
const ask = (body: string) => head(body.length) + body

async function openSocket(headers: Record<string, string> = {}, options: object = {}) {
  const socket = new WebSocket(rpc.socketUrl, { headers, ...options })
  await once(socket, 'open')
  return socket
}

describe('connections', () => {
  it.each([
    ['idle ones', ''],
    ['ones that send a head and no more', head(1_000)],
    ['ones that begin a head', 'POST / HTTP/1.1\r\n'],
  ])('of one client never lock out another: %s', async (_, bytes) => {
    await serve({ connectionsMax: 8, connectionsPerRemoteMax: 8 })
    const first = await open(8, bytes)
    const gone = once(first[0]!, 'close')
    expect(await isServed()).toMatchObject({ result: 1 })
    // The longest idle one was closed.
    await gone
    expect(rpc.server.counters).toMatchObject({ connectionsRefused: 0, connectionsEvicted: 1 })
  })

  it('with running requests are kept: another one of the same address is refused', async () => {
    await serve({ connectionsMax: 3, connectionsPerRemoteMax: 3 })
    const answers: ((value: number) => void)[] = []
    work = () => new Promise((resolve) => answers.push(resolve))
    const busy = Array.from({ length: 3 }, () => post(REQUEST))
    await vi.waitUntil(() => answers.length === 3)
    await expect(post(REQUEST)).rejects.toThrow()
    expect(rpc.server.counters).toMatchObject({ connectionsRefused: 1, connectionsEvicted: 0 })
    for (const answer of answers) answer(1)
    for (const { status } of await Promise.all(busy)) expect(status).toBe(200)
  })

  it('with unread responses are closed if they hold too much, the largest first', async () => {
    const KIB = 1024
    await serve({ heldBytesMax: 40_000 * KIB, sweepMs: 20, socketBufferBytesMax: 60_000 * KIB })
    work = () => 'x'.repeat(4_000 * KIB)
    const batch = JSON.stringify(Array.from({ length: 4 }, () => REQUEST))
    await open(6, ask(batch))
    await vi.waitUntil(() => rpc.server.counters.connectionsEvicted > 0, { timeout: 5_000 })
    work = () => 1
    expect(await isServed()).toMatchObject({ result: 1 })
  })

  it('are closed if the client does not read its response for long', async () => {
    await serve({ sendMs: 100 })
    work = () => 'x'.repeat(16 * 1024 * 1024)
    await open(1, ask(JSON.stringify(REQUEST)))
    await vi.waitUntil(() => rpc.server.counters.connections === 0, { timeout: 5_000 })
  })
})

describe('a client that pipelines requests', () => {
  it('is disconnected if too many requests are unanswered, whatever they are', async () => {
    await serve({ pipelinedMax: 16 })
    work = () => new Promise(() => {})
    const gets = 'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(1_000)
    const [socket] = await open(1, ask(JSON.stringify(REQUEST)) + gets)
    await once(socket!, 'close')
    await vi.waitUntil(() => rpc.server.counters.connections === 0)
  })

  it('gets no WebSocket before its responses are sent', async () => {
    await serve()
    work = () => new Promise(() => {})
    const upgrade =
      'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
    const [socket] = await open(1, ask(JSON.stringify(REQUEST)) + upgrade)
    let text = ''
    socket!.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    await once(socket!, 'close')
    expect(text).not.toContain('101')
  })
})

describe('a WebSocket that is refused', () => {
  const upgrade = (fields: string) =>
    `GET / HTTP/1.1\r\n${fields}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
  const refused = [
    ['of another host', upgrade('Host: evil.example\r\n')],
    ['of another origin', upgrade('Host: 127.0.0.1\r\nOrigin: https://evil.example\r\n')],
    ['without a key', 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ] as const

  it.each(refused)('is told why and closed: %s', async (_, bytes) => {
    await serve({}, { corsOrigins: [] })
    // A client that does not close its side after the server has closed.
    const socket = connect({ port: rpc.server.port, host: '127.0.0.1', allowHalfOpen: true })
    sockets.push(socket)
    socket.on('error', () => {})
    socket.write(bytes)
    await once(socket, 'data')
    await vi.waitUntil(() => rpc.server.counters.connections === 0)
  })

  it.each(refused)('does no harm when its client resets the connection: %s', async (_, bytes) => {
    await serve({}, { corsOrigins: [] })
    for (let i = 0; i < 20; i++) {
      const [socket] = await open(1, bytes)
      if (i % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
      socket!.resetAndDestroy()
    }
    expect(await isServed()).toMatchObject({ result: 1 })
  })
})

it('a WebSocket message in too many pieces is refused', async () => {
  await serve()
  const socket = await openSocket()
  const closed = once(socket, 'close')
  for (let i = 0; i < 2_000; i++) socket.send('[', { fin: false })
  expect((await closed)[0]).toBe(1008)
})

describe('work', () => {
  const burn = (ms: number) => {
    const end = performance.now() + ms
    while (performance.now() < end);
    return 1
  }

  it('of a long batch yields to others', async () => {
    await serve()
    work = () => burn(2)
    let isDone = false
    const batch = post(Array.from({ length: 500 }, () => REQUEST)).then((response) => {
      isDone = true
      return response.json()
    })
    await vi.waitUntil(() => rpc.server.counters.requests === 1)
    for (let i = 0; i < 5; i++) expect(await isServed()).toMatchObject({ result: 1 })
    expect(isDone).toBe(false)
    expect(await batch).toHaveLength(500)
  })

  it('stops when the client is gone', async () => {
    await serve()
    let runs = 0
    work = () => {
      runs++
      return burn(2)
    }
    const [socket] = await open(1, ask(JSON.stringify(Array.from({ length: 1_000 }, () => REQUEST))))
    await vi.waitUntil(() => runs > 0)
    socket!.destroy()
    await vi.waitUntil(() => rpc.server.counters.connections === 0)
    const before = runs
    expect(await isServed()).toMatchObject({ result: 1 })
    // The running requests, and the one just sent.
    expect(runs - before).toBeLessThan(100)
    expect(runs).toBeLessThan(1_000)
  })

  it('that takes too long is answered with a timeout error', async () => {
    await serve({ requestMs: 20 })
    work = (call) => new Promise((_, reject) => call.signal.addEventListener('abort', () => reject(new Error('late'))))
    expect(await (await post(REQUEST)).json()).toMatchObject({
      error: { code: -32005, message: expect.stringContaining('20 ms') },
    })
  })

  it('of one WebSocket runs a few calls concurrently, and answers all', async () => {
    await serve({ callsPerConnectionMax: 4 })
    let [running, most, answers] = [0, 0, 0]
    work = async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      return 1
    }
    const socket = await openSocket()
    const all = new Promise<void>((resolve) => socket.on('message', () => ++answers === 500 && resolve()))
    for (let i = 0; i < 500; i++) socket.send(JSON.stringify(REQUEST))
    await all
    expect(most).toBe(4)
    socket.close()
  })
})

describe('an allowance', () => {
  const TEN: Partial<RpcSettings> = { unitsPerSecond: 1, unitsBurst: 10, trustedProxies: ['127.0.0.1'] }
  const from = (remote: string) => ({ 'x-forwarded-for': remote })

  it('counts the calls of a batch, of a WebSocket and of single requests alike', async () => {
    await serve({}, TEN)
    const answers = (await (
      await post(
        Array.from({ length: 12 }, () => REQUEST),
        from('192.0.2.1'),
      )
    ).json()) as { error?: object }[]
    expect(answers.map(({ error }) => error === undefined)).toEqual([...Array.from({ length: 10 }, () => true), false, false])
    const refused = await post(REQUEST, from('192.0.2.1'))
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
    expect(await refused.json()).toMatchObject({
      error: {
        code: -32005,
        message: expect.stringMatching(/^rate limit exceeded: 192.0.2.1/),
        data: { retryAfterMs: expect.any(Number) },
      },
    })
    // Another client behind the same proxy has its own allowance.
    expect((await post(REQUEST, from('192.0.2.2'))).status).toBe(200)
    const socket = await openSocket(from('192.0.2.3'))
    let refusals = 0
    const all = new Promise<void>((resolve) => {
      let count = 0
      socket.on('message', (data: Buffer) => {
        if (data.includes('rate limit')) refusals++
        if (++count === 15) resolve()
      })
    })
    for (let i = 0; i < 15; i++) socket.send(JSON.stringify(REQUEST))
    await all
    expect(refusals).toBe(5)
    socket.close()
  })

  it('changes as soon as the settings do', async () => {
    await serve({}, TEN)
    await post(Array.from({ length: 12 }, () => REQUEST))
    expect((await post(REQUEST)).status).toBe(429)
    rpc.server.set({ ...(await settingsOf()), unitsPerSecond: 0 })
    expect((await post(REQUEST)).status).toBe(200)
  })

  const settingsOf = async (): Promise<RpcSettings> => {
    const { OPEN_SETTINGS } = await import('../../../test/rpc.ts')
    const { DEFAULT_RPC_LIMITS } = await import('../limits.ts')
    return { ...OPEN_SETTINGS, limits: DEFAULT_RPC_LIMITS }
  }
})

describe('a browser page', () => {
  const CLOSED: Partial<RpcSettings> = { corsOrigins: ['https://app.example'] }
  const page = (origin: string) => ({ origin })

  it('of another origin reads no answer, sends no JSON and opens no WebSocket', async () => {
    await serve({}, CLOSED)
    expect((await post(REQUEST, page('https://evil.example'))).headers.get('access-control-allow-origin')).toBeNull()
    const preflight = await fetch(rpc.url, { method: 'OPTIONS', headers: page('https://evil.example') })
    expect(preflight.status).toBe(403)
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull()
    await expect(openSocket(page('https://evil.example'))).rejects.toThrow('403')
    expect((await post(REQUEST, page('https://app.example'))).headers.get('access-control-allow-origin')).toBe(
      'https://app.example',
    )
    ;(await openSocket(page('https://app.example'))).close()
    ;(await openSocket()).close()
  })

  it('that uses its own name for this machine (DNS rebinding) is refused', async () => {
    await serve({}, CLOSED)
    const status = await new Promise((resolve, reject) => {
      const headers = { host: 'evil.example', 'content-type': 'application/json' }
      const sent = request(rpc.url, { method: 'POST', headers }, (response) => resolve(response.statusCode))
      sent.on('error', reject)
      sent.end(JSON.stringify(REQUEST))
    })
    expect(status).toBe(403)
    await expect(openSocket({ host: 'evil.example' })).rejects.toThrow('403')
  })

  it('cannot send what browsers send without a CORS preflight', async () => {
    await serve({}, CLOSED)
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', ''])
      expect((await post(REQUEST, { 'content-type': type })).status).toBe(415)
    expect((await post(REQUEST, { 'content-type': 'application/json; charset=utf-8' })).status).toBe(200)
  })
})

it('a WebSocket whose client does not answer pings is closed', async () => {
  await serve({ pingMs: 50 })
  const deaf = await openSocket({}, { autoPong: false })
  const well = await openSocket()
  await Promise.all([once(deaf, 'close'), once(well, 'ping').then(() => once(well, 'ping'))])
  expect(well.readyState).toBe(WebSocket.OPEN)
  well.close()
})
