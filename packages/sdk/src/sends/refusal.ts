/** How an attempt to send a transaction ended without a hash. */
export type Outcome =
  /** The node has it already. */
  | { readonly kind: 'known' }
  /** Another transaction with the nonce is in a block. */
  | { readonly kind: 'used' }
  /** The node answered that it does not take it now: its pool is full, a nonce before it is missing. */
  | { readonly kind: 'postponed'; readonly error: unknown }
  /** Every node refuses it. */
  | { readonly kind: 'refused'; readonly refusal: string; readonly message: string }
  /** No answer: the node may have it. */
  | { readonly kind: 'unknown'; readonly error: unknown }

/** The parts of a node's error that decide, from anywhere in a chain of causes. */
interface Refusal {
  readonly code: number
  readonly message: string
  readonly data: unknown
}

/**
 * Reads a failed `eth_sendRawTransaction` or `eth_estimateGas`. A node says `data: {reason, scope}`; words and codes serve for the others.
 */
export function outcomeOf(error: unknown): Outcome {
  const refusal = refusalIn(error)
  if (refusal === undefined) return { kind: 'unknown', error }
  const { code, message } = refusal
  const { reason, scope } =
    ((typeof refusal.data === 'object' ? refusal.data : null) as { reason?: unknown; scope?: unknown }) ?? {}
  const words = typeof reason === 'string' ? reason.replaceAll('-', ' ') : message
  if (/already known/i.test(words)) return { kind: 'known' }
  if (/nonce too low/i.test(words)) return { kind: 'used' }
  const isOfNode = scope === 'node' || (scope === undefined && NODE_WORDS.test(words)) || LATER_WORDS.test(words)
  // What the node itself broke on may have been taken before.
  if (code === INTERNAL) return { kind: 'unknown', error }
  if (isOfNode || (scope === undefined && !CHAIN_CODES.has(code))) return { kind: 'postponed', error }
  return { kind: 'refused', refusal: typeof reason === 'string' ? reason : wordOf(message, code), message }
}

const INTERNAL = -32603
const REVERTED = 3
/** Rejected transaction, wrong parameters, revert. */
const CHAIN_CODES = new Set([-32003, -32602, REVERTED])
const NODE_WORDS =
  /pool is full|pool full|overload|quarantine|stopping|stopped|not ready|syncing|synchroni|rate limit|too many requests/i
/** They end when earlier transactions of the key are in a block. */
const LATER_WORDS = /nonce too high|sender queue full|underpriced/i

const WORDS = [
  'insufficient funds',
  'intrinsic gas too low',
  'gas limit reached',
  'max fee per gas less than block base fee',
  'out of gas',
]

/** A short reason where the node gave none. */
function wordOf(message: string, code: number): string {
  if (code === REVERTED) return 'reverted'
  return WORDS.find((words) => message.toLowerCase().includes(words))?.replaceAll(' ', '-') ?? 'invalid'
}

/** The innermost error that is an answer of a node. viem wraps it in errors with the same code. */
function refusalIn(error: unknown): Refusal | undefined {
  let found: Refusal | undefined
  let next = error as
    | { code?: unknown; message?: unknown; details?: unknown; data?: unknown; cause?: unknown; name?: unknown }
    | undefined
  for (let depth = 0; typeof next === 'object' && next !== null && depth < CAUSES_MAX; depth++) {
    if (typeof next.code === 'number' && next.name !== 'AbortError') {
      const message = typeof next.details === 'string' && next.details !== '' ? next.details : String(next.message)
      found = { code: next.code, message, data: next.data ?? found?.data }
    }
    next = next.cause as typeof next
  }
  // viem's name for an error without a code, such as a broken connection.
  return found?.code === UNKNOWN_RPC ? undefined : found
}

const CAUSES_MAX = 10
const UNKNOWN_RPC = -1
