import { once } from 'node:events'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { openTestNode, type TestNode, testValidators } from '../../test/chain.ts'
import { ManualClock } from '../../test/clock.ts'
import { crypto } from '../../test/fixture.ts'
import { checked } from '../../test/refusals.ts'
import { serveTestNode, type TestAnswer, type TestRpc } from '../../test/rpc.ts'
import { DEFAULT_RPC_LIMITS } from './limits.ts'

const { behindMs, behindBlocksMax } = DEFAULT_RPC_LIMITS

/** A clock that knows how many requests wait for the head. */
class WaitClock extends ManualClock {
  waiting = 0

  override after(ms: number, action: () => void): () => void {
    if (ms > behindMs) return super.after(ms, action)
    this.waiting++
    let isOver = false
    const end = (): void => {
      if (!isOver) this.waiting--
      isOver = true
    }
    const cancel = super.after(ms, () => {
      end()
      action()
    })
    return () => {
      end()
      cancel()
    }
  }
}

let node: TestNode
let rpc: TestRpc
let clock: WaitClock

beforeEach(async () => {
  node = await openTestNode({ crypto, validators: testValidators(crypto, 1) })
  clock = new WaitClock()
  rpc = await serveTestNode(node, crypto, {}, { clock })
})
afterEach(() => rpc.server.close())

const waiting = (count: number): Promise<void> => vi.waitFor(() => expect(clock.waiting).toBe(count), { interval: 5 })

interface Request {
  readonly id?: number
  readonly method?: string
  readonly minHeight?: unknown
}
const request = ({ id = 1, method = 'eth_blockNumber', ...more }: Request) => ({ jsonrpc: '2.0', id, method, ...more })

/** `origin` makes `node:http` answer instead of the plain lane. */
async function post(body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<unknown> {
  const response = await fetch(rpc.url, {
    ...{ method: 'POST', body: JSON.stringify(body), signal: signal ?? null },
    headers: { 'content-type': 'application/json', ...headers },
  })
  return response.json()
}
const ask = async (given: Request, headers?: Record<string, string>): Promise<TestAnswer> =>
  checked((await post(request(given), headers)) as TestAnswer)

const behind = (height: string, minHeight: string) => ({
  code: -32002,
  message: `block ${Number(minHeight)} is not here yet: the head of this node is block ${Number(height)}`,
  data: { reason: 'behind', scope: 'node', height, minHeight },
})

it.each([
  ['the plain lane', {}],
  ['node:http', { origin: 'https://app.example' }],
])('over %s, a request is answered when the head has its height', async (_, headers) => {
  const early = ask({ minHeight: '0x2' }, headers)
  await waiting(1)
  await node.produce()
  expect(clock.waiting).toBe(1)
  await node.produce()
  expect(await early).toMatchObject({ result: '0x2' })
  expect(clock.waiting).toBe(0)
  for (const minHeight of ['0x2', '0x0', null]) expect(await ask({ minHeight }, headers)).toMatchObject({ result: '0x2' })
})

it('is told after a second that the node is behind, and at once if it is far behind', async () => {
  await node.produce()
  const late = ask({ minHeight: '0x2' })
  await waiting(1)
  clock.advance(behindMs - 1)
  expect(clock.waiting).toBe(1)
  clock.advance(1)
  expect((await late).error).toEqual(behind('0x1', '0x2'))
  const far = `0x${(1 + behindBlocksMax + 1).toString(16)}`
  expect((await ask({ minHeight: far })).error).toEqual(behind('0x1', far))
  expect(clock.waiting).toBe(0)
})

it.each([['latest'], [2], ['0x02'], [{}], ['0x'], ['0xffffffffffffffffffff']])('%j is no height', async (minHeight) => {
  expect((await ask({ minHeight })).error).toMatchObject({ code: -32602, message: expect.stringMatching(/^invalid minHeight: /) })
})

it('an unknown method, and one that the node does not answer now, do not wait', async () => {
  expect((await ask({ method: 'eth_none', minHeight: '0x1' })).error).toMatchObject({ code: -32601 })
  const short = await serveTestNode(node, crypto, {}, { clock, readRefusal: () => 'short of memory' })
  const response = await fetch(short.url, {
    ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
    body: JSON.stringify(request({ method: 'eth_call', minHeight: '0x1' })),
  })
  expect(await response.json()).toMatchObject({ error: { data: { reason: 'short-of-memory', scope: 'node' } } })
  await short.server.close()
})

it('each request of a batch has its own height, and together they wait for a second', async () => {
  const answers = post([
    request({ id: 1 }),
    request({ id: 2, minHeight: '0x1' }),
    request({ id: 3, minHeight: '0x2' }),
    // More than run at a time.
    ...Array.from({ length: DEFAULT_RPC_LIMITS.batchConcurrencyMax }, (_, i) => request({ id: 4 + i, minHeight: '0x3' })),
    request({ id: 99, minHeight: 'none' }),
  ])
  await waiting(DEFAULT_RPC_LIMITS.batchConcurrencyMax - 1)
  await node.produce()
  await waiting(DEFAULT_RPC_LIMITS.batchConcurrencyMax - 2)
  clock.advance(behindMs)
  const [first, second, third, ...rest] = (await answers) as (TestAnswer & { readonly id: number })[]
  expect([first, second]).toMatchObject([
    { id: 1, result: '0x0' },
    { id: 2, result: '0x1' },
  ])
  expect(third?.error).toEqual(behind('0x1', '0x2'))
  expect(rest.pop()).toMatchObject({ id: 99, error: { code: -32602 } })
  expect(rest.map(({ error }) => error)).toEqual(rest.map(() => behind('0x1', '0x3')))
})

it('over a WebSocket, other requests are answered in the meantime', async () => {
  const socket = new WebSocket(rpc.socketUrl)
  await once(socket, 'open')
  const answers: unknown[] = []
  socket.on('message', (text: Buffer) => answers.push(JSON.parse(text.toString())))
  socket.send(JSON.stringify(request({ id: 1, minHeight: '0x1' })))
  await waiting(1)
  socket.send(JSON.stringify(request({ id: 2 })))
  await once(socket, 'message')
  await node.produce()
  await once(socket, 'message')
  expect(answers).toMatchObject([
    { id: 2, result: '0x0' },
    { id: 1, result: '0x1' },
  ])
  socket.send(JSON.stringify(request({ id: 3, minHeight: '0x5' })))
  await waiting(1)
  socket.terminate()
  await waiting(0)
})

it('holds its place among the requests of its address, and gives it back when the client leaves', async () => {
  await rpc.server.close()
  const one = { callsKept: 1, callsPerRemoteMax: 1, callsMax: 2, callsPerConnectionMax: 1 }
  rpc = await serveTestNode(node, crypto, one, { clock })
  const leaving = new AbortController()
  const left = expect(post(request({ minHeight: '0x2' }), {}, leaving.signal)).rejects.toThrow()
  await waiting(1)
  const next = ask({ id: 2, minHeight: '0x1' })
  await vi.waitFor(() => expect(rpc.server.counters.requests).toBe(2), { interval: 5 })
  expect(clock.waiting).toBe(1)
  leaving.abort()
  await left
  await node.produce()
  expect(await next).toMatchObject({ result: '0x1' })
})

it('ends with the server', async () => {
  const open = ask({ minHeight: '0x1' })
  await waiting(1)
  await rpc.server.close()
  expect((await open).error).toMatchObject({ data: { reason: 'request-timeout', scope: 'node' } })
  rpc = await serveTestNode(node, crypto, {}, { clock })
})
