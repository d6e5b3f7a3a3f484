import type { Height } from '@quoin/protocol'
import { z } from 'zod'
import type { RpcBackend } from '../backend.ts'
import { invalidParams } from '../errors.ts'
import { type Filter, type FilterSubject, filterNotFound } from '../filters.ts'
import * as forms from '../forms/index.ts'
import { LogMatcher, type LogQuery } from '../log-matcher.ts'
import { heightOf, logQuery, rangeOf, reversedRange } from '../log-query.ts'
import { scanLogs } from '../logs.ts'
import { type CallContext, type Methods, method } from '../method.ts'
import { getLogs } from './logs.ts'

/** Logs from the next block on that are within the query's range. */
function logSubject(backend: RpcBackend, query: LogQuery, matcher: LogMatcher): FilterSubject {
  if (query.blockHash !== undefined) throw invalidParams('a filter takes a block range, not a blockHash: use eth_getLogs')
  const latest = backend.blocks.head.header.number
  const from = heightOf(query.fromBlock, latest)
  const isOpen = 'tag' in query.toBlock && query.toBlock.tag !== 'earliest'
  const to = isOpen ? undefined : heightOf(query.toBlock, latest)
  if (to !== undefined && from > to) throw reversedRange()
  return { kind: 'logs', query, matcher, to, next: Math.max(latest + 1, from) as Height }
}

function installLogs(backend: RpcBackend, query: LogQuery, { shared, identity }: CallContext): string {
  const matcher = new LogMatcher(backend.crypto, query.criteria)
  const subject = logSubject(backend, query, matcher)
  const release = shared.takeTerms(identity.remote, matcher.terms)
  try {
    return shared.filters.install(identity.remote, subject, release)
  } catch (refusal) {
    release()
    throw refusal
  }
}

function installPending({ shared, identity }: CallContext): string {
  const stop = shared.transactions.read()
  try {
    return shared.filters.install(identity.remote, { kind: 'transactions', next: shared.transactions.next }, stop)
  } catch (refusal) {
    stop()
    throw refusal
  }
}

/** Moves the filter's position only once the changes are known, so that an aborted call loses none. */
function changesOf(filter: Filter, backend: RpcBackend, call: CallContext) {
  const { subject } = filter
  const latest = backend.blocks.head.header.number
  switch (subject.kind) {
    case 'transactions': {
      const hashes = call.shared.transactions.since(subject.next)
      subject.next = call.shared.transactions.next
      return hashes
    }
    case 'blocks': {
      const end = Math.min(latest + 1, subject.next + call.limits.filterBlocksMax)
      const hashes = Array.from({ length: end - subject.next }, (_, i) => {
        return backend.blocks.header((subject.next + i) as Height)!.hash
      })
      subject.next = end as Height
      return hashes
    }
    case 'logs':
      return filter.exclusive(() => logChanges(subject, backend, call))
  }
}

/** Returns as many logs as fit into a response. The next call continues after them. */
async function logChanges(subject: Extract<FilterSubject, { kind: 'logs' }>, backend: RpcBackend, call: CallContext) {
  const latest = backend.blocks.head.header.number
  const to = Math.min(latest, subject.to ?? latest, subject.next + call.limits.logBlocksMax) as Height
  if (subject.next > to) return []
  const { matcher, next: from } = subject
  const { logs, through } = await scanLogs({ reader: backend.blocks, index: backend.index, matcher, from, to, call })
  subject.next = (through + 1) as Height
  return logs
}

/** All logs in the filter's own range. The part of the range above the head is empty. */
function filterLogs({ subject }: Filter, backend: RpcBackend, call: CallContext) {
  if (subject.kind !== 'logs') throw filterNotFound()
  const latest = backend.blocks.head.header.number
  if (heightOf(subject.query.fromBlock, latest) > latest) return []
  const isAhead = heightOf(subject.query.toBlock, latest) > latest
  const query: LogQuery = isAhead ? { ...subject.query, toBlock: { tag: 'latest' } } : subject.query
  return getLogs(backend, subject.matcher, rangeOf(backend, query, call.limits), call)
}

const nothing = () => undefined

/** Filters: changes since the last poll, for clients without a WebSocket. */
export const filterMethods: Methods<RpcBackend> = {
  eth_newFilter: method(
    { summary: 'Installs a filter for logs; answers its id.', params: ['filter'], result: forms.quantity },
    [logQuery],
    (backend: RpcBackend, [query], call) => installLogs(backend, query, call),
  ),
  eth_newBlockFilter: method(
    { summary: 'Installs a filter for the hashes of new blocks; answers its id.', params: [], result: forms.quantity },
    [],
    (backend: RpcBackend, _, { shared, identity }) => {
      const next = (backend.blocks.head.header.number + 1) as Height
      return shared.filters.install(identity.remote, { kind: 'blocks', next }, nothing)
    },
  ),
  eth_newPendingTransactionFilter: method(
    { summary: 'Installs a filter for the hashes of waiting transactions; answers its id.', params: [], result: forms.quantity },
    [],
    (_backend: RpcBackend, _, call) => installPending(call),
  ),
  eth_getFilterChanges: method(
    { summary: 'What is new for a filter since the last call.', params: ['filterId'], result: forms.filterResults },
    [z.string()],
    (backend: RpcBackend, [id], call) => changesOf(call.shared.filters.require(id), backend, call),
  ),
  eth_getFilterLogs: method(
    { summary: 'All logs in the range of a filter.', params: ['filterId'], result: forms.list(forms.log) },
    [z.string()],
    (backend: RpcBackend, [id], call) => filterLogs(call.shared.filters.require(id), backend, call),
  ),
  eth_uninstallFilter: method(
    { summary: 'Removes a filter; answers whether it existed.', params: ['filterId'], result: forms.flag },
    [z.string()],
    (_backend: RpcBackend, [id], { shared }) => shared.filters.uninstall(id),
  ),
}
