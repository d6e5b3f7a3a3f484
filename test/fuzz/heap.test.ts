import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { DEVELOPMENT_ACCOUNTS } from '@quoin/platform'
import fc from 'fast-check'
import { type Hex, hexToBytes } from 'viem'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, expect, it } from 'vitest'
import WebSocket from 'ws'
import { RPC_CODE } from '../../packages/node/src/rpc/error-codes.ts'
import { account, Network } from '../e2e/harness.ts'
import { seed } from './fuzz.ts'
import { requestsTo } from './requests.ts'

const isLong = process.env['QUOIN_TEST_LONG'] !== undefined
/** Requests before the first and before the second measurement. */
const HALF = isLong ? 50_000 : 3_000
/** By how much the heap may be larger after the second half. In the first half code is compiled, and caches fill. */
const GROWTH_MAX = 1.1
/** Requests that are drawn together. */
const CHUNK = 250
/** One request in so many goes over a WebSocket, which has subscriptions too. Each chunk has a socket of its own. */
const SOCKET_PART = 4
/** Requests over HTTP at a time. */
const LANES = 32

const PROBE = fileURLToPath(new URL('heap-probe.mjs', import.meta.url))

let network: Network
beforeAll(async () => {
  // Few blocks without transactions: a node keeps some of each block, and a slow run would have many.
  network = await Network.create({ validators: 1, parameters: { blockIntervalMs: 100, heartbeatIntervalMs: 5_000 } })
  await network.validators[0]!.start({ env: { NODE_OPTIONS: `--import ${PROBE}` } })
})
afterAll(() => network.close())

interface Heap {
  readonly kind: 'heap'
  readonly threads: Readonly<Record<string, number>>
}

/** Bytes that the main thread and the RPC thread keep. */
async function heap(): Promise<{ readonly main: number; readonly rpc: number }> {
  const { program } = network.validators[0]!
  const measured = program.message<Heap>('heap')
  program.send({ kind: 'measure-heap' })
  const { threads } = await measured
  return { main: threads['main']!, rpc: threads['rpc-worker.js']! }
}

const codes = new Map<number | string, number>()
const count = (code: number | string): void => void codes.set(code, (codes.get(code) ?? 0) + 1)

function countAnswer(text: string): void {
  if (text === '') return
  const answers = [JSON.parse(text) as unknown].flat() as {
    readonly error?: { readonly code: number; readonly message: string }
  }[]
  for (const { error } of answers) {
    if (error?.code === RPC_CODE.internal) throw new Error(`an internal error: ${error.message}`)
    count(error?.code ?? 'result')
  }
}

/** Posts all texts, `LANES` at a time. Some wait for a receipt, so that a slow one holds up one lane only. */
async function overHttp(texts: Iterator<string>): Promise<void> {
  const lane = async (): Promise<void> => {
    for (let next = texts.next(); next.done !== true; next = texts.next()) {
      const { status, text } = await network.validators[0]!.post(next.value)
      if (status === 200) countAnswer(text)
      else count(`HTTP ${status}`)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

const LAST = 'the last one'

/** All texts as messages of one connection, which is closed when a request after them has been answered. */
async function overSocket(texts: Iterable<string>): Promise<void> {
  const socket = new WebSocket(network.validators[0]!.url.replace('http', 'ws'))
  await once(socket, 'open')
  const answered = new Promise<void>((resolve, reject) => {
    socket.on('error', reject).on('close', () => resolve())
    socket.on('message', (data: Buffer) => {
      const text = data.toString()
      if (text.includes(LAST)) return resolve()
      if (!text.includes('"method":"eth_subscription"')) countAnswer(text)
    })
  })
  for (const text of texts) socket.send(text)
  socket.send(JSON.stringify({ jsonrpc: '2.0', id: LAST, method: 'eth_chainId' }))
  await answered
  socket.terminate()
}

/** What the requests may refer to: blocks, final transactions, and transactions that are final, wait or are still unknown. */
async function content() {
  const { client } = network.validators[0]!
  const [final, others] = [account(0), account(1)]
  const sign = (signer: typeof final, nonce: number) =>
    signer.signTransaction({
      chainId: foundry.id,
      nonce,
      gas: 21_000n,
      to: others.address,
      value: 1n,
      gasPrice: 0n,
      type: 'legacy',
    })
  const hashes: Hex[] = []
  const raws: Hex[] = []
  for (let nonce = 0; nonce < 6; nonce++) {
    const serializedTransaction = await sign(final, nonce)
    raws.push(serializedTransaction)
    const { blockHash, transactionHash } = await client.sendRawTransactionSync({ serializedTransaction })
    hashes.push(blockHash, transactionHash)
  }
  for (const nonce of [0, 1, 3]) raws.push(await sign(others, nonce))
  return { hashes, raws: raws.map((raw) => hexToBytes(raw)) }
}

it(`keeps its heap over ${2 * HALF} random and mutated requests`, { timeout: isLong ? 3_600_000 : 300_000 }, async () => {
  const known = await content()
  const addresses = Array.from({ length: DEVELOPMENT_ACCOUNTS }, (_, index) => account(index).address)
  const { request, fitting, text } = requestsTo(() => known, addresses)
  const json = fc.oneof(
    fc.oneof(request, fitting).map((one) => JSON.stringify(one)),
    fc.array(fc.oneof(request, fitting), { minLength: 1, maxLength: 5 }).map((batch) => JSON.stringify(batch)),
  )
  const texts = fc.oneof({ weight: 3, arbitrary: json }, { weight: 1, arbitrary: text })
  function* sample(first: number, count: number): Generator<string, void> {
    for (let done = 0; done < count; done += CHUNK) yield* fc.sample(texts, { numRuns: CHUNK, seed: seed + first + done })
  }
  const half = async (first: number) => {
    const overSockets = async (): Promise<void> => {
      for (let done = 0; done < HALF / SOCKET_PART; done += CHUNK) await overSocket(sample(first + done, CHUNK))
    }
    await Promise.all([overSockets(), overHttp(sample(first + HALF / SOCKET_PART, HALF - HALF / SOCKET_PART))])
    return heap()
  }
  const start = await heap()
  const middle = await half(0)
  const end = await half(HALF)
  const answers = [...codes].map(([code, times]) => `${code} ${times}`).join(', ')
  const figures = Object.entries({ start, middle, end })
    .map(([when, { main, rpc }]) => `${when}: main ${megabytes(main)}, RPC ${megabytes(rpc)}`)
    .join('; ')
  console.log(`heap after gc, at ${HALF} and ${2 * HALF} requests, in MB: ${figures}; answers: ${answers}`)
  const again = `QUOIN_FUZZ_SEED=${seed}`
  expect(end.main, `main thread, ${again}`).toBeLessThan(GROWTH_MAX * middle.main)
  expect(end.rpc, `RPC thread, ${again}`).toBeLessThan(GROWTH_MAX * middle.rpc)
  // A thread that died and was replaced would have a new heap.
  expect(await network.validators[0]!.metrics()).toMatchObject({ quoin_rpc_restarts: 0 })
  await network.advance(1)
})

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1)
