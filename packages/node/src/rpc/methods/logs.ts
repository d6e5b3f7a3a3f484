import type { RpcBackend } from '../backend.ts'
import { RpcError } from '../errors.ts'
import { quantityHex } from '../format.ts'
import * as forms from '../forms/index.ts'
import { LogMatcher } from '../log-matcher.ts'
import { type HeightRange, logQuery, rangeOf } from '../log-query.ts'
import { scanLogs } from '../logs.ts'
import { type CallContext, type Methods, method } from '../method.ts'

/**
 * Returns all matching logs of a range. Throws if there are too many. Clients parse the message: Ponder takes the range to try from it
 * (packages/utils/src/getLogsRetryHelper.ts).
 */
export async function getLogs(backend: RpcBackend, matcher: LogMatcher, range: HeightRange, call: CallContext) {
  const { logs, through, reached } = await scanLogs({ reader: backend.blocks, index: backend.index, matcher, ...range, call })
  if (reached === undefined) return logs
  const fitting = `[${quantityHex(range.from)}, ${quantityHex(through)}]`
  throw new RpcError(
    'range-too-large',
    `query exceeds ${reached}: ask for fewer addresses, topics or blocks. Try with this block range ${fitting}.`,
  )
}

export const logMethods: Methods<RpcBackend> = {
  eth_getLogs: method(
    { summary: 'The logs of a range of blocks.', params: ['filter'], result: forms.list(forms.log) },
    [logQuery],
    (backend: RpcBackend, [query], call) => {
      const matcher = new LogMatcher(backend.crypto, query.criteria)
      return getLogs(backend, matcher, rangeOf(backend, query, call.limits), call)
    },
  ),
}
