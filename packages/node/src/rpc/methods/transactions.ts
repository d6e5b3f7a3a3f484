import type { Hash, SignedTransaction } from '@quoin/protocol'
import { linkDeadline } from '../../abort.ts'
import { madeOnce } from '../../made-once.ts'
import type { RpcBackend } from '../backend.ts'
import { findAnywhere, findTransaction, type PlacedTransaction, resolveHeight, transactionAt } from '../blocks.ts'
import { RpcError } from '../errors.ts'
import { formatTransaction } from '../format.ts'
import * as forms from '../forms/index.ts'
import { JsonText } from '../json-text.ts'
import { type CallContext, type Methods, method } from '../method.ts'
import { receiptText } from '../receipts.ts'
import { blockNumber, data, hash, looseInteger, quantity } from '../schema.ts'

function receiptByHash(backend: RpcBackend, transaction: Hash, call: CallContext) {
  const found = findTransaction(backend, transaction)
  return found === undefined ? null : receiptText(backend, found, call)
}

const formatPlaced = (found: PlacedTransaction | undefined) =>
  found === undefined ? null : formatTransaction(found.transaction, found)

/** Data size from which on a response yields to other work. */
const LARGE_BYTES = 4_096

/** The JSON of a pending transaction, cached because many clients may ask for it. */
const pendingText = madeOnce(
  (transaction: SignedTransaction) => new JsonText([JSON.stringify(formatTransaction(transaction, undefined))]),
)

async function send(backend: RpcBackend, raw: Uint8Array): Promise<Hash> {
  const result = await backend.submit(raw)
  if (result.ok) return result.value
  throw new RpcError(result.error.code, result.error.message)
}

const SYNC_SEND_MS_DEFAULT = 10_000

/** Waits for the receipt of a submitted transaction (EIP-7966). */
async function waitForReceipt(backend: RpcBackend, transaction: Hash, timeoutMs: number, call: CallContext) {
  const { signal, unlink } = linkDeadline(timeoutMs, [call.signal])
  try {
    do {
      const receipt = receiptByHash(backend, transaction, call)
      if (receipt !== null) return receipt
      await call.shared.receipts.wait(transaction, signal)
    } while (!signal.aborted)
  } finally {
    unlink()
  }
  throw new RpcError(
    'not-included',
    `the transaction was added to the pool but is not in a block after ${timeoutMs} ms`,
    transaction,
  )
}

export const transactionMethods: Methods<RpcBackend> = {
  eth_getTransactionByHash: method(
    { summary: 'A transaction of a block or of the pool, or null.', params: ['hash'], result: forms.orNull(forms.transaction) },
    [hash],
    async (backend: RpcBackend, [transactionHash], call) => {
      const found = await findAnywhere(backend, transactionHash)
      if (found === undefined) return null
      if (found.kind === 'final') return formatPlaced(found.placed)
      // Many calls may have waited for the same answer and now continue together.
      if (found.transaction.data.length > LARGE_BYTES) await call.nextTurn()
      return pendingText(found.transaction)
    },
  ),
  eth_getTransactionByBlockHashAndIndex: method(
    { summary: 'A transaction of a block, or null.', params: ['hash', 'index'], result: forms.orNull(forms.finalTransaction) },
    [hash, quantity],
    (backend: RpcBackend, [blockHash, index]) => formatPlaced(transactionAt(backend, backend.blocks.heightOf(blockHash), index)),
  ),
  eth_getTransactionByBlockNumberAndIndex: method(
    { summary: 'A transaction of a block, or null.', params: ['block', 'index'], result: forms.orNull(forms.finalTransaction) },
    [blockNumber, quantity],
    (backend: RpcBackend, [reference, index]) => formatPlaced(transactionAt(backend, resolveHeight(backend, reference), index)),
  ),
  eth_getTransactionReceipt: method(
    { summary: 'The receipt of a final transaction, or null.', params: ['hash'], result: forms.orNull(forms.receipt) },
    [hash],
    (backend: RpcBackend, [transactionHash], call) => receiptByHash(backend, transactionHash, call),
  ),
  eth_sendRawTransaction: method(
    { summary: 'Sends a signed transaction; answers its hash.', params: ['transaction'], result: forms.hash },
    [data],
    (backend: RpcBackend, [raw]) => send(backend, raw),
  ),
  eth_sendRawTransactionSync: method(
    {
      summary: 'Sends a signed transaction and waits for its receipt (EIP-7966).',
      params: ['transaction', 'timeout'],
      result: forms.receipt,
    },
    [data, looseInteger.optional()],
    async (backend: RpcBackend, [raw, timeoutMs], call) => {
      const transaction = await send(backend, raw)
      const timeout = Math.min(timeoutMs ?? SYNC_SEND_MS_DEFAULT, call.limits.requestMs)
      return waitForReceipt(backend, transaction, timeout, call)
    },
  ),
}
