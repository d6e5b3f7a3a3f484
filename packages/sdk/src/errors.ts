import { BaseError } from 'viem'
import type { RefusalReason, RefusalScope } from './refusals.ts'

/** Options of an error: what caused it, and lines that say more. */
export interface QuoinErrorOptions {
  readonly cause?: Error
  readonly metaMessages?: readonly string[]
}

/** Every error that this library expects its caller to handle. It is viem's `BaseError`: `shortMessage`, `details`, `walk`. */
export class QuoinError extends BaseError {
  override name = 'QuoinError'

  /** @param shortMessage what happened, and what to do about it */
  constructor(shortMessage: string, { cause, metaMessages }: QuoinErrorOptions = {}) {
    super(shortMessage, {
      ...(cause === undefined ? {} : { cause }),
      ...(metaMessages === undefined ? {} : { metaMessages: [...metaMessages] }),
    })
  }
}

/** What a node of the cluster answered, or why it did not. */
export interface NodeFailure {
  /** Without user name and password. */
  readonly url: string
  readonly error: Error
}

/** No node could answer a request. `errors` has the failure of each node, in the order in which they were asked. */
export class NodesFailedError extends QuoinError {
  override name = 'NodesFailedError'
  readonly reason = 'nodes-failed'
  readonly errors: readonly NodeFailure[]

  constructor(method: string, errors: readonly NodeFailure[]) {
    super(`No node answered ${method}. Check that the nodes run and can be reached.`, {
      metaMessages: errors.map(({ url, error }) => `${url}: ${firstLine(error)}`),
      ...(errors[0] === undefined ? {} : { cause: errors[0].error }),
    })
    this.errors = errors
  }
}

/** Every node that answered is below a height that this client has already seen. */
export class BehindError extends QuoinError {
  override name = 'BehindError'
  readonly reason = 'behind'
  /** The highest head of the nodes that answered; undefined if none told it. */
  readonly height: number | undefined
  /** The height that the answer had to include. */
  readonly minHeight: number

  constructor(height: number | undefined, minHeight: number, errors: readonly NodeFailure[] = []) {
    const at = height === undefined ? '' : `: the highest is at ${height}`
    super(`No node has reached block ${minHeight}, which this client has seen${at}. Try again when they have caught up.`, {
      metaMessages: errors.map(({ url, error }) => `${url}: ${firstLine(error)}`),
    })
    this.height = height
    this.minHeight = minHeight
  }
}

/** A node belongs to another chain than the one that the application wants, or than the other nodes. */
export class WrongChainError extends QuoinError {
  override name = 'WrongChainError'
  readonly reason: 'genesis' | 'chain-id'
  readonly url: string
  readonly expected: string
  readonly found: string

  constructor(reason: 'genesis' | 'chain-id', url: string, expected: string, found: string) {
    const what = reason === 'genesis' ? 'the genesis hash' : 'the chain id'
    super(`The node ${url} belongs to another chain: ${what} is ${found}, not ${expected}. Remove it from the list of nodes.`)
    this.reason = reason
    this.url = url
    this.expected = expected
    this.found = found
  }
}

/** Why there is no usable answer from a node. */
export type ConnectionProblem =
  /** The connection was closed by its owner. */
  | 'closed'
  /** The node, or the network, ended the connection, or it could not be opened. */
  | 'lost'
  /** No answer within the time limit. */
  | 'timeout'
  /** The answer is longer than the limit. */
  | 'too-large'
  /** The answer is no JSON-RPC response. */
  | 'malformed'
  /** The platform has no WebSocket. */
  | 'no-web-socket'
  /** The node showed a height below one that it, or another node, has shown, or one that no chain could have reached. */
  | 'wrong-height'

/** A node gave no usable answer. The cluster asks another one; the caller sees it within a NodesFailedError. */
export class ConnectionError extends QuoinError {
  override name = 'ConnectionError'
  readonly reason: ConnectionProblem
  readonly url: string

  constructor(reason: ConnectionProblem, url: string, shortMessage: string, cause?: Error) {
    super(shortMessage, cause === undefined ? {} : { cause })
    this.reason = reason
    this.url = url
  }
}

/** The request cannot be sent through a cluster; the message says what to use. */
export class NotThroughClusterError extends QuoinError {
  override name = 'NotThroughClusterError'
  readonly reason = 'not-through-cluster'
}

/** A node's refusal of a request. */
export interface RefusalDetails {
  /** A word of the node's closed list; a newer node may know words that this version does not. */
  readonly reason: RefusalReason | (string & {})
  readonly scope: RefusalScope
  /** JSON-RPC error code. */
  readonly code: number
  /** The node's own words. */
  readonly message: string
  /** All that the node sent with it, such as `height` or `retryAfterMs`; the revert data as hex for `reverted`. */
  readonly data: unknown
}

/** Codes whose `data` is hex by a standard, so that it cannot name the reason. */
const REASON_BY_CODE: Readonly<Record<number, RefusalReason>> = { 3: 'reverted', 4: 'not-included' }

/**
 * A node's refusal from anywhere in the causes of an error: viem wraps a node's error in several of its own, and a `NodesFailedError` has one for
 * each node (then the first refusal is returned). Undefined if no node refused: it was not reached, or the error has nothing to do with nodes.
 */
export function refusalOf(error: unknown): RefusalDetails | undefined {
  const seen = new Set<unknown>()
  let current: unknown = error
  while (isObject(current) && !seen.has(current)) {
    seen.add(current)
    const refusal = refusalIn(current)
    if (refusal !== undefined) return refusal
    if (current instanceof NodesFailedError) {
      for (const failure of current.errors) {
        const found = refusalOf(failure.error)
        if (found !== undefined) return found
      }
    }
    current = current['cause']
  }
  return undefined
}

function refusalIn(error: Readonly<Record<string, unknown>>): RefusalDetails | undefined {
  const { code, data } = error
  if (typeof code !== 'number') return undefined
  const message = messageOf(error)
  const reason = REASON_BY_CODE[code]
  if (reason !== undefined && !isObject(data)) return { reason, scope: 'chain', code, message, data }
  if (!isObject(data)) return undefined
  const { reason: word, scope } = data
  return typeof word === 'string' && (scope === 'node' || scope === 'chain')
    ? { reason: word, scope, code, message, data }
    : undefined
}

/** viem's error has the node's words in `details`. */
function messageOf(error: Readonly<Record<string, unknown>>): string {
  const { details, message } = error
  return typeof details === 'string' ? details : typeof message === 'string' ? message : ''
}

/** The message of an error in one line. */
export function firstLine(error: Error): string {
  const short = error instanceof BaseError ? error.shortMessage : error.message
  const details =
    error instanceof BaseError && error.details !== undefined && error.details !== short ? ` (${error.details})` : ''
  return `${short.split('\n', 1)[0]!}${details.split('\n', 1)[0]!}`
}

/** Whatever was thrown, as an Error. */
export const toError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)))

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
