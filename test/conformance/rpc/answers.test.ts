import { once } from 'node:events'
import { Ajv, type ValidateFunction } from 'ajv'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import * as forms from '../../../packages/node/src/rpc/forms/index.ts'
import { rpcMethods } from '../../../packages/node/src/rpc/methods/index.ts'
import { crypto } from '../../../packages/node/test/fixture.ts'
import { compiler, documentOf } from '../../../packages/node/test/openrpc.ts'
import { serveTestNode, type TestAnswer } from '../../../packages/node/test/rpc.ts'
import { METHODS, NOT_SERVED, UNSPECIFIED } from './methods.ts'
import { openScene, type Scene, tokenCall } from './scene.ts'

/**
 * Calls every method of the node. Answers must have the forms that `rpc.discover` describes. These are those of execution-apis, except where
 * `methods.ts` has another one; parameters are compared with `schemas.ts`. A difference that is not listed here fails, and so does a listed one
 * that is not there.
 */
const DIFFERENCES: Readonly<Record<string, string>> = {
  'eth_getBlockReceipts result /*: revertReason is not specified': 'the return data of a failed transaction, as in Besu',
  'eth_getTransactionReceipt result : revertReason is not specified': 'the same',
  'eth_getTransactionByHash result /blockHash: must be string': 'a waiting transaction, as in go-ethereum',
  'eth_getTransactionByHash result /blockNumber: must be string': 'the same',
  'eth_getTransactionByHash result /blockTimestamp: must be string': 'the same',
  'eth_getTransactionByHash result /transactionIndex: must be string': 'the same',
  'debug_getRawTransaction result : must be string': 'null for an unknown transaction: no bytes encode one',
  'eth_call param 0 : data is not specified': 'the older name of input, which most clients send',
  'eth_call params: 4 are given': 'state and block overrides, as in go-ethereum',
  'eth_getBalance param 1 : must be equal to one of the allowed values': 'EIP-1898',
  'eth_getBlockByNumber params: 1 are given': 'the second parameter may be left out: hashes only',
  'eth_getStorageAt param 1 : must match pattern "^0x[0-9a-f]{0,64}$"': 'contracts choose their keys, up to 128 bytes',
  'eth_feeHistory param 0 : must be string': 'some clients send a number',
  'eth_feeHistory params: 2 are given': 'the percentiles may be left out',
}

type Params = readonly unknown[]

const UNKNOWN = `0x${'d'.repeat(64)}`
const TRANSFER_TOPIC = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'

/** Parameters of the calls of each method. */
function callsOf(scene: Scene): Readonly<Record<string, readonly Params[]>> {
  const { token, alice, bob, final, pending, blockHash } = scene
  const hashes = [...Object.values(final), UNKNOWN].map((one) => [one])
  const numbers = [['0x0'], ['0x2'], ['latest'], ['earliest'], ['pending'], ['safe'], ['finalized']]
  const blocks = [...numbers, [blockHash]]
  const ofAccount = (...rest: Params): Params[] => [
    [token, ...rest],
    [alice, ...rest, 'latest'],
    [bob, ...rest, blockHash],
    [alice, ...rest, '0x1'],
  ]
  const read = { from: alice, to: token, input: tokenCall('balanceOf', [alice]) }
  const change = { from: alice, to: token, input: tokenCall('transfer', [bob, 1n]) }
  const fails = { from: bob, to: token, input: tokenCall('transfer', [alice, 5_000n]), gas: '0x4c4b40' }
  const filters = [
    { fromBlock: '0x0', toBlock: 'latest' },
    { address: token, topics: [TRANSFER_TOPIC, null, [`0x${'0'.repeat(24)}${bob.slice(2)}`]], fromBlock: 'earliest' },
    { address: [token, alice], topics: null, fromBlock: 'latest', toBlock: 'latest' },
  ]
  const nothing = [[]]
  return {
    eth_chainId: nothing,
    eth_syncing: nothing,
    eth_coinbase: nothing,
    eth_accounts: nothing,
    eth_blockNumber: nothing,
    eth_config: nothing,
    eth_capabilities: nothing,
    net_version: nothing,
    net_listening: nothing,
    net_peerCount: nothing,
    web3_clientVersion: nothing,
    web3_sha3: [['0x1234']],
    rpc_modules: nothing,
    'rpc.discover': nothing,
    eth_mining: nothing,
    eth_hashrate: nothing,
    eth_protocolVersion: nothing,
    eth_getBlockByHash: [
      [blockHash, false],
      [blockHash, true],
      [UNKNOWN, true],
    ],
    eth_getBlockByNumber: [
      ...numbers.flatMap(([block]) => [
        [block, false],
        [block, true],
      ]),
      ['0xffff', false],
      ['latest'],
    ],
    eth_getBlockTransactionCountByHash: [[blockHash], [UNKNOWN]],
    eth_getBlockTransactionCountByNumber: [...numbers, ['0xffff']],
    eth_getBlockReceipts: [...blocks, ['0x1'], [UNKNOWN]],
    eth_getUncleCountByBlockNumber: numbers,
    eth_getUncleCountByBlockHash: [[blockHash]],
    eth_getUncleByBlockNumberAndIndex: [['0x1', '0x0']],
    eth_getUncleByBlockHashAndIndex: [[blockHash, '0x0']],
    debug_getRawHeader: numbers,
    debug_getRawBlock: numbers,
    debug_getRawReceipts: [...numbers, ['0x1']],
    debug_getRawTransaction: [...hashes, [pending]],
    eth_getRawTransactionByHash: hashes,
    eth_getRawTransactionByBlockHashAndIndex: [[blockHash, '0x0']],
    eth_getRawTransactionByBlockNumberAndIndex: [['0x2', '0x1']],
    eth_getTransactionByHash: [...hashes, [pending]],
    eth_getTransactionByBlockHashAndIndex: [
      [blockHash, '0x0'],
      [blockHash, '0x1'],
      [blockHash, '0x2'],
      [blockHash, '0x3'],
    ],
    eth_getTransactionByBlockNumberAndIndex: [
      ['0x1', '0x0'],
      ['latest', '0x2'],
      ['0x1', '0x1'],
    ],
    eth_getTransactionReceipt: [...hashes, [pending]],
    eth_fillTransaction: [
      [{ from: alice, to: bob, value: '0x1' }],
      [{ from: alice, to: bob, gasPrice: '0x12a05f200' }],
      [{ from: alice, to: bob, gasPrice: '0x12a05f200', accessList: [{ address: token, storageKeys: [] }] }],
      [{ from: alice, to: null, input: '0x', gas: '0xf4240' }],
    ],
    eth_getBalance: [...ofAccount(), [alice, { blockHash, requireCanonical: true }]],
    eth_getCode: ofAccount(),
    eth_getTransactionCount: [...ofAccount(), [alice, 'pending']],
    eth_getStorageAt: [...ofAccount('0x0'), ...ofAccount(`0x${'0'.repeat(64)}`), [token, `0x${'ab'.repeat(40)}`, 'latest']],
    eth_getStorageValues: [[{ [token]: ['0x0', '0x01'], [alice]: ['0x'] }], [{ [bob]: [`0x${'0'.repeat(64)}`] }, blockHash]],
    eth_call: [
      [read],
      [read, 'latest'],
      [read, blockHash],
      [{ ...read, maxFeePerGas: '0x0', nonce: '0x5', type: '0x2', accessList: [] }, 'earliest'],
      [{ to: token, data: read.input }, 'latest'],
      [read, 'latest', { [alice]: { balance: '0x1' } }, { number: '0x20' }],
    ],
    eth_estimateGas: [[change], [change, 'latest'], [{ from: alice, to: bob, value: '0x1' }, '0x1']],
    eth_createAccessList: [[change], [fails, 'latest'], [{ from: alice, to: bob }, '0x0']],
    eth_simulateV1: [
      [{ blockStateCalls: [{}] }],
      [
        {
          blockStateCalls: [
            {
              blockOverrides: {
                number: '0x5',
                time: '0x6b49d200',
                baseFeePerGas: '0x1',
                feeRecipient: bob,
                prevRandao: '0x1234',
              },
              stateOverrides: { [bob]: { balance: '0x100000000000000', nonce: '0x7', stateDiff: {} } },
              calls: [read, change, fails, { from: bob, to: alice, value: '0x1', maxFeePerGas: '0x2' }, { from: bob }],
            },
            {
              calls: [
                { ...change, gas: '0x7530' },
                { from: alice, to: bob, gasPrice: '0x0' },
              ],
            },
          ],
          ...{ traceTransfers: true, returnFullTransactions: true },
        },
        'latest',
      ],
      [
        { blockStateCalls: [{ calls: [{ ...change, maxFeePerGas: '0x2540be400', gas: '0x4c4b40' }] }], validation: true },
        blockHash,
      ],
    ],
    eth_gasPrice: nothing,
    eth_baseFee: nothing,
    eth_blobBaseFee: nothing,
    eth_maxPriorityFeePerGas: nothing,
    eth_feeHistory: [
      ['0x3', 'latest', [10, 50.5, 90]],
      ['0x1', '0x0', []],
      [2, 'latest', []],
      ['0x2', 'latest'],
    ],
    eth_newBlockFilter: nothing,
    eth_newPendingTransactionFilter: nothing,
    eth_newFilter: filters.map((filter) => [filter]),
    eth_getLogs: [
      ...filters.map((filter) => [filter]),
      [{ blockHash }],
      [{ blockHash, address: token, topics: [[TRANSFER_TOPIC]] }],
    ],
    quoin_getStream: ['blocks', 'logs', 'transactions', 'receipts'].map((stream) => [{ stream, from: { block: 0 } }]),
    quoin_evidence: [[], [blockHash]],
    quoin_organisations: [[], [{ limit: 1 }]],
    quoin_accounts: [[], [{ after: alice }]],
    quoin_nodes: [[{}], [{ after: '12D3KooW' }]],
    quoin_validators: nothing,
    quoin_getProof: [
      [token, ['0x00'], 'latest'],
      [alice, [], blockHash],
    ],
    debug_traceTransaction: Object.values(final).flatMap((one) => [
      [one, { tracer: 'callTracer', tracerConfig: { withLog: true }, timeout: '5s' }],
      [one, { tracer: 'prestateTracer', tracerConfig: { diffMode: true } }],
    ]),
    debug_traceBlockByNumber: [
      ['0x1', { tracer: 'callTracer' }],
      ['latest', { tracer: 'prestateTracer' }],
    ],
    debug_traceBlockByHash: [[blockHash, { tracer: 'callTracer' }]],
    debug_traceCall: [[change, 'latest', { tracer: 'callTracer' }]],
    erigon_getHeaderByNumber: [['0x2']],
    ots_getApiLevel: nothing,
    ots_hasCode: [[token], [alice, 'latest']],
    ots_getBlockDetails: [['0x2']],
    ots_getBlockDetailsByHash: [[blockHash]],
    ots_getBlockTransactions: [['0x2', 0, 10]],
    ots_searchTransactionsBefore: [[alice, 0, 25]],
    ots_searchTransactionsAfter: [[token, 0, 25]],
    ots_getTransactionBySenderAndNonce: [[alice, 1]],
    ots_getContractCreator: [[token], [alice]],
    ots_traceTransaction: hashes,
    ots_getInternalOperations: hashes,
    ots_getTransactionError: hashes,
    txpool_status: nothing,
    txpool_content: nothing,
    txpool_contentFrom: [[alice], [bob]],
    txpool_inspect: nothing,
  }
}

const ajv = new Ajv({ strict: false, allErrors: true })

/** What is wrong with a value, without the positions in lists. */
function problemsOf(validate: ValidateFunction, value: unknown): readonly string[] {
  if (validate(value)) return []
  return (validate.errors ?? [])
    .filter(({ keyword }) => keyword !== 'if')
    .map(({ instancePath, keyword, message, params }) => {
      const path = instancePath.replaceAll(/\/\d+(?=\/|$)/g, '/*')
      return `${path}: ${keyword === 'additionalProperties' ? `${params['additionalProperty']} is not specified` : message}`
    })
}

describe('a node and execution-apis', () => {
  let scene: Scene
  const found = new Set<string>()
  const called = new Set<string>()
  let calls: Readonly<Record<string, readonly Params[]>>
  /** Checks of results by the answer of `rpc.discover`. */
  let described: ReadonlyMap<string, ValidateFunction>

  beforeAll(async () => {
    scene = await openScene()
    const document = await documentOf(rpcMethods)
    const compile = compiler(document)
    described = new Map(document.methods.map(({ name }, i) => [name, compile(`methods/${i}/result/schema`)]))
    calls = callsOf(scene)
  })

  afterAll(() => scene.rpc.server.close())

  /** Compares an answer with the node's description of the method, and the call and its answer with execution-apis. Returns the result. */
  function compare(name: string, params: Params, { result, error }: TestAnswer): unknown {
    called.add(name)
    expect(error, `${name} ${JSON.stringify(params)}`).toBeUndefined()
    expect(problemsOf(described.get(name)!, result), `${name} ${JSON.stringify(params)}`).toEqual([])
    const form = METHODS[name]
    if (form === undefined) {
      expect(UNSPECIFIED.has(name), name).toBe(true)
      return result
    }
    const { required = form.params.length } = form
    if (params.length < required || params.length > form.params.length) found.add(`${name} params: ${params.length} are given`)
    for (const [i, schema] of form.params.entries())
      if (i < params.length)
        for (const problem of problemsOf(ajv.compile(schema), params[i])) found.add(`${name} param ${i} ${problem}`)
    const own = form.result === undefined ? [] : problemsOf(ajv.compile(form.result), result)
    for (const problem of own) found.add(`${name} result ${problem}`)
    return result
  }

  const ask = async (name: string, ...params: Params): Promise<unknown> =>
    compare(name, params, await scene.rpc.call(name, ...params))

  it('name the same methods, except those that are listed', () => {
    const specified = [...Object.keys(METHODS), ...Object.keys(NOT_SERVED)]
    expect(
      Object.keys(rpcMethods)
        .filter((name) => !UNSPECIFIED.has(name) && !Object.hasOwn(NOT_SERVED, name))
        .sort(),
    ).toEqual(Object.keys(METHODS).sort())
    expect([...UNSPECIFIED].filter((name) => !Object.hasOwn(rpcMethods, name))).toEqual([])
    // The numbers in the OpenRPC document, without engine_ and testing_.
    expect(new Set(specified).size).toBe(specified.length)
    expect(specified).toHaveLength(57)
  })

  it('a method that is not served is unknown, also if its refusal names another one', async () => {
    for (const name of Object.keys(NOT_SERVED)) {
      expect((await scene.rpc.call(name, scene.alice, [], 'latest')).error, name).toMatchObject({ code: -32601 })
      called.add(name)
    }
  })

  it('agree on the form of all calls that read', async () => {
    for (const [name, list] of Object.entries(calls)) for (const params of list) await ask(name, ...params)
    const full = (await ask('eth_getBlockByNumber', '0x2', true)) as { transactions: { type: string }[] }
    // Otherwise the forms of some transactions would not have been compared.
    expect(full.transactions.map(({ type }) => type)).toEqual(['0x0', '0x1', '0x2'])
  })

  it('every refusal has a reason, scope and code of the closed list', async () => {
    const tracer = { tracer: 'callTracer' }
    const wrong: readonly Params[] = [
      [UNKNOWN, tracer],
      ['0x0', tracer],
      [],
      ['x'],
      [{}],
      ['0xffffff'],
      [UNKNOWN],
      [UNKNOWN, {}],
      ['0x1', '0xffffff'],
      [[], [], [], [], []],
    ]
    const reasons = new Set<unknown>()
    for (const name of Object.keys(rpcMethods))
      for (const params of wrong) {
        // Rejects for an error that is not as the list says.
        const { error } = await scene.rpc.call(name, ...params)
        reasons.add((error?.data as { reason?: string } | undefined)?.reason)
      }
    expect(reasons).toEqual(
      new Set([
        ...[undefined, 'invalid-params', 'method-not-found', 'malformed', 'block-not-found', 'filter-not-found'],
        ...['not-traceable', 'transaction-not-found'],
      ]),
    )
  })

  it('agree on the form of filters and their changes', async () => {
    const ids = [
      await ask('eth_newFilter', { address: scene.token }),
      await ask('eth_newBlockFilter'),
      await ask('eth_newPendingTransactionFilter'),
    ]
    const raw = await scene.next()
    await ask('eth_sendRawTransaction', raw)
    await scene.node.produce()
    await ask('eth_sendRawTransactionSync', raw, '0x1388')
    for (const id of ids) await ask('eth_getFilterChanges', id)
    await ask('eth_getFilterLogs', await ask('eth_newFilter', { address: scene.token, fromBlock: '0x0' }))
    for (const id of [...ids, '0x1']) await ask('eth_uninstallFilter', id)
  })

  it('agree on the form of the state of a sync', async () => {
    const rpc = await serveTestNode(scene.node, crypto, {}, { backend: { syncing: () => ({ current: 3, highest: 90 }) } })
    compare('eth_syncing', [], await rpc.call('eth_syncing'))
    await rpc.server.close()
  })

  it('agree on the form of the items of streams', async () => {
    const ofItems = { blocks: forms.header, logs: forms.log, transactions: forms.finalTransaction, receipts: forms.receipt }
    for (const [stream, form] of Object.entries(ofItems)) {
      const { items } = (await ask('quoin_getStream', { stream, from: { block: 0 } })) as { readonly items: readonly unknown[] }
      expect(items.length, stream).toBeGreaterThan(1)
      const validate = ajv.compile(form)
      expect(
        items.flatMap((one) => problemsOf(validate, one)),
        stream,
      ).toEqual([])
    }
  })

  it('subscriptions answer over a WebSocket', async () => {
    const socket = new WebSocket(scene.rpc.socketUrl)
    await once(socket, 'open')
    const overSocket = async (name: string, ...params: Params) => {
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: name, params }))
      const [message] = (await once(socket, 'message')) as [Buffer]
      return compare(name, params, JSON.parse(message.toString()) as TestAnswer)
    }
    expect(await overSocket('eth_unsubscribe', await overSocket('eth_subscribe', 'newHeads'))).toBe(true)
    const stream = await overSocket('quoin_subscribe', { stream: 'blocks' })
    expect(await overSocket('quoin_acknowledge', stream, 0)).toBe(true)
    expect(await overSocket('quoin_unsubscribe', stream)).toBe(true)
    socket.close()
    await once(socket, 'close')
  })

  it('differ in what is listed, and in nothing else; every method was called', () => {
    expect([...found].sort()).toEqual(Object.keys(DIFFERENCES).sort())
    expect(Object.keys(rpcMethods).filter((name) => !called.has(name))).toEqual([])
  })
})
