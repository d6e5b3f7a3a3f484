import { isObject, refusalOf } from '../errors.ts'

/** What may be done with a request that failed at one node. */
export type CallKind =
  /** Asks only: any node may answer, and two at a time. */
  | 'read'
  /** A raw transaction: it has one hash wherever it goes, so another node may get it too. */
  | 'send'
  /** Makes a filter, which lives at the node that made it. */
  | 'make-filter'
  /** Uses a filter. */
  | 'use-filter'
  /** Changes something at the node (or nobody knows what it does): one node, once. */
  | 'once'

const MAKE_FILTER = new Set(['eth_newFilter', 'eth_newBlockFilter', 'eth_newPendingTransactionFilter'])
const USE_FILTER = new Set(['eth_getFilterChanges', 'eth_getFilterLogs', 'eth_uninstallFilter'])
/** Signing, mining and state of a development node. */
const NOT_READ = /^eth_(send|sign|submit|request|subscribe|unsubscribe)|^debug_set/
const READ = /^(eth|net|web3|quoin|txpool|debug|ots|erigon)_/

export function kindOf(method: string): CallKind {
  if (method === 'eth_sendRawTransaction' || method === 'eth_sendRawTransactionSync') return 'send'
  if (MAKE_FILTER.has(method)) return 'make-filter'
  if (USE_FILTER.has(method)) return 'use-filter'
  return READ.test(method) && !NOT_READ.test(method) ? 'read' : 'once'
}

/** `next`: another node may answer. `throw`: no other node would. `known`: the transaction is there already. */
export type Verdict = 'next' | 'throw' | 'known'

/**
 * What a node's error means for the request.
 *
 * @param isShown whether another node has shown the block that this node does not have
 */
export function verdictOf(error: Error, method: string, isShown: () => boolean): Verdict {
  const refusal = refusalOf(error)
  if (refusal?.reason === 'already-known' || (refusal === undefined && isAlreadyKnown(error)))
    return method === 'eth_sendRawTransaction' ? 'known' : 'next'
  if (refusal !== undefined) return refusal.scope === 'node' ? 'next' : 'throw'
  if (error.name !== 'RpcRequestError') return 'next'
  return verdictOfCode(error as unknown as CodedError, isShown)
}

interface CodedError {
  readonly code: number
  readonly details: string
}

/** For nodes that do not say whose refusal it is. */
function verdictOfCode({ code, details }: CodedError, isShown: () => boolean): Verdict {
  // Limits and faults of the node; -32601: a node of another version may have the method.
  if ([-32005, -32603, -32601, -32002, 429, -32007].includes(code)) return 'next'
  if (code === -32001) return isShown() ? 'next' : 'throw'
  if (code === -32602 && /beyond|above/.test(details) && /head/.test(details)) return isShown() ? 'next' : 'throw'
  return 'throw'
}

const isAlreadyKnown = (error: Error): boolean =>
  /already known|known transaction/i.test((error as { details?: string }).details ?? '')

/** The height that parameters ask for: a block number, a log range's end, or an object of EIP-1898. Undefined for tags and hashes. */
export function heightAskedFor(params: unknown): number | undefined {
  const heights = (Array.isArray(params) ? params : []).flatMap((param: unknown): readonly unknown[] =>
    isObject(param) ? [param['blockNumber'], param['toBlock'], param['fromBlock']] : [param],
  )
  const numbers = heights.filter((one): one is string => typeof one === 'string' && /^0x[0-9a-f]{1,13}$/i.test(one)).map(Number)
  return numbers.length === 0 ? undefined : Math.max(...numbers)
}
