import { Address, bytesToHex, Hash, type Hex, hexToBytes } from '@quoin/protocol'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadCrypto } from '../../packages/node/src/crypto/load.ts'
import type { RpcBackend } from '../../packages/node/src/rpc/backend.ts'
import { Dispatcher } from '../../packages/node/src/rpc/dispatch.ts'
import { RPC_CODE, SIMULATION_CODE } from '../../packages/node/src/rpc/errors.ts'
import type { CallContext } from '../../packages/node/src/rpc/method.ts'
import { rpcMethods } from '../../packages/node/src/rpc/methods/index.ts'
import { appendBlock } from '../../packages/node/test/blocks.ts'
import { LogRecorder, openTestNode, testAccounts, testTransfers, testValidators } from '../../packages/node/test/chain.ts'
import { testBackend, testCall } from '../../packages/node/test/rpc.ts'
import { mutationOf } from '../../packages/protocol/test/arbitraries.ts'
import { containerOf } from '../contracts/contract.mjs'
import { fuzzAsync } from './fuzz.ts'

/** The methods over a real chain of a few blocks in memory: a whole node without network and consensus. */
let dispatcher: Dispatcher<RpcBackend>
const EMITTER = Address(new Uint8Array(20).fill(0xc0))
const TOPIC = Hash(new Uint8Array(32).fill(0x70))
/** Content of the chain, in the form of the RPC. */
let known: { readonly hashes: readonly Hex[]; readonly raws: readonly Uint8Array[] }
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
  readonly error?: { readonly code: number; readonly message: string }
}

/** EIP-7966: the transaction was sent, but its receipt did not arrive in time. */
const TIMEOUT = 4
const { internal: INTERNAL, ...refusals } = RPC_CODE
const expectedCodes = new Set<number>([...Object.values(refusals), ...Object.values(SIMULATION_CODE), TIMEOUT])

function checkAnswer(answer: Answer, id: unknown): void {
  expect(answer.jsonrpc).toBe('2.0')
  expect(answer.id).toEqual(id)
  expect('result' in answer).toBe(!('error' in answer))
  if (answer.error === undefined) return
  const { code, message } = answer.error
  if (!expectedCodes.has(code))
    throw new Error(`code ${code} (${INTERNAL} is a bug): ${message}; log: ${JSON.stringify(log.lines.at(-1))}`)
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

const name = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...Object.keys(rpcMethods)) },
  { weight: 1, arbitrary: fc.constantFrom('toString', '__proto__', 'constructor', '', 'eth_sign', 'x'.repeat(5_000)) },
)

const quantity = fc.oneof(fc.nat(12), fc.maxSafeNat()).map((n) => `0x${n.toString(16)}`)
const hash = fc.oneof(
  fc.nat(50).map((n) => known.hashes[n % known.hashes.length]!),
  fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytesToHex),
)
const address = fc.oneof(
  fc.constantFrom(...testAccounts.map((account) => account.address)),
  fc.uint8Array({ minLength: 20, maxLength: 20 }).map(bytesToHex),
)
const raw = fc.nat(20).chain((n) => {
  const bytes = known.raws[n % known.raws.length]!
  return fc.oneof(fc.constant(bytes), mutationOf(bytes), fc.uint8Array({ maxLength: 40 })).map(bytesToHex)
})
const tag = fc.constantFrom('latest', 'earliest', 'pending', 'safe', 'finalized', 'newHeads', 'logs', 'newPendingTransactions')
const reference = fc.oneof(
  tag,
  quantity,
  hash,
  fc.record({ blockHash: hash, requireCanonical: fc.boolean() }, { requiredKeys: ['blockHash'] }),
  fc.record({ blockNumber: quantity }),
)
const transactionCall = fc.record(
  { from: address, to: fc.option(address), gas: quantity, value: quantity, data: raw, gasPrice: quantity, nonce: quantity },
  { requiredKeys: [] },
)
const container = bytesToHex(
  containerOf('export default { fallback: (data) => data }', [{ type: 'fallback', stateMutability: 'payable' }]),
)
const code = fc.oneof(
  { weight: 3, arbitrary: fc.constant(container) },
  { weight: 1, arbitrary: mutationOf(hexToBytes(container)).map(bytesToHex) },
  { weight: 1, arbitrary: raw },
)
const stored = fc.dictionary(fc.oneof(hash, raw), fc.oneof(hash, raw), { maxKeys: 2 })
const accountOverride = fc.record(
  {
    balance: quantity,
    nonce: fc.oneof(fc.nat(9), fc.maxSafeNat()).map((n) => `0x${n.toString(16)}`),
    code,
    state: stored,
    stateDiff: stored,
  },
  { requiredKeys: [] },
)
const stateOverride = fc.dictionary(address, accountOverride, { maxKeys: 2 })
const blockOverride = fc.record(
  { number: quantity, time: quantity, gasLimit: quantity, feeRecipient: address, baseFeePerGas: quantity },
  { requiredKeys: [] },
)
const simulation = fc.record(
  {
    blockStateCalls: fc.array(
      fc.record(
        { blockOverrides: blockOverride, stateOverrides: stateOverride, calls: fc.array(transactionCall, { maxLength: 3 }) },
        { requiredKeys: [] },
      ),
      { maxLength: 3 },
    ),
    ...{ validation: fc.boolean(), traceTransfers: fc.boolean(), returnFullTransactions: fc.boolean() },
  },
  { requiredKeys: ['blockStateCalls'] },
)
const traceOption = fc.record(
  {
    tracer: fc.constantFrom('callTracer', 'prestateTracer', 'callTracer', 'prestateTracer', '4byteTracer'),
    tracerConfig: fc.dictionary(
      fc.constantFrom('onlyTopCall', 'withLog', 'diffMode', 'disableCode', 'disableStorage', 'includeEmpty'),
      fc.boolean(),
      { maxKeys: 2 },
    ),
    timeout: fc.constantFrom('5s', '1m', '0s', '5', '1ns'),
    txIndex: quantity,
    stateOverrides: stateOverride,
    blockOverrides: blockOverride,
  },
  { requiredKeys: ['tracer'] },
)
const topic = fc.oneof(fc.constant(TOPIC as Hex), hash)
const logQuery = fc.record(
  {
    fromBlock: fc.oneof(tag, quantity),
    toBlock: fc.oneof(tag, quantity),
    blockHash: hash,
    address: fc.oneof(fc.constant(EMITTER), address, fc.array(address, { maxLength: 3 }), fc.constant(null)),
    topics: fc.array(fc.oneof(fc.constant(null), topic, fc.array(fc.option(topic), { maxLength: 2 })), { maxLength: 5 }),
  },
  { requiredKeys: [] },
)
/** Numbered as by `countingRandom`. */
const filterId = fc.nat(40).map((n) => `0x${'ab'.repeat(12)}${n.toString(16).padStart(8, '0')}`)
const nonsense = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom('0x', '0x0', '0x00', '0x01', '-0x1', '0X1', `0x${'f'.repeat(65)}`, 'Latest', 1e308, -0, [], {}, [null]),
)
const param = fc.oneof(
  { weight: 3, arbitrary: reference },
  { weight: 2, arbitrary: hash },
  { weight: 2, arbitrary: address },
  { weight: 2, arbitrary: raw },
  { weight: 2, arbitrary: transactionCall },
  { weight: 1, arbitrary: logQuery },
  { weight: 1, arbitrary: filterId },
  { weight: 1, arbitrary: fc.boolean() },
  { weight: 1, arbitrary: fc.array(fc.nat(110), { maxLength: 3 }) },
  { weight: 2, arbitrary: nonsense },
)
const params = fc.oneof({ weight: 9, arbitrary: fc.array(param, { maxLength: 4 }) }, { weight: 1, arbitrary: nonsense })
const id = fc.oneof({ weight: 6, arbitrary: fc.nat(9) }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }) })
const request = fc.record({ jsonrpc: fc.constant('2.0'), id, method: name, params }, { requiredKeys: ['jsonrpc', 'method'] })

/** Calls with valid parameters for their method, so that the code after the checks is reached too. */
const fitting = fc
  .oneof(
    fc.tuple(fc.constantFrom('eth_getBlockByNumber'), fc.tuple(fc.oneof(tag, quantity), fc.boolean())),
    fc.tuple(fc.constantFrom('eth_getBlockByHash'), fc.tuple(hash, fc.boolean())),
    fc.tuple(fc.constantFrom('eth_getBlockReceipts', 'eth_getBlockTransactionCountByNumber'), fc.tuple(fc.oneof(tag, quantity))),
    fc.tuple(
      fc.constantFrom('eth_getTransactionByHash', 'eth_getTransactionReceipt', 'eth_getBlockTransactionCountByHash'),
      fc.tuple(hash),
    ),
    fc.tuple(fc.constantFrom('debug_traceTransaction', 'debug_traceBlockByHash'), fc.tuple(hash, traceOption)),
    fc.tuple(fc.constantFrom('debug_traceBlockByNumber'), fc.tuple(fc.oneof(tag, quantity), traceOption)),
    fc.tuple(fc.constantFrom('debug_traceCall'), fc.tuple(transactionCall, reference, traceOption)),
    fc.tuple(fc.constantFrom('eth_getTransactionByBlockHashAndIndex'), fc.tuple(hash, quantity)),
    fc.tuple(fc.constantFrom('eth_getTransactionByBlockNumberAndIndex'), fc.tuple(fc.oneof(tag, quantity), quantity)),
    fc.tuple(fc.constantFrom('eth_getBalance', 'eth_getTransactionCount', 'eth_getCode'), fc.tuple(address, reference)),
    fc.tuple(fc.constantFrom('eth_getStorageAt'), fc.tuple(address, raw, reference)),
    fc.tuple(fc.constantFrom('eth_getLogs', 'eth_newFilter'), fc.tuple(logQuery)),
    fc.tuple(fc.constantFrom('eth_newBlockFilter', 'eth_newPendingTransactionFilter'), fc.tuple()),
    fc.tuple(fc.constantFrom('eth_getFilterChanges', 'eth_getFilterLogs', 'eth_uninstallFilter'), fc.tuple(filterId)),
    fc.tuple(
      fc.constantFrom('eth_call', 'eth_estimateGas'),
      fc.oneof(fc.tuple(transactionCall, reference), fc.tuple(transactionCall, reference, stateOverride, blockOverride)),
    ),
    fc.tuple(fc.constantFrom('eth_simulateV1'), fc.tuple(simulation, reference)),
    fc.tuple(
      fc.constantFrom('eth_getStorageValues'),
      fc.tuple(fc.dictionary(address, fc.array(raw, { maxLength: 3 }), { maxKeys: 2 }), reference),
    ),
    fc.tuple(fc.constantFrom('eth_sendRawTransaction', 'eth_sendRawTransactionSync'), fc.tuple(raw)),
    fc.tuple(fc.constantFrom('debug_getRawHeader', 'debug_getRawBlock', 'debug_getRawReceipts'), fc.tuple(reference)),
    fc.tuple(fc.constantFrom('eth_getRawTransactionByHash', 'debug_getRawTransaction'), fc.tuple(hash)),
    fc.tuple(fc.constantFrom('eth_fillTransaction', 'eth_createAccessList'), fc.tuple(transactionCall)),
    fc.tuple(fc.constantFrom('txpool_contentFrom'), fc.tuple(address)),
    fc.tuple(
      fc.constantFrom('eth_feeHistory'),
      fc.tuple(fc.oneof(fc.nat(2_000), quantity), fc.oneof(tag, quantity), fc.array(fc.nat(100), { maxLength: 3 })),
    ),
  )
  .map(([method, given]) => ({ jsonrpc: '2.0', id: 1, method, params: given }))

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
    const near = fc.oneof(request, fitting).chain((json) => mutationOf(new TextEncoder().encode(JSON.stringify(json))))
    const text = fc.oneof(
      fc.string(),
      fc.jsonValue().map((json) => JSON.stringify(json)),
      near.map((bytes) => new TextDecoder().decode(bytes)),
    )
    await fuzzAsync(fc.asyncProperty(text, checkText), 2_000)
  })

  it('answers nesting beyond any depth', async () => {
    for (const text of ['['.repeat(100_000), `${'['.repeat(5_000)}${']'.repeat(5_000)}`, `{"a":`.repeat(50_000)])
      await checkText(text)
  })
})
