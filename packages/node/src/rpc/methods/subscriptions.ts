import type { SignedTransaction } from '@quoin/protocol'
import { z } from 'zod'
import type { Projection } from '../../feed/types.ts'
import type { StoredHeader } from '../../store/types.ts'
import type { RpcBackend } from '../backend.ts'
import { invalidParams, RPC_CODE, RpcError } from '../errors.ts'
import { formatHeader, formatLog, formatTransaction } from '../format.ts'
import type { LogMatcher } from '../log-matcher.ts'
import { logCriteria, logMatcher } from '../log-query.ts'
import { logsOfBlock, type PlacedLog } from '../logs.ts'
import { type CallContext, type Connection, describe, type Methods, method } from '../method.ts'

const KINDS = ['newHeads', 'logs', 'newPendingTransactions'] as const
const kind = z.enum(KINDS, { error: `must be one of ${KINDS.join(', ')}` })

const heads = (block: StoredHeader) => [{ index: 0, value: block }]

async function pushHeads(backend: RpcBackend, connection: Connection, id: string, signal: AbortSignal): Promise<void> {
  for await (const { value } of backend.feed.subscribe(heads, 'next', signal)) await connection.notify(id, formatHeader(value))
}

async function pushLogs(
  backend: RpcBackend,
  connection: Connection,
  id: string,
  signal: AbortSignal,
  matcher: LogMatcher,
): Promise<void> {
  const matching: Projection<PlacedLog> = (block, reader) =>
    matcher.mayMatch(block.header.logsBloom)
      ? logsOfBlock(reader, block, matcher).map((placed) => ({ index: placed.logIndex, value: placed }))
      : []
  for await (const { value } of backend.feed.subscribe(matching, 'next', signal))
    await connection.notify(id, formatLog(value.log, value))
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

/** Logs from the next block on. What the matcher holds is given back when the stream has ended. */
function subscribeLogs(backend: RpcBackend, connection: Connection, given: unknown, call: CallContext): string {
  const { limits, shared, identity } = call
  const criteria = logCriteria.safeParse(given ?? {})
  if (!criteria.success) throw invalidParams(`invalid param 1: ${describe(criteria.error)}`)
  const matcher = logMatcher(backend.crypto, criteria.data, limits)
  const release = shared.takeTerms(identity.remote, matcher.terms)
  try {
    return connection.subscribe(limits.subscriptionsPerConnectionMax, (id, signal) =>
      pushLogs(backend, connection, id, signal, matcher).finally(release),
    )
  } catch (refusal) {
    release()
    throw refusal
  }
}

function subscribePending(backend: RpcBackend, connection: Connection, given: unknown, { limits }: CallContext): string {
  const full = z.boolean({ error: 'must be true or false' }).default(false).safeParse(given)
  if (!full.success) throw invalidParams(`invalid param 1: ${describe(full.error)}`)
  return connection.subscribe(limits.subscriptionsPerConnectionMax, (id, signal) =>
    pushPending(backend, connection, id, signal, full.data),
  )
}

export const subscriptionMethods: Methods<RpcBackend> = {
  eth_subscribe: method([kind, z.unknown()], (backend: RpcBackend, [name, given], call) => {
    const connection = requireConnection(call)
    switch (name) {
      case 'logs':
        return subscribeLogs(backend, connection, given, call)
      case 'newPendingTransactions':
        return subscribePending(backend, connection, given, call)
      case 'newHeads':
        return connection.subscribe(call.limits.subscriptionsPerConnectionMax, (id, signal) =>
          pushHeads(backend, connection, id, signal),
        )
    }
  }),
  eth_unsubscribe: method([z.string()], (_: RpcBackend, [id], call) => {
    if (!requireConnection(call).unsubscribe(id)) throw invalidParams(`no subscription ${id.slice(0, 40)} on this connection`)
    return true
  }),
}
