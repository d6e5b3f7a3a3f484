import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadCrypto } from '../../packages/node/src/crypto/load.ts'
import type { RpcBackend } from '../../packages/node/src/rpc/backend.ts'
import { Dispatcher } from '../../packages/node/src/rpc/dispatch.ts'
import type { CallContext } from '../../packages/node/src/rpc/method.ts'
import { rpcMethods } from '../../packages/node/src/rpc/methods/index.ts'
import { appendBlock } from '../../packages/node/test/blocks.ts'
import { LogRecorder, openTestNode, testAccounts, testTransfers, testValidators } from '../../packages/node/test/chain.ts'
import { problemOf, type TestError } from '../../packages/node/test/refusals.ts'
import { testBackend, testCall } from '../../packages/node/test/rpc.ts'
import { fuzzAsync } from './fuzz.ts'
import { EMITTER, type Known, requestsTo, TOPIC } from './requests.ts'

/** The methods over a real chain of a few blocks in memory: a whole node without network and consensus. */
let dispatcher: Dispatcher<RpcBackend>
let known: Known
const { request, fitting, text } = requestsTo(
  () => known,
  testAccounts.map(({ address }) => address),
)
const log = new LogRecorder()

beforeAll(async () => {
  const crypto = await loadCrypto()
  const node = await openTestNode({ crypto, validators: testValidators(crypto, 4) })
  const raws = await testTransfers(testAccounts[0]!, 0, 7)
  const blocks = [await node.produce(raws.slice(0, 3)), await node.produce(), await node.produce(raws.slice(3, 5))]
  for (const raw of raws.slice(5, 6)) await node.pool.add(raw, 'rpc')
  await appendBlock(node, crypto, [{ raw: raws[6]!, logs: [{ address: EMITTER, topics: [TOPIC], data: new Uint8Array(3) }] }])
  const hashes = blocks.flatMap((block) => [block.hash, ...block.transactions.map(({ hash }) => hash)])
  known = { hashes, raws }
  const backend = testBackend(node, crypto)
  call = testCall(backend, LIMITS).call
  dispatcher = new Dispatcher({
    ...{ backend, methods: rpcMethods, logger: log },
    allowances: { take: () => 0 },
    permission: () => undefined,
    readRefusal: () => undefined,
  })
})

/** A wait for a receipt ends at once. */
const LIMITS = { requestMs: 1, batchItemsMax: 5 }
let call: CallContext

interface Answer {
  readonly jsonrpc: string
  readonly id: unknown
  readonly result?: unknown
  readonly error?: TestError
}

function checkAnswer(answer: Answer, id: unknown): void {
  expect(answer.jsonrpc).toBe('2.0')
  expect(answer.id).toEqual(id)
  expect('result' in answer).toBe(!('error' in answer))
  if (answer.error === undefined) return
  const { data, message } = answer.error
  if ((data as { reason?: string }).reason === 'internal')
    throw new Error(`an internal error is a bug: ${message}; log: ${JSON.stringify(log.lines.at(-1))}`)
  expect(problemOf(answer.error)).toBeUndefined()
  expect(message).toMatch(/\S/)
}

const isId = (id: unknown) => id === null || typeof id === 'string' || typeof id === 'number'

/** The id that the answer to a request must have: the request's id; null if it has no valid one; undefined if no answer is expected. */
function idOf(request: unknown): unknown {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) return null
  const { id, method } = request as { readonly id?: unknown; readonly method?: unknown }
  if (typeof method !== 'string' || (id !== undefined && !isId(id))) return null
  return id
}

async function checkText(text: string): Promise<void> {
  const answered = (await dispatcher.answer(Buffer.from(text), call))?.pieces.join('')
  expect(log.lines).toEqual([])
  let request: unknown
  try {
    request = JSON.parse(text)
  } catch {
    checkAnswer(JSON.parse(answered!) as Answer, null)
    return
  }
  if (!Array.isArray(request)) {
    const id = idOf(request)
    if (id === undefined) expect(answered).toBeUndefined()
    else checkAnswer(JSON.parse(answered!) as Answer, id)
    return
  }
  if (request.length === 0 || request.length > LIMITS.batchItemsMax) {
    checkAnswer(JSON.parse(answered!) as Answer, null)
    return
  }
  const ids = request.map(idOf).filter((id) => id !== undefined)
  if (ids.length === 0) {
    expect(answered).toBeUndefined()
    return
  }
  const answers = JSON.parse(answered!) as Answer[]
  expect(answers.length).toBe(ids.length)
  answers.forEach((answer, i) => {
    checkAnswer(answer, ids[i])
  })
}

describe('JSON-RPC', () => {
  it('answers every request with a result or an error that clients know, never with its own failure', async () => {
    await fuzzAsync(
      fc.asyncProperty(fc.oneof(request, fitting), (json) => checkText(JSON.stringify(json))),
      4_000,
    )
  })

  it('answers each request of a batch', async () => {
    const batch = fc.array(fc.oneof(request, fitting, fc.jsonValue({ maxDepth: 1 })), { maxLength: LIMITS.batchItemsMax + 1 })
    await fuzzAsync(
      fc.asyncProperty(batch, (json) => checkText(JSON.stringify(json))),
      500,
    )
  })

  it('answers any text', async () => {
    await fuzzAsync(fc.asyncProperty(text, checkText), 2_000)
  })

  it('answers nesting beyond any depth', async () => {
    for (const text of ['['.repeat(100_000), `${'['.repeat(5_000)}${']'.repeat(5_000)}`, `{"a":`.repeat(50_000)])
      await checkText(text)
  })
})
