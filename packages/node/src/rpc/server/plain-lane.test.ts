import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { nobleCrypto } from '@quoin/protocol'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openTestNode, type TestNode, testValidators } from '../../../test/chain.ts'
import { serveTestNode, type TestRpc } from '../../../test/rpc.ts'
import { systemClock } from '../../system-clock.ts'
import type { RpcBackend } from '../backend.ts'
import type { RpcLimits } from '../limits.ts'
import type { Methods } from '../method.ts'

let node: TestNode
let rpc: TestRpc
let work: (params: unknown) => unknown
const sockets: Socket[] = []
const methods: Methods<RpcBackend> = { work: { run: (_backend, params) => work(params) } }

async function serve(limits: Partial<RpcLimits> = {}): Promise<void> {
  rpc = await serveTestNode(node, nobleCrypto, limits, { methods, clock: systemClock })
}

beforeEach(async () => {
  node = await openTestNode({ crypto: nobleCrypto, validators: testValidators(nobleCrypto, 1) })
  work = (params) => params
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await rpc.server.close()
})

/** An open connection, and everything received on it. */
async function open(): Promise<{ readonly socket: Socket; readonly text: () => string }> {
  const socket = connect({ port: rpc.server.port, host: '127.0.0.1', noDelay: true })
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  sockets.push(socket)
  await once(socket, 'connect')
  return { socket, text: () => text }
}

const call = (id: number, fields = '') => {
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'work', params: [id] })
  return `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`
}
const chunked = (id: number) => {
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'work', params: [id] })
  return `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
}
const answer = (id: number) => JSON.stringify({ jsonrpc: '2.0', id, result: [id] })
/** Ids of the responses, in order. */
const idsOf = (text: string) => [...text.matchAll(/"jsonrpc":"2.0","id":(\d+)/g)].map(([, id]) => Number(id))

describe('a connection', () => {
  it('answers every request once and in order, however the bytes are split', async () => {
    await serve()
    const piece = fc.record({
      spelling: fc.constantFrom(call, call, call, chunked),
      cuts: fc.array(fc.nat(300), { maxLength: 2 }),
      waits: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 6 }), async (pieces) => {
        const { socket, text } = await open()
        for (const [i, { spelling, cuts, waits }] of pieces.entries()) {
          const bytes = spelling(i + 1)
          let from = 0
          for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
            if (cut > from) await new Promise((sent) => socket.write(bytes.slice(from, cut), sent))
            from = Math.max(from, cut)
          }
          if (waits) await vi.waitUntil(() => idsOf(text()).includes(i + 1), { interval: 1 })
        }
        await vi.waitUntil(() => idsOf(text()).length >= pieces.length, { interval: 1 })
        socket.destroy()
        expect(idsOf(text())).toEqual(pieces.map((_, i) => i + 1))
      }),
      { numRuns: 150 },
    )
  })

  it('sends the same headers as node:http', async () => {
    await serve()
    const heads = await Promise.all(
      [call(1), chunked(1)].map(async (bytes) => {
        const { socket, text } = await open()
        socket.write(bytes)
        await vi.waitUntil(() => text().includes(answer(1)))
        const [head = ''] = text().split('\r\n\r\n')
        const lines = head.toLowerCase().split('\r\n')
        return lines.filter((line) => !/^(date|access-control-allow-origin): /.test(line)).toSorted()
      }),
    )
    expect(heads[0]).toEqual(heads[1])
    expect(heads[0]).toContain('keep-alive: timeout=65')
  })

  it('continues with other methods, with probes, and as a WebSocket', async () => {
    await serve()
    const { socket, text } = await open()
    socket.write(call(1))
    await vi.waitUntil(() => text().includes(answer(1)))
    socket.write('GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    await vi.waitUntil(() => text().split('HTTP/1.1 200').length === 3)
    socket.write(call(2))
    await vi.waitUntil(() => text().includes(answer(2)))
    socket.write(
      'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    await vi.waitUntil(() => text().includes('HTTP/1.1 101'))
  })

  it('answers pipelined requests one after another, and loses none', async () => {
    await serve()
    const waiting: (() => void)[] = []
    work = (params) => new Promise((resolve) => waiting.push(() => resolve(params)))
    const { socket, text } = await open()
    socket.write(call(1))
    await vi.waitUntil(() => waiting.length === 1)
    for (let id = 2; id <= 5; id++) await new Promise((sent) => socket.write(call(id), sent))
    // When this request is answered, earlier bytes on the other connection have been read.
    await (await fetch(`${rpc.url}/health`)).text()
    expect(waiting).toHaveLength(1)
    waiting[0]!()
    await vi.waitUntil(() => waiting.length === 5)
    // The last response is ready first.
    for (const ready of waiting.slice(1).reverse()) ready()
    await vi.waitUntil(() => idsOf(text()).length === 5)
    expect(idsOf(text())).toEqual([1, 2, 3, 4, 5])
  })

  it('sends responses of any length completely, including non-ASCII text', async () => {
    await serve()
    for (const length of [1, 1_000, 70_000, 3_000_000]) {
      const result = '\u00e9\u6f22'.repeat(length)
      work = () => result
      const response = await fetch(rpc.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"id":1,"method":"work"}',
      })
      expect(await response.json()).toEqual({ jsonrpc: '2.0', id: 1, result })
    }
  })

  it('does not answer a notification, and continues', async () => {
    await serve()
    const { socket, text } = await open()
    const body = '{"jsonrpc":"2.0","method":"work"}'
    socket.write(
      `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    await vi.waitUntil(() => text().endsWith('\r\n\r\n'))
    expect(text()).toMatch(/^HTTP\/1.1 204 No Content\r\n/)
    expect(text()).not.toMatch(/content-length/i)
    socket.write(call(2))
    await vi.waitUntil(() => text().includes(answer(2)))
  })

  it('is closed after being idle for long, before the first request and after', async () => {
    await serve({ headersMs: 100, keepAliveMs: 100 })
    const [silent, asked] = [await open(), await open()]
    asked.socket.write(call(1))
    await Promise.all([once(silent.socket, 'close'), once(asked.socket, 'close')])
    expect(idsOf(asked.text())).toEqual([1])
  })

  it('is not closed while its request is running', async () => {
    await serve({ headersMs: 50, keepAliveMs: 50 })
    work = (params) => new Promise((resolve) => setTimeout(() => resolve(params), 300))
    const { socket, text } = await open()
    socket.write(call(1))
    await vi.waitUntil(() => idsOf(text()).length === 1)
  })

  it('is closed with its last response when the server closes', async () => {
    await serve()
    let ready: (() => void) | undefined
    work = (params) =>
      new Promise((resolve) => {
        ready = () => resolve(params)
      })
    const { socket, text } = await open()
    socket.write(call(1))
    await vi.waitUntil(() => ready !== undefined)
    const closed = rpc.server.close()
    ready!()
    await Promise.all([closed, once(socket, 'close')])
    expect(text()).toMatch(/connection: close/)
    await serve()
  })
})
