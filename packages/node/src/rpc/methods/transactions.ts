import type { Hash } from '@quoin/protocol'
import type { RpcBackend, RpcBlock } from '../backend.ts'
import { loadBlock, loadTransaction, resolveHeight } from '../blocks.ts'
import { RPC_CODE, RpcError } from '../errors.ts'
import { formatReceipt, formatTransaction } from '../format.ts'
import { type Methods, method } from '../method.ts'
import { receiptContexts } from '../receipts.ts'
import { blockNumber, data, hash, looseInteger, quantity } from '../schema.ts'

function receiptOf(backend: RpcBackend, transaction: Hash) {
  const found = loadTransaction(backend, transaction)
  if (found === undefined) return null
  const receipts = backend.blocks.receipts(found.block.header.number) ?? []
  const context = receiptContexts(backend, found.block, receipts)[found.index]
  return context === undefined ? null : formatReceipt(receipts[found.index]!, context)
}

function atIndex(block: RpcBlock | undefined, index: number) {
  const transaction = block?.transactions[index]
  return block === undefined || transaction === undefined ? null : formatTransaction(transaction, { block, index })
}

async function send(backend: RpcBackend, raw: Uint8Array): Promise<Hash> {
  const result = await backend.submit(raw)
  if (result.ok) return result.value
  throw new RpcError(RPC_CODE.transactionRejected, result.error.message)
}

const SYNC_SEND_MS_DEFAULT = 10_000

/** Waits for the receipt of a transaction that was sent (EIP-7966). */
async function waitForReceipt(backend: RpcBackend, transaction: Hash, timeoutMs: number, signal: AbortSignal) {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  const from = { height: backend.blocks.head.header.number, index: 0 }
  for await (const _ of backend.feed.subscribe(() => [{ index: 0, value: undefined }], from, deadline)) {
    const receipt = receiptOf(backend, transaction)
    if (receipt !== null) return receipt
  }
  throw new RpcError(4, `the transaction was added to the pool but is not in a block after ${timeoutMs} ms`, transaction)
}

export const transactionMethods: Methods<RpcBackend> = {
  eth_getTransactionByHash: method([hash], (backend: RpcBackend, [transactionHash]) => {
    const found = loadTransaction(backend, transactionHash)
    if (found !== undefined) return atIndex(found.block, found.index)
    const pending = backend.pool.get(transactionHash)
    return pending === undefined ? null : formatTransaction(pending, undefined)
  }),
  eth_getTransactionByBlockHashAndIndex: method([hash, quantity], (backend: RpcBackend, [blockHash, index]) => {
    const height = backend.blocks.heightOf(blockHash)
    return atIndex(height === undefined ? undefined : loadBlock(backend, height), index)
  }),
  eth_getTransactionByBlockNumberAndIndex: method([blockNumber, quantity], (backend: RpcBackend, [reference, index]) => {
    const height = resolveHeight(backend, reference)
    return atIndex(height === undefined ? undefined : loadBlock(backend, height), index)
  }),
  eth_getTransactionReceipt: method([hash], (backend: RpcBackend, [transactionHash]) => receiptOf(backend, transactionHash)),
  eth_sendRawTransaction: method([data], (backend: RpcBackend, [raw]) => send(backend, raw)),
  eth_sendRawTransactionSync: method([data, looseInteger.optional()], async (backend: RpcBackend, [raw, timeoutMs], call) => {
    const transaction = await send(backend, raw)
    const timeout = Math.min(timeoutMs ?? SYNC_SEND_MS_DEFAULT, call.limits.requestMs)
    return waitForReceipt(backend, transaction, timeout, call.signal)
  }),
}
