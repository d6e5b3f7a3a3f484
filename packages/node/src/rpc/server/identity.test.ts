import { once } from 'node:events'
import { connect } from 'node:net'
import {
  type Address,
  bytesToHex,
  hexToBytes,
  idOfName,
  nobleCrypto,
  ownSeat,
  ROLES,
  ungovernedConsortium,
} from '@quoin/protocol'
import { FetchRequest, JsonRpcProvider, WebSocketProvider } from 'ethers'
import { createPublicClient, encodeFunctionData, http, parseAbi, webSocket } from 'viem'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { openTestNode, type TestNode, testAccounts, testGenesis, testTransfers, testValidators } from '../../../test/chain.ts'
import { configDefaults } from '../../../test/config.ts'
import { problemOf } from '../../../test/refusals.ts'
import { OPEN_SETTINGS, serveTestNode, type TestAnswer, type TestRpc } from '../../../test/rpc.ts'
import { otherPair, secretText, testSecret, tokenOf } from '../../../test/tokens.ts'
import type { RpcBackend } from '../backend.ts'
import { DEFAULT_RPC_LIMITS } from '../limits.ts'
import type { RpcSettings } from './server.ts'

/** A client hears within milliseconds, unless the machine is busy. */
const PATIENT = { timeout: 15_000 }

const SYSTEM = '0x00000000000000000000000000000051756f696e'
const ABI = parseAbi([
  'function setPolicy(string name, string access)',
  'function setAccount(address account, bytes32 organisation, uint32 roles, uint64 expiry, bool suspended)',
  'function suspendOrganisation(bytes32 id, bool suspended)',
])
const [governor, reader, sender] = testAccounts as unknown as [
  (typeof testAccounts)[0],
  (typeof testAccounts)[0],
  (typeof testAccounts)[0],
]
const lower = ({ address }: { readonly address: string }) => address.toLowerCase() as Address
const ORGANISATION = idOfName('v1')!

const IDENTITY: RpcSettings['identity'] = {
  tokens: { secret: { name: 'secret', text: secretText() }, keys: [], issuer: undefined, audience: undefined, lifetimeS: 3_600 },
  openMethods: configDefaults.rpc['open-methods'],
  methodRules: [],
}
/** A token of an account, for a clock that has only begun. */
const tokenFor = (account: { readonly address: string }, expiry = 600) =>
  tokenOf({ account: account.address, exp: expiry }, testSecret)
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

let node: TestNode
let rpc: TestRpc
let nonce = 0
const sockets: WebSocket[] = []

async function serve(settings: Partial<RpcSettings> = {}, backend: Partial<RpcBackend> = {}): Promise<void> {
  rpc = await serveTestNode(node, nobleCrypto, {}, { backend, settings: { identity: IDENTITY, ...settings } })
}

beforeEach(async () => {
  const validators = testValidators(nobleCrypto, 1)
  const consortium = ungovernedConsortium(validators.set.validators.map((validator) => ownSeat(validator)))
  nonce = 0
  node = await openTestNode({
    crypto: nobleCrypto,
    validators,
    genesis: testGenesis(nobleCrypto, validators.set, {
      consortium: {
        ...consortium,
        governor: lower(governor),
        policies: { sending: 'open', deploying: 'open', reading: 'members' },
        accounts: [
          { address: lower(reader), organisation: ORGANISATION, roles: ROLES.reader, expiry: 0 },
          { address: lower(sender), organisation: ORGANISATION, roles: ROLES.sender, expiry: 0 },
        ].toSorted((a, b) => (a.address < b.address ? -1 : 1)),
      },
    }),
  })
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate()
  await rpc.server.close()
})

/** The governor calls the chain contract, in the next block. */
async function govern(functionName: 'setPolicy' | 'setAccount' | 'suspendOrganisation', args: readonly unknown[]): Promise<void> {
  const data = encodeFunctionData({ abi: ABI, functionName, args } as never)
  const raw = await governor.signTransaction({
    type: 'legacy',
    chainId: 31_337,
    nonce: nonce++,
    to: SYSTEM,
    gas: 500_000n,
    gasPrice: 0n,
    data,
  })
  const block = await node.produce([hexToBytes(raw)])
  expect(block.header.number).toBe(node.chain.head.header.number)
}

async function ask(method: string, headers: Record<string, string> = {}): Promise<TestAnswer> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] })
  const response = await fetch(rpc.url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })
  expect(response.status).toBe(200)
  const answer = (await response.json()) as TestAnswer
  if (answer.error !== undefined) expect(problemOf(answer.error)).toBeUndefined()
  return answer
}
const reasonOf = async (...request: Parameters<typeof ask>) =>
  ((await ask(...request)).error?.data as { reason: string } | undefined)?.reason

async function openSocket(headers: Record<string, string> = {}, protocols: readonly string[] = []) {
  const socket = new WebSocket(rpc.socketUrl, [...protocols], { headers })
  sockets.push(socket)
  const messages: {
    readonly id?: number
    readonly result?: unknown
    readonly error?: { code: number }
    readonly params?: unknown
  }[] = []
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString())))
  await once(socket, 'open')
  let id = 0
  return {
    socket,
    messages,
    async call(method: string, ...params: unknown[]) {
      const own = ++id
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: own, method, params }))
      await vi.waitUntil(() => messages.some((message) => message.id === own), PATIENT)
      return messages.find((message) => message.id === own)!
    },
    closed: once(socket, 'close').then(([code, reason]) => ({ code: code as number, reason: String(reason) })),
  }
}

describe('over HTTP, where only members read', () => {
  it('readers read, and everyone uses open methods', async () => {
    await serve()
    expect(await ask('eth_blockNumber', bearer(tokenFor(reader)))).toMatchObject({ result: '0x0' })
    expect(await ask('eth_chainId')).toMatchObject({ result: '0x7a69' })
    expect(await ask('eth_blockNumber')).toMatchObject({
      error: {
        code: 4100,
        data: { reason: 'reading-not-permitted', scope: 'chain', rule: 'reading', account: null, lacking: 'token' },
      },
    })
    expect(await ask('eth_blockNumber', bearer(tokenFor(sender)))).toMatchObject({
      error: { code: 4100, data: { account: lower(sender), lacking: 'role' } },
    })
    expect(await ask('eth_blockNumber', bearer(tokenFor(governor)))).toMatchObject({ error: { data: { lacking: 'entry' } } })
    expect(await reasonOf('eth_nothing')).toBe('method-not-found')
    expect((await fetch(`${rpc.url}/health`)).status).toBe(200)
  })

  it('a token that does not count is refused for open methods too, and never counts as none', async () => {
    await serve()
    for (const token of [
      tokenOf({ account: reader.address, exp: 600 }, otherPair.privateKey),
      tokenOf({ account: reader.address, exp: 600 }, null),
      'x',
      '',
    ])
      expect(await reasonOf('eth_chainId', bearer(token))).toBe('invalid-token')
    expect(await reasonOf('eth_chainId', { authorization: 'Basic YTpi' })).toBeUndefined()
    expect(await reasonOf('eth_blockNumber', { authorization: 'Basic YTpi' })).toBe('reading-not-permitted')
  })

  it('each request of a batch is judged', async () => {
    await serve()
    const body = JSON.stringify(['eth_chainId', 'eth_blockNumber'].map((method, id) => ({ jsonrpc: '2.0', id, method })))
    const headers = { 'content-type': 'application/json' }
    const batch = async (more: object) =>
      (await (await fetch(rpc.url, { method: 'POST', headers: { ...headers, ...more }, body })).json()) as TestAnswer[]
    expect(await batch({})).toMatchObject([{ result: '0x7a69' }, { error: { code: 4100 } }])
    expect(await batch(bearer(tokenFor(reader)))).toMatchObject([{ result: '0x7a69' }, { result: '0x0' }])
    expect(await batch(bearer('x'))).toMatchObject([{ error: { code: 4100 } }, { error: { code: 4100 } }])
  })

  it.each([
    ['two headers', `Authorization: Bearer ${'%'}\r\nAuthorization: Bearer ${'%'}\r\n`],
    ['a letter that is no ASCII', 'Authorization: Bearer a.b.\u00e9\r\n'],
    ['a token that is huge', `Authorization: Bearer ${'a'.repeat(5_000)}\r\n`],
  ])('%s are refused with a reason', async (_, fields) => {
    await serve()
    const socket = connect(rpc.server.port, '127.0.0.1')
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    const body = '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}'
    const lines = fields.replaceAll('%', tokenFor(reader))
    socket.write(
      `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`,
      'latin1',
    )
    await vi.waitUntil(() => text.includes('"error"'), PATIENT)
    socket.destroy()
    expect(text).toContain('"reason":"invalid-token"')
  })

  it('what the governor decides counts from the next block on', async () => {
    await serve()
    const asReader = () => reasonOf('eth_blockNumber', bearer(tokenFor(reader)))
    const entry = (suspended: boolean) => [reader.address, ORGANISATION, ROLES.reader, 0n, suspended] as const
    expect(await asReader()).toBeUndefined()
    await govern('setAccount', entry(true))
    expect(await asReader()).toBe('reading-not-permitted')
    await govern('setAccount', entry(false))
    expect(await asReader()).toBeUndefined()
    await govern('suspendOrganisation', [ORGANISATION, true])
    expect(await asReader()).toBe('reading-not-permitted')
    await govern('setPolicy', ['reading', 'open'])
    expect(await asReader()).toBeUndefined()
    expect(await reasonOf('eth_blockNumber')).toBeUndefined()
  })

  it('a token that expires does not count any more on an open connection', async () => {
    await serve()
    const token = tokenFor(reader, 100)
    expect(await reasonOf('eth_blockNumber', bearer(token))).toBeUndefined()
    rpc.clock.advance(131_000)
    expect(await ask('eth_blockNumber', bearer(token))).toMatchObject({ error: { code: 4100, data: { problem: 'expired' } } })
  })

  it('viem and ethers read with a token, and name the refusal without', async () => {
    await serve()
    const headers = bearer(tokenFor(reader))
    const viem = createPublicClient({ transport: http(rpc.url, { fetchOptions: { headers } }) })
    expect(await viem.getBlockNumber()).toBe(0n)
    const stranger = createPublicClient({ transport: http(rpc.url, { retryCount: 0 }) })
    await expect(stranger.getBlockNumber()).rejects.toThrow(/only members read on this chain/)
    expect(await stranger.getChainId()).toBe(31_337)
    const request = new FetchRequest(rpc.url)
    request.setHeader('authorization', headers.authorization)
    const options = { staticNetwork: true, batchMaxCount: 4 }
    const ethers = new JsonRpcProvider(request, 31_337, options)
    expect(await ethers.getBlockNumber()).toBe(0)
    ethers.destroy()
    const without = new JsonRpcProvider(rpc.url, 31_337, options)
    await expect(without.getBlockNumber()).rejects.toThrow(/only members read on this chain/)
    without.destroy()
  })
})

describe('a WebSocket', () => {
  it('takes the token in the header, or as a subprotocol that is not sent back', async () => {
    await serve()
    const token = tokenFor(reader)
    for (const [headers, protocols, chosen] of [
      [bearer(token), [], ''],
      [{}, ['quoin', `bearer.${token}`], 'quoin'],
    ] as const) {
      const { socket, call } = await openSocket(headers, protocols)
      expect(socket.protocol).toBe(chosen)
      expect(await call('eth_blockNumber')).toMatchObject({ result: '0x0' })
    }
    const { call } = await openSocket()
    expect(await call('eth_chainId')).toMatchObject({ result: '0x7a69' })
    expect(await call('eth_subscribe', 'newHeads')).toMatchObject({ error: { code: 4100 } })
  })

  it.each([
    ['an invalid token', bearer('a.b.c'), []],
    ['two tokens', bearer(tokenFor(reader)), ['quoin', `bearer.${tokenFor(reader)}`]],
    ['an unsigned token', {}, ['quoin', `bearer.${tokenOf({ account: reader.address, exp: 600 }, null)}`]],
    ['a token of another key', {}, ['quoin', `bearer.${tokenOf({ account: reader.address, exp: 600 }, new Uint8Array(32))}`]],
  ] as const)('with %s is not opened', async (_, headers, protocols) => {
    await serve()
    await expect(openSocket(headers, protocols)).rejects.toThrow(/401/)
  })

  it('is closed with its subscriptions soon after its token has expired', async () => {
    await serve()
    const { call, closed } = await openSocket(bearer(tokenFor(reader, 100)))
    expect(await call('eth_subscribe', 'newHeads')).toMatchObject({ result: '0x1' })
    expect(rpc.server.counters.subscriptions).toBe(1)
    rpc.clock.advance(131_000)
    expect(await closed).toEqual({ code: 4100, reason: 'invalid-token: the token has expired: get a new one' })
    expect(rpc.server.counters.subscriptions).toBe(0)
  })

  it('is closed by the block that takes its right to read, before that block is told', async () => {
    await serve()
    const { call, closed, messages } = await openSocket(bearer(tokenFor(reader)))
    await call('eth_subscribe', 'newHeads')
    const stream = await call('quoin_subscribe', { stream: 'blocks' })
    await node.produce()
    await vi.waitUntil(() => messages.some(({ params }) => JSON.stringify(params)?.includes('"number":"0x1"')), PATIENT)
    await govern('setAccount', [reader.address, ORGANISATION, ROLES.reader, 0n, true])
    expect(await closed).toMatchObject({
      code: 4100,
      reason: `reading-not-permitted: only members read on this chain: account ${lower(reader)} is suspended`,
    })
    expect(JSON.stringify(messages)).not.toContain('"number":"0x2"')
    expect(rpc.server.counters.subscriptions).toBe(0)
    expect(messages.at(-1)).toMatchObject({
      params: {
        subscription: stream.result,
        closed: { reason: 'not-permitted', message: expect.stringContaining('suspended'), cursor: expect.any(String) },
      },
    })
  })

  it('gets nothing of that block, even if a waiting transaction makes the server look for news first', async () => {
    // The server does not hear of blocks, so that only its check of once a second closes the socket.
    const feed = {
      subscribe: (_: unknown, __: unknown, signal: AbortSignal) => ({
        [Symbol.asyncIterator]: () => ({
          next: async () => {
            if (!signal.aborted) await once(signal, 'abort')
            return { done: true, value: undefined }
          },
        }),
      }),
    }
    await serve({}, { feed: feed as unknown as RpcBackend['feed'] })
    const { call, closed, messages } = await openSocket(bearer(tokenFor(reader)))
    await call('eth_subscribe', 'newHeads')
    await call('eth_subscribe', 'newPendingTransactions')
    await call('quoin_subscribe', { stream: 'blocks' })
    await govern('setAccount', [reader.address, ORGANISATION, ROLES.reader, 0n, true])
    const other = await openSocket()
    const [waiting] = await testTransfers(sender, 0, 1)
    expect(await other.call('eth_sendRawTransaction', bytesToHex(waiting!))).toMatchObject({ result: expect.any(String) })
    expect(await closed).toMatchObject({ code: 4100 })
    expect(messages.filter(({ params }) => JSON.stringify(params)?.includes('"number"'))).toEqual([])
  })

  it('without a token is closed when the chain begins to let only members read, if it has subscriptions', async () => {
    await serve()
    await govern('setPolicy', ['reading', 'open'])
    const [listening, quiet] = [await openSocket(), await openSocket()]
    await listening.call('eth_subscribe', 'newHeads')
    expect(await quiet.call('eth_blockNumber')).toMatchObject({ result: '0x1' })
    await govern('setPolicy', ['reading', 'members'])
    expect(await listening.closed).toMatchObject({ code: 4100 })
    expect(await quiet.call('eth_blockNumber')).toMatchObject({ error: { code: 4100 } })
    expect(await quiet.call('eth_chainId')).toMatchObject({ result: '0x7a69' })
  })

  it('is closed when the keys of tokens change', async () => {
    await serve()
    const [own, other] = [await openSocket(bearer(tokenFor(reader))), await openSocket()]
    const settings = { ...OPEN_SETTINGS, identity: IDENTITY, limits: DEFAULT_RPC_LIMITS }
    rpc.server.set(settings)
    expect(await own.call('eth_blockNumber')).toMatchObject({ result: '0x0' })
    const secret = { name: 'secret', text: secretText(new Uint8Array(32).fill(9)) }
    rpc.server.set({ ...settings, identity: { ...IDENTITY!, tokens: { ...IDENTITY!.tokens!, secret } } })
    expect(await own.closed).toMatchObject({ code: 4100 })
    expect(await other.call('eth_chainId')).toMatchObject({ result: '0x7a69' })
    expect(await reasonOf('eth_chainId', bearer(tokenFor(reader)))).toBe('invalid-token')
  })

  it('viem and ethers subscribe with a token, and hear that it was closed', async () => {
    await serve()
    const url = rpc.socketUrl
    const headers = bearer(tokenFor(reader))
    class Authorized extends WebSocket {
      constructor(address: string) {
        super(address, { headers })
      }
    }
    const ethers = new WebSocketProvider(new Authorized(url) as never, 31_337, { staticNetwork: true })
    const heights: number[] = []
    await ethers.on('block', (height: number) => heights.push(height))
    const native = globalThis.WebSocket
    globalThis.WebSocket = Authorized as never
    try {
      const viem = createPublicClient({ transport: webSocket(url, { reconnect: false, keepAlive: false }) })
      const heads: bigint[] = []
      const errors: Error[] = []
      viem.watchBlockNumber({ onBlockNumber: (number) => heads.push(number), onError: (error) => errors.push(error) })
      await vi.waitUntil(() => rpc.server.counters.subscriptions === 2, PATIENT)
      await node.produce()
      await vi.waitUntil(() => heads.includes(1n) && heights.includes(1), PATIENT)
      await govern('setAccount', [reader.address, ORGANISATION, ROLES.sender, 0n, false])
      await vi.waitUntil(() => errors.length > 0 && rpc.server.counters.subscriptions === 0, PATIENT)
      expect([heads, heights]).toEqual([[1n], [1]])
    } finally {
      globalThis.WebSocket = native
      await ethers.destroy()
    }
  })
})

describe('quotas', () => {
  it('are by account: many addresses of one account share one allowance, other clients at its address do not', async () => {
    await serve({ unitsPerSecond: 0.001, unitsBurst: 60, trustedProxies: ['127.0.0.1'] })
    const from = (address: string, token?: string) => ({
      'x-forwarded-for': address,
      ...(token === undefined ? {} : bearer(token)),
    })
    const read = async (headers: Record<string, string>) => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_call', params: [] })
      const response = await fetch(rpc.url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })
      return response.status
    }
    const token = tokenFor(reader)
    const statuses: number[] = []
    for (let i = 0; i < 7; i++) statuses.push(await read(from(`10.0.0.${i}`, token)))
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 429])
    expect(await read(from('10.0.0.1'))).toBe(200)
  })

  it('an address that sends many unknown tokens has them checked no longer', async () => {
    await serve({ unitsPerSecond: 0.001, unitsBurst: 60 })
    const reasons: unknown[] = []
    for (let i = 0; i < 4; i++)
      reasons.push(
        await reasonOf('eth_chainId', bearer(tokenOf({ account: reader.address, exp: 600, i }, otherPair.privateKey))).catch(
          () => 429,
        ),
      )
    expect(reasons.slice(0, 2)).toEqual(['invalid-token', 'invalid-token'])
    expect(reasons.at(-1)).not.toBe('invalid-token')
  })
})

it('a chain that is served without settings of identities answers everyone', async () => {
  await serve({ identity: undefined })
  expect(await ask('eth_blockNumber', bearer('x'))).toMatchObject({ result: '0x0' })
})
