import { connect } from 'node:net'
import { genesisDigest, nobleCrypto, utf8ToBytes } from '@quoin/protocol'
import { type Hex, numberToHex, parseEther, parseTransaction, serializeTransaction, type TransactionSerializable } from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLibp2pTransport } from '../../packages/node/src/network/index.ts'
import { createNodeKey } from '../../packages/node/src/network/node-key.ts'
import { checked, type TestError } from '../../packages/node/test/refusals.ts'
import { account, Network, type Validator } from './harness.ts'
import { until } from './watch.ts'

let network: Network
let node: Validator
beforeAll(async () => {
  network = await Network.start({ validators: 1, parameters: { blockIntervalMs: 100, heartbeatIntervalMs: 1_000 } })
  node = network.validators[0]!
})
afterAll(() => network.close())

const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const REJECTED = -32_003
const INVALID_PARAMS = -32_602

const transfer: TransactionSerializable = {
  ...{ type: 'eip1559', chainId: foundry.id, nonce: 0, gas: 21_000n, to: account(9).address, value: 1n },
  ...{ maxFeePerGas: 0n, maxPriorityFeePerGas: 0n },
}
const sign = (changes: object, signer = account(0)): Promise<Hex> =>
  signer.signTransaction({ ...transfer, ...changes } as TransactionSerializable)

interface Answer {
  readonly result?: unknown
  readonly error?: TestError
}

async function call(method: string, params: unknown): Promise<Answer> {
  const { text } = await node.post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))
  return checked(JSON.parse(text) as Answer)
}
const send = (raw: string): Promise<Answer> => call('eth_sendRawTransaction', [raw])
const nonceOf = (index: number): Promise<number> => node.client.getTransactionCount({ address: account(index).address })

/** The node still works normally. */
async function expectWell(): Promise<void> {
  expect(node.isRunning).toBe(true)
  const height = await node.height()
  const nonce = await nonceOf(8)
  const { result } = await send(await sign({ nonce }, account(8)))
  await network.receipt(result as Hex, node)
  expect(await node.height()).toBeGreaterThan(height)
}

/** The same transaction with another signature. */
async function resigned(change: (signature: { r: bigint; s: bigint; yParity: number }) => object): Promise<Hex> {
  const { r, s, yParity, ...signed } = parseTransaction(await sign({})) as TransactionSerializable &
    Record<'r' | 's', Hex> & {
      yParity: number
    }
  const rest = Object.fromEntries(Object.entries(signed).filter(([name]) => name !== 'v')) as TransactionSerializable
  const values = { r: BigInt(r), s: BigInt(s), yParity }
  const changed = { ...values, ...change(values) }
  return serializeTransaction(rest, {
    r: numberToHex(changed.r, { size: 32 }),
    s: numberToHex(changed.s, { size: 32 }),
    yParity: changed.yParity,
  })
}

describe('transactions', () => {
  const refused: readonly (readonly [name: string, raw: () => Promise<string>, code: number, message: RegExp])[] = [
    ['empty', async () => '0x', REJECTED, /empty/],
    ['not RLP', async () => '0x02deadbeef', REJECTED, /RLP/],
    ['cut off', async () => (await sign({})).slice(0, -2), REJECTED, /RLP/],
    ['with something behind', async () => `${await sign({})}00`, REJECTED, /RLP/],
    ['not hex', async () => 'hello', INVALID_PARAMS, /hex/],
    ['half a byte', async () => '0x1', INVALID_PARAMS, /hex/],
    ['oversized', () => sign({ data: `0x${'00'.repeat(256 * 1024)}`, gas: 15_000_000n }), REJECTED, /at most 262144/],
    ['signed by nobody (r = 0)', () => resigned(() => ({ r: 0n })), REJECTED, /^r is not an integer from 1/],
    ['signed by nobody (s = 0)', () => resigned(() => ({ s: 0n })), REJECTED, /^s is not an integer from 1/],
    ['signed with r over the order', () => resigned(() => ({ r: CURVE_ORDER })), REJECTED, /signature/],
    [
      'with a high s',
      () => resigned(({ s, yParity }) => ({ s: CURVE_ORDER - s, yParity: 1 - yParity })),
      REJECTED,
      /signature|EIP-2\b/,
    ],
    ['of another chain', () => sign({ chainId: 1 }), REJECTED, /chain id/i],
    [
      'unprotected legacy',
      () => sign({ type: 'legacy', chainId: undefined, maxFeePerGas: undefined, maxPriorityFeePerGas: undefined, gasPrice: 0n }),
      REJECTED,
      /EIP-155/,
    ],
    [
      'of type 3',
      () => sign({ type: 'eip4844', blobVersionedHashes: [`0x01${'11'.repeat(31)}`], maxFeePerBlobGas: 1n }),
      REJECTED,
      /type/,
    ],
    ['of type 0x7f', async () => '0x7fc0', REJECTED, /type/],
    ['that cannot pay its value', () => sign({ value: parseEther('10001') }), REJECTED, /^insufficient funds/],
    ['with less gas than any takes', () => sign({ gas: 20_999n }), REJECTED, /^intrinsic gas too low/],
    ['with more gas than one may have', () => sign({ gas: 36_000_001n }), REJECTED, /gas/],
    ['far ahead of its account', () => sign({ nonce: 1_000_000 }), REJECTED, /^nonce too high/],
  ]

  it.each(refused)('%s: refused', async (_, raw, code, message) => {
    const { error, result } = await send(await raw())
    expect(result).toBeUndefined()
    expect(error).toMatchObject({ code, message: expect.stringMatching(message), data: { scope: 'chain' } })
    expect(await nonceOf(0)).toBe(0)
  })

  it('with a gap before its nonce: taken, and executed when the gap closes', async () => {
    const first = await sign({ nonce: 0 }, account(1))
    const second = await sign({ nonce: 1 }, account(1))
    const third = await sign({ nonce: 2 }, account(1))
    const { result: thirdHash } = await send(third)
    const { result: secondHash } = await send(second)
    expect(await call('txpool_status', [])).toMatchObject({ result: { pending: '0x0', queued: '0x2' } })
    // Blocks pass without it, including those with other transactions.
    await expectWell()
    await network.advance(2)
    expect(await nonceOf(1)).toBe(0)
    const { result: firstHash } = await send(first)
    const blocks = []
    for (const hash of [firstHash, secondHash, thirdHash]) blocks.push(await network.receipt(hash as Hex, node))
    expect(await nonceOf(1)).toBe(3)
    expect(blocks.map(({ status }) => status)).toEqual(['success', 'success', 'success'])
    expect(await call('txpool_status', [])).toMatchObject({ result: { pending: '0x0', queued: '0x0' } })
  })

  it('twice: the same hash again, and executed once; another one with its nonce: too low', async () => {
    const waiting = await sign({ nonce: 1 }, account(2))
    const known = await send(waiting)
    expect(await send(waiting)).toEqual(known)
    expect(await call('txpool_status', [])).toMatchObject({ result: { pending: '0x0', queued: '0x1' } })
    const first = await sign({ nonce: 0 }, account(2))
    const sent = await send(first)
    const receipt = await network.receipt(known.result as Hex, node)
    expect(await send(first)).toEqual(sent)
    const other = await sign({ nonce: 0, value: 2n }, account(2))
    expect(await send(other)).toMatchObject({ error: { code: REJECTED, message: expect.stringMatching(/^nonce too low/) } })
    await expectWell()
    expect(await nonceOf(2)).toBe(2)
    expect(await node.client.getTransactionReceipt({ hash: known.result as Hex })).toMatchObject({ blockHash: receipt.blockHash })
  })
})

describe('requests', () => {
  const requests: readonly (readonly [name: string, body: string, status: number, code: number, message: RegExp])[] = [
    ['no JSON', '{"jsonrpc":"2.0",', 200, -32_700, /not valid JSON/],
    ['an empty body', '', 200, -32_700, /not valid JSON/],
    ['binary', '\u0000\u0001\u0002', 200, -32_700, /not valid JSON/],
    ['JSON of great depth', '['.repeat(2_000_000), 200, -32_005, /nested too deeply: the limit is 64/],
    ['no object', '7', 200, -32_600, /object/],
    ['no method', '{"jsonrpc":"2.0","id":1}', 200, -32_600, /method/],
    ['an unknown method', '{"jsonrpc":"2.0","id":1,"method":"eth_mine"}', 200, -32_601, /eth_mine/],
    ['a name of Object', '{"jsonrpc":"2.0","id":1,"method":"constructor"}', 200, -32_601, /constructor/],
    ['too few params', '{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":[]}', 200, -32_602, /./],
    ['wrong params', '{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0x1","latest"]}', 200, -32_602, /address/],
    ['params that are no list', '{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":7}', 200, -32_602, /./],
    ['an empty batch', '[]', 200, -32_600, /empty/],
    [
      'an oversized batch',
      JSON.stringify(Array(1_001).fill({ jsonrpc: '2.0', id: 1, method: 'eth_chainId' })),
      200,
      -32_005,
      /1000/,
    ],
    ['an oversized body', 'x'.repeat(5 * 1024 * 1024 + 1), 413, -32_005, /5242880 bytes/],
  ]

  it.each(requests)('%s: an error that says so', async (_, body, status, code, message) => {
    const answer = await node.post(body)
    expect(answer.status).toBe(status)
    expect(checked(JSON.parse(answer.text) as Answer)).toMatchObject({
      jsonrpc: '2.0',
      id: code === -32_601 || code === -32_602 ? 1 : null,
      error: { code, message: expect.stringMatching(message) },
    })
  })

  it('a body of 50 MB: the error comes through, again and again', async () => {
    const body = 'x'.repeat(50_000_000)
    for (let i = 0; i < 5; i++) expect((await node.post(body)).status).toBe(413)
  })

  it('leave the node well', expectWell)
})

describe('the P2P port', () => {
  /** Writes bytes and waits until the other side has closed. */
  const throwAt = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(node.p2pPort, '127.0.0.1', () => socket.end(bytes))
      socket.once('error', () => resolve()).once('close', () => resolve())
      socket.resume()
    })

  it('takes garbage without harm', async () => {
    const garbage = [
      new Uint8Array(1024 * 1024).fill(0xff),
      new Uint8Array(100),
      utf8ToBytes('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      utf8ToBytes('\x13/multistream/1.0.0\n\x07/noise\n\xff\xff'),
    ]
    for (const bytes of garbage) await throwAt(bytes)
    await Promise.all(Array.from({ length: 100 }, (_, i) => throwAt(new Uint8Array(1_000).fill(i))))
    await expectWell()
  })

  it('refuses a node that is not on the list', async () => {
    const stranger = await createLibp2pTransport({
      key: await createNodeKey(),
      listen: [],
      networkId: genesisDigest(nobleCrypto, network.genesis).slice(2, 18),
      logger: { debug() {}, info() {}, warn() {} },
    })
    stranger.listen({
      onMessage: () => {},
      onGossip: () => Promise.resolve('accept'),
      onRequest: () => Promise.resolve(undefined),
      onPeer: () => {},
    })
    stranger.admit(network.genesis.nodes)
    await stranger.start()
    try {
      await until('the node refuses the stranger', async () => {
        const { quoin_network_refused_by_id: refused = 0 } = await node.metrics()
        return refused > 0
      })
      expect(await node.client.request({ method: 'net_peerCount' } as never)).toBe('0x0')
    } finally {
      await stranger.stop()
    }
    await expectWell()
  })
})

it('none of this was logged as a fault of the node', () => {
  // pino's levels: 50 is error, 60 fatal.
  expect(node.log.split('\n').filter((line) => /"level":[56]0/.test(line))).toEqual([])
})
