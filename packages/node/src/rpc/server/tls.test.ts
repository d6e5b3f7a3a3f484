import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { nobleCrypto } from '@quoin/protocol'
import { FetchRequest, JsonRpcProvider } from 'ethers'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { openTestNode, testValidators } from '../../../test/chain.ts'
import { OPEN_SETTINGS, serveTestNode, type TestRpc } from '../../../test/rpc.ts'
import { systemClock } from '../../system-clock.ts'
import { DEFAULT_RPC_LIMITS } from '../limits.ts'
import { HANDSHAKE_WEIGHT, tlsProblem } from './tls.ts'

const pem = (name: string): string => readFileSync(new URL(`../../../test/tls/${name}.pem`, import.meta.url), 'utf8')
const OWN = { cert: pem('cert'), key: pem('key') }
const OTHER = { cert: pem('other-cert'), key: pem('other-key') }

let rpc: TestRpc
const sockets: Socket[] = []

beforeEach(async () => {
  const node = await openTestNode({ crypto: nobleCrypto, validators: testValidators(nobleCrypto, 1) })
  rpc = await serveTestNode(node, nobleCrypto, { headersMs: 2_000 }, { settings: { tls: OWN }, clock: systemClock })
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await rpc.server.close()
})

async function open(ca: string = OWN.cert): Promise<TLSSocket> {
  const socket = connectTls({ port: rpc.server.port, host: 'localhost', ca })
  sockets.push(socket)
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  return socket
}

const BODY = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] })
const RESULT = '{"jsonrpc":"2.0","id":1,"result":"0x7a69"}'
const ask = (headers = '') =>
  `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers}Content-Length: ${BODY.length}\r\n\r\n${BODY}`

/** What arrives until a number of answers has. */
async function answers(socket: Socket, count: number): Promise<string> {
  let text = ''
  const read = (chunk: Buffer): void => void (text += chunk.toString())
  socket.on('data', read)
  await vi.waitUntil(() => text.split(RESULT).length > count)
  socket.removeListener('data', read)
  return text
}

describe('over TLS', () => {
  it('plain and other requests of a connection are answered, pipelined ones too', async () => {
    const socket = await open()
    socket.write(ask())
    await answers(socket, 1)
    // `Expect` is for node:http, which then serves the connection.
    socket.write(ask('Expect: 100-continue\r\n'))
    expect(await answers(socket, 1)).toContain('100 Continue')
    socket.write(ask() + ask() + ask())
    await answers(socket, 3)
    expect(socket.getProtocol()).toBe('TLSv1.3')
    expect(rpc.server.counters).toMatchObject({ connections: 1, requests: 5 })
  })

  it('long answers and bodies pass', async () => {
    const text = 'x'.repeat(200_000)
    const asked = request({
      port: rpc.server.port,
      host: 'localhost',
      ca: OWN.cert,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    })
    asked.end(
      JSON.stringify(
        Array.from({ length: 500 }, (_, id) => ({
          jsonrpc: '2.0',
          id,
          method: 'web3_clientVersion',
          params: id === 0 ? [text] : [],
        })),
      ),
    )
    const [response] = await once(asked, 'response')
    let answer = ''
    for await (const chunk of response) answer += String(chunk)
    expect(JSON.parse(answer)).toHaveLength(500)
  })

  it('a WebSocket opens, and subscriptions arrive', async () => {
    const socket = new WebSocket(`wss://localhost:${rpc.server.port}`, { ca: OWN.cert })
    await once(socket, 'open')
    socket.send(BODY)
    const [message] = await once(socket, 'message')
    expect(String(message)).toBe(RESULT)
    socket.terminate()
  })

  it('ethers reads through its own client of HTTPS', async () => {
    const fetching = new FetchRequest(`https://localhost:${rpc.server.port}`)
    // The certificate is nobody's that this process trusts.
    fetching.getUrlFunc = FetchRequest.createGetUrlFunc({ agent: new (await import('node:https')).Agent({ ca: OWN.cert }) })
    const provider = new JsonRpcProvider(fetching, 31_337, { staticNetwork: true })
    expect(await provider.getBlockNumber()).toBe(0)
    provider.destroy()
  })

  it('a client without TLS, or with an old version, gets nothing and does no harm', async () => {
    const socket = connect(rpc.server.port, '127.0.0.1')
    socket.on('error', () => {})
    const closed = once(socket, 'close')
    socket.write(ask())
    await closed
    expect(socket.bytesRead).toBeLessThan(20)
    const old = connectTls({ port: rpc.server.port, host: 'localhost', ca: OWN.cert, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })
    await expect(once(old, 'secureConnect')).rejects.toThrow()
    const next = await open()
    next.write(ask())
    await answers(next, 1)
  })

  it('handshakes that stall end, and lock nobody out', async () => {
    const stalled = Array.from({ length: 300 }, () => {
      const socket = connect(rpc.server.port, '127.0.0.1')
      socket.on('error', () => {})
      sockets.push(socket)
      return socket
    })
    const ends = stalled.map((socket) => once(socket, 'close'))
    await Promise.all(stalled.map((socket) => once(socket, 'connect')))
    // The oldest made room at once; a client that shakes hands gets through.
    await Promise.race(ends)
    const socket = await open()
    socket.write(ask())
    await answers(socket, 1)
    // The others end by their time.
    await Promise.all(ends)
  }, 20_000)

  it('handshakes are charged to the address, before they begin', async () => {
    rpc.server.set({
      ...OPEN_SETTINGS,
      limits: DEFAULT_RPC_LIMITS,
      tls: OWN,
      unitsPerSecond: 0.001,
      unitsBurst: 2 * HANDSHAKE_WEIGHT,
    })
    await open()
    await open()
    await expect(open()).rejects.toThrow()
  })

  it('a new certificate is used for new connections, and open ones stay', async () => {
    const before = await open()
    const settings = { ...OPEN_SETTINGS, limits: DEFAULT_RPC_LIMITS }
    rpc.server.set({ ...settings, tls: OTHER })
    const after = await open(OTHER.cert)
    expect(after.getPeerX509Certificate()?.subject).toBe('CN=other')
    for (const socket of [before, after]) {
      socket.write(ask())
      await answers(socket, 1)
    }
    rpc.server.set({ ...settings, tls: undefined })
    const plain = connect(rpc.server.port, '127.0.0.1')
    sockets.push(plain)
    plain.write(ask())
    await answers(plain, 1)
  })

  it('the server closes with open connections and handshakes', async () => {
    const socket = await open()
    const stalled = connect(rpc.server.port, '127.0.0.1')
    stalled.on('error', () => {})
    await once(stalled, 'connect')
    const ends = [once(socket, 'close'), once(stalled, 'close')]
    await rpc.server.close()
    await Promise.all(ends)
  })
})

it('a certificate with the key of another, or what is none, is refused', () => {
  expect(tlsProblem(OWN)).toBeUndefined()
  expect(tlsProblem({ ...OWN, key: OTHER.key })).toMatch(/mismatch/)
  expect(tlsProblem({ ...OWN, cert: 'x' })).toBeDefined()
  expect(tlsProblem({ cert: '', key: '' })).toBeDefined()
})
