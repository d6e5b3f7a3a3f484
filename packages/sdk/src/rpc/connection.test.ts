import { RpcRequestError } from 'viem'
import { describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { answer, refuse, soon, startRpcServer } from '../../test/rpc-server.ts'
import { type ConnectOptions, connect } from './connect.ts'
import { RESPONSE_BYTES_MAX, shownUrl } from './connection.ts'

const LATER = { timeoutMs: 10_000 }
const open = (url: string, options: ConnectOptions = {}) => connect(url, { webSocket: WebSocket, ...options })

describe.each(['url', 'socketUrl'] as const)('a connection (%s)', (url) => {
  it('sends method, parameters and minHeight, and resolves to the result', async () => {
    const server = await startRpcServer((request) => answer(request, [request.params, null]))
    const connection = open(server[url])
    expect(await connection.request({ method: 'eth_x', params: [1n, 'a'], minHeight: 17 }, LATER)).toEqual([['1', 'a'], null])
    expect(server.requests[0]).toMatchObject({ jsonrpc: '2.0', method: 'eth_x', minHeight: '0x11' })
    await connection.request({ method: 'eth_y' }, LATER)
    expect(server.requests[1]).not.toHaveProperty('minHeight')
    expect(server.requests[1]).not.toHaveProperty('params')
    connection.close()
  })

  it('matches answers to requests, whatever their order, and can carry null', async () => {
    const server = await startRpcServer((request) => answer(request, request.method === 'eth_null' ? null : request.params))
    const connection = open(server[url])
    const all = await Promise.all([1, 2, 3].map((i) => connection.request({ method: 'eth_x', params: [i] }, LATER)))
    expect(all).toEqual([[1], [2], [3]])
    expect(await connection.request({ method: 'eth_null' }, LATER)).toBeNull()
    connection.close()
  })

  it("rejects with viem's error if the node refuses", async () => {
    const server = await startRpcServer((request) => refuse(request, -32005, 'too much', { reason: 'overloaded', scope: 'node' }))
    const connection = open(server[url])
    const refused = connection.request({ method: 'eth_x' }, LATER)
    await expect(refused).rejects.toBeInstanceOf(RpcRequestError)
    await expect(refused).rejects.toMatchObject({ code: -32005, details: 'too much', data: { reason: 'overloaded' } })
    connection.close()
  })

  it.each([
    ['is no JSON', () => '<html>'],
    ['is no object', () => '7'],
    ['has neither result nor error', ({ id }: { id: unknown }) => JSON.stringify({ jsonrpc: '2.0', id })],
    ['has an error without a code', ({ id }: { id: unknown }) => JSON.stringify({ jsonrpc: '2.0', id, error: 'no' })],
  ])('rejects if the answer %s', async (_, handler) => {
    const server = await startRpcServer(handler)
    const connection = open(server[url])
    await expect(connection.request({ method: 'eth_x' }, LATER)).rejects.toThrow(
      /no JSON-RPC response|has no code|HTTP request failed/,
    )
    connection.close()
  })

  it('rejects an answer that is too long', async () => {
    const server = await startRpcServer((request) => answer(request, 'x'.repeat(RESPONSE_BYTES_MAX)))
    const connection = open(server[url])
    await expect(connection.request({ method: 'eth_x' }, LATER)).rejects.toMatchObject({ reason: 'too-large' })
    connection.close()
  })

  it('rejects after the time limit', async () => {
    const server = await startRpcServer(() => undefined)
    const connection = open(server[url])
    await expect(connection.request({ method: 'eth_x' }, { timeoutMs: 20 })).rejects.toMatchObject({ reason: 'timeout' })
    connection.close()
  })

  it('rejects with the reason of its signal, and leaves no listener there', async () => {
    const server = await startRpcServer((request) => (request.method === 'eth_x' ? undefined : answer(request, 1)))
    const connection = open(server[url])
    const { signal, abort } = watched()
    await connection.request({ method: 'eth_y' }, { ...LATER, signal })
    expect(listenersOf(signal)).toBe(0)
    const request = connection.request({ method: 'eth_x' }, { ...LATER, signal })
    abort(new Error('enough'))
    await expect(request).rejects.toThrow('enough')
    expect(listenersOf(signal)).toBe(0)
    await expect(connection.request({ method: 'eth_x' }, { ...LATER, signal })).rejects.toThrow('enough')
    connection.close()
  })

  it('closed is closed', async () => {
    const server = await startRpcServer(() => undefined)
    const connection = open(server[url])
    const waiting = connection.request({ method: 'eth_x' }, LATER)
    connection.close()
    await expect(waiting).rejects.toMatchObject({ reason: 'closed' })
    await expect(connection.request({ method: 'eth_x' }, LATER)).rejects.toMatchObject({ reason: 'closed' })
  })
})

describe('a connection over WebSocket', () => {
  it('has one socket for all requests, and opens another one after it was lost', async () => {
    const server = await startRpcServer((request) => (request.method === 'eth_x' ? undefined : answer(request, 1)))
    const connection = open(server.socketUrl)
    await Promise.all([1, 2, 3].map(() => connection.request({ method: 'eth_y' }, LATER)))
    expect(server.connections()).toBe(1)
    const waiting = connection.request({ method: 'eth_x' }, LATER)
    await soon(() => expect(server.requests).toHaveLength(4))
    server.cut()
    await expect(waiting).rejects.toMatchObject({ reason: 'lost' })
    expect(await connection.request({ method: 'eth_y' }, LATER)).toBe(1)
    expect(server.connections()).toBe(2)
    connection.disconnect()
    expect(await connection.request({ method: 'eth_y' }, LATER)).toBe(1)
    expect(server.connections()).toBe(3)
    connection.close()
    await soon(() => expect(server.sockets.size).toBe(0))
  })

  it('leaves a socket on which nothing arrives: it may be half open', async () => {
    const server = await startRpcServer((request) => (request.method === 'eth_x' ? undefined : answer(request, 1)))
    const connection = open(server.socketUrl)
    await connection.request({ method: 'eth_y' }, LATER)
    await expect(connection.request({ method: 'eth_x' }, { timeoutMs: 20 })).rejects.toMatchObject({ reason: 'timeout' })
    await connection.request({ method: 'eth_y' }, LATER)
    expect(server.connections()).toBe(2)
    connection.close()
  })

  it('gives each item of a subscription, the first one right after the answer too', async () => {
    const item = (n: number) => JSON.stringify({ method: 'eth_subscription', params: { subscription: '0xa', result: n } })
    const server = await startRpcServer((request) => {
      if (request.method === 'eth_subscribe') setImmediate(() => server.push(item(1)))
      return answer(request, request.method === 'eth_subscribe' ? '0xa' : true)
    })
    const connection = open(server.socketUrl)
    const items: unknown[] = []
    const listener = { onData: ({ result }: { result: unknown }) => items.push(result), onError: vi.fn() }
    const { unsubscribe } = await connection.subscribe!(['newHeads'], listener, LATER)
    await soon(() => expect(items).toEqual([1]))
    await unsubscribe()
    expect(server.requests.at(-1)).toMatchObject({ method: 'eth_unsubscribe', params: ['0xa'] })
    server.push(item(2))
    connection.close()
    expect([items, listener.onError.mock.calls]).toEqual([[1], []])
  })

  it('says once that a subscription is lost', async () => {
    const server = await startRpcServer((request) => answer(request, '0xa'))
    const connection = open(server.socketUrl)
    const onError = vi.fn()
    const { unsubscribe } = await connection.subscribe!(['newHeads'], { onData: () => undefined, onError }, LATER)
    server.cut()
    await soon(() => expect(onError).toHaveBeenCalledOnce())
    await unsubscribe()
    connection.close()
    expect(onError).toHaveBeenCalledOnce()
    expect(server.requests.map(({ method }) => method)).toEqual(['eth_subscribe'])
  })

  it('ends a subscription whose answer comes after it was given up', async () => {
    const server = await startRpcServer((request) => (request.method === 'eth_subscribe' ? undefined : answer(request, true)))
    const connection = open(server.socketUrl)
    const controller = new AbortController()
    const listener = { onData: () => undefined, onError: () => undefined }
    const subscribing = connection.subscribe!(['newHeads'], listener, { ...LATER, signal: controller.signal })
    await soon(() => expect(server.requests).toHaveLength(1))
    controller.abort()
    await expect(subscribing).rejects.toThrow()
    server.push(answer(server.requests[0]!, '0xb'))
    await soon(() => expect(server.requests.at(-1)).toMatchObject({ method: 'eth_unsubscribe', params: ['0xb'] }))
    connection.close()
  })

  it('is refused where the platform has none, with the way out', async () => {
    vi.stubGlobal('WebSocket', undefined)
    try {
      await expect(connect('ws://localhost:1').request({ method: 'eth_x' }, LATER)).rejects.toMatchObject({
        reason: 'no-web-socket',
      })
    } finally {
      vi.unstubAllGlobals()
    }
  })

  it('rejects if there is no server', async () => {
    const connection = open('ws://127.0.0.1:1')
    await expect(connection.request({ method: 'eth_x' }, LATER)).rejects.toMatchObject({ reason: 'lost' })
    connection.close()
  })
})

it('a URL is shown without its secrets', () => {
  expect(shownUrl('https://user:pass@a.example/rpc?x=1')).toBe('https://a.example/rpc?x=1')
  expect(shownUrl('ws://user:pass@a.example:8545')).toBe('ws://a.example:8545')
  for (const url of ['wss://a.example', 'wss://a.example/', 'wss://a.example/?', 'wss://a.example#', 'wss://a.example/#here'])
    expect(shownUrl(url)).toBe('wss://a.example')
  expect(() => connect('a.example')).toThrow('begins with http://')
})

/** A signal whose listeners are counted. */
function watched() {
  const controller = new AbortController()
  const { signal } = controller
  const listeners = new Set<unknown>()
  counted.set(signal, listeners)
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (type: string, listener: never) => {
    listeners.add(listener)
    add(type, listener)
  }
  signal.removeEventListener = (type: string, listener: never) => {
    listeners.delete(listener)
    remove(type, listener)
  }
  return { signal, abort: (reason: Error) => controller.abort(reason) }
}

const counted = new WeakMap<AbortSignal, Set<unknown>>()
const listenersOf = (signal: AbortSignal): number => counted.get(signal)!.size
