import type { SignedTransaction } from '@quoin/protocol'
import { z } from 'zod'
import type { StoredHeader } from '../../store/types.ts'
import type { RpcBackend } from '../backend.ts'
import { invalidParams, RPC_CODE, RpcError } from '../errors.ts'
import { formatHeader, formatTransaction } from '../format.ts'
import { type CallContext, type Connection, type Methods, method } from '../method.ts'

const kind = z.enum(['newHeads', 'newPendingTransactions'], {
  error: 'must be one of newHeads, newPendingTransactions',
})

const heads = (block: StoredHeader) => [{ index: 0, value: block }]

async function pushHeads(backend: RpcBackend, connection: Connection, id: string, signal: AbortSignal): Promise<void> {
  for await (const { value } of backend.feed.subscribe(heads, 'next', signal)) await connection.notify(id, formatHeader(value))
}

async function pushPending(
  backend: RpcBackend,
  connection: Connection,
  id: string,
  signal: AbortSignal,
  full: boolean,
): Promise<void> {
  const form = (transaction: SignedTransaction) => (full ? formatTransaction(transaction, undefined) : transaction.hash)
  for await (const transaction of backend.feed.pending(signal)) await connection.notify(id, form(transaction))
}

function requireConnection(call: CallContext): Connection {
  if (call.connection === undefined)
    throw new RpcError(RPC_CODE.methodNotFound, 'notifications not supported: subscribe over a WebSocket')
  return call.connection
}

export const subscriptionMethods: Methods<RpcBackend> = {
  eth_subscribe: method([kind, z.boolean().default(false)], (backend: RpcBackend, [name, full], call) => {
    const connection = requireConnection(call)
    const { subscriptionsPerConnectionMax: max } = call.limits
    return connection.subscribe(max, (id, signal) =>
      name === 'newHeads' ? pushHeads(backend, connection, id, signal) : pushPending(backend, connection, id, signal, full),
    )
  }),
  eth_unsubscribe: method([z.string()], (_: RpcBackend, [id], call) => {
    if (!requireConnection(call).unsubscribe(id)) throw invalidParams(`no subscription ${id.slice(0, 40)} on this connection`)
    return true
  }),
}
