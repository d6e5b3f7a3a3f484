import { Address, bytesToHex, Hash, type Hex, hexToBytes } from '@quoin/protocol'
import fc from 'fast-check'
import { rpcMethods } from '../../packages/node/src/rpc/methods/index.ts'
import { mutationOf } from '../../packages/protocol/test/arbitraries.ts'
import { containerOf } from '../contracts/contract.mjs'

/** Content of the chain that is asked, so that some requests find something. */
export interface Known {
  readonly hashes: readonly Hex[]
  /** Transactions that the chain accepts, accepted before or would have accepted earlier. */
  readonly raws: readonly Uint8Array[]
}

/** Address and topic of the logs that a chain may have for the log queries. */
export const EMITTER = Address(new Uint8Array(20).fill(0xc0))
export const TOPIC = Hash(new Uint8Array(32).fill(0x70))

/** Requests of clients that know the names of the methods, and some content and accounts of the chain. `known` is asked for each request. */
export function requestsTo(known: () => Known, accounts: readonly Hex[]) {
  const name = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...Object.keys(rpcMethods)) },
    { weight: 1, arbitrary: fc.constantFrom('toString', '__proto__', 'constructor', '', 'eth_sign', 'x'.repeat(5_000)) },
  )

  const quantity = fc.oneof(fc.nat(12), fc.maxSafeNat()).map((n) => `0x${n.toString(16)}`)
  const hash = fc.oneof(
    fc.nat(50).map((n) => known().hashes[n % known().hashes.length]!),
    fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytesToHex),
  )
  const address = fc.oneof(fc.constantFrom(...accounts), fc.uint8Array({ minLength: 20, maxLength: 20 }).map(bytesToHex))
  const raw = fc.nat(20).chain((n) => {
    const { raws } = known()
    const bytes = raws[n % raws.length]!
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
      fc.tuple(
        fc.constantFrom('eth_getBlockReceipts', 'eth_getBlockTransactionCountByNumber'),
        fc.tuple(fc.oneof(tag, quantity)),
      ),
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

  /** Nearly a request, and any text. */
  const near = fc.oneof(request, fitting).chain((json) => mutationOf(new TextEncoder().encode(JSON.stringify(json))))
  const text = fc.oneof(
    fc.string(),
    fc.jsonValue().map((json) => JSON.stringify(json)),
    near.map((bytes) => new TextDecoder().decode(bytes)),
  )
  return { request, fitting, text }
}
