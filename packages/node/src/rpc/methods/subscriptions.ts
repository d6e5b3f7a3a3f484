import type { Height } from '@quoin/protocol'
import { z } from 'zod'
import type { RpcBackend } from '../backend.ts'
import { RpcError } from '../errors.ts'
import { formatHeader, formatTransaction } from '../format.ts'
import * as forms from '../forms/index.ts'
import type { Topic } from '../hub.ts'
import { keyOfCriteria, LogMatcher } from '../log-matcher.ts'
import { logCriteria } from '../log-query.ts'
import { logTextsOfBlock } from '../logs.ts'
import { type CallContext, type Connection, type Methods, method, readParam } from '../method.ts'
import { withForm } from '../schema.ts'

const KINDS = ['newHeads', 'logs', 'newPendingTransactions', 'syncing'] as const
const kind = z.enum(KINDS, { error: `must be one of ${KINDS.join(', ')}` })

function requireConnection(call: CallContext): Connection {
  if (call.connection === undefined)
    throw new RpcError('method-not-found', 'notifications not supported: subscribe over a WebSocket')
  return call.connection
}

const headsTopic = (backend: RpcBackend, { shared }: CallContext): Topic => ({
  key: 'newHeads',
  source: shared.blocks,
  terms: 0,
  project(number) {
    const block = backend.blocks.header(number as Height)
    return block === undefined ? [] : [JSON.stringify(formatHeader(backend.crypto, block))]
  },
})

/** Matching logs from the next block on. */
function logsTopic(backend: RpcBackend, given: unknown, { limits, shared }: CallContext): Topic {
  const criteria = readParam(logCriteria, given ?? {}, 1, limits)
  const matcher = new LogMatcher(backend.crypto, criteria)
  return {
    key: `logs:${keyOfCriteria(criteria)}`,
    source: shared.blocks,
    terms: matcher.terms,
    project: (number) => logTextsOfBlock(backend.blocks, shared.texts, number as Height, matcher),
  }
}

const isFull = z.boolean({ error: 'must be true or false' }).default(false)

function pendingTopic(given: unknown, { shared, limits }: CallContext): Topic {
  const full = readParam(isFull, given, 1, limits)
  const { transactions } = shared
  return {
    key: `newPendingTransactions:${full}`,
    source: transactions,
    terms: 0,
    project(number) {
      const found = full ? transactions.at(number) : transactions.hashAt(number)
      if (found === undefined) return []
      return [JSON.stringify(typeof found === 'string' ? found : formatTransaction(found, undefined))]
    },
    begin: () => transactions.read(),
  }
}

const syncingTopic = ({ shared: { syncing } }: CallContext): Topic => ({
  key: 'syncing',
  source: syncing,
  terms: 0,
  project(number) {
    const change = syncing.at(number)
    return change === undefined ? [] : [JSON.stringify(change)]
  },
})

function topicOf(backend: RpcBackend, name: (typeof KINDS)[number], given: unknown, call: CallContext): Topic {
  switch (name) {
    case 'logs':
      return logsTopic(backend, given, call)
    case 'newPendingTransactions':
      return pendingTopic(given, call)
    case 'syncing':
      return syncingTopic(call)
    case 'newHeads':
      return headsTopic(backend, call)
  }
}

/** Read when the kind of the subscription is known. */
const options = withForm(forms.anyOf(logCriteria.form, forms.flag), z.unknown())

export const subscriptionMethods: Methods<RpcBackend> = {
  eth_subscribe: method(
    {
      summary: 'Starts to send notifications over this WebSocket; answers the id of the subscription.',
      params: ['kind', 'options'],
      result: forms.quantity,
    },
    [kind, options],
    (backend: RpcBackend, [name, given], call) => {
      const connection = requireConnection(call)
      return connection.subscribe(topicOf(backend, name, given, call))
    },
  ),
  eth_unsubscribe: method(
    { summary: 'Ends a subscription of this WebSocket.', params: ['subscriptionId'], result: forms.flag },
    [z.string()],
    (_: RpcBackend, [id], call) => {
      if (!requireConnection(call).unsubscribe(id))
        throw new RpcError('subscription-not-found', `subscription not found on this connection: ${id.slice(0, 40)}`)
      return true
    },
  ),
}
