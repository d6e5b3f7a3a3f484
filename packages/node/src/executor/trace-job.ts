import {
  type CallHost,
  type CallTraceRequest,
  runTrace,
  type TraceOutcome,
  type TransactionsTraceRequest,
} from '@quoin/execution'
import type { TextPiece } from '../rpc/json-text.ts'
import { type TraceForm, traceText } from '../rpc/trace-text.ts'
import { type BlockPart, type PartReader, readPart } from './block-part.ts'

/** A `TraceRequest` that names the transactions to run again. */
export type UnreadTrace =
  | (Omit<TransactionsTraceRequest, 'replay'> & { readonly replay: BlockPart })
  | (Omit<CallTraceRequest, 'replay'> & { readonly replay: BlockPart | undefined })

/** A request for traces, and how they are written. It can be cloned in a message between threads. */
export interface TraceJob {
  readonly trace: UnreadTrace
  readonly form: TraceForm
  /** Longest answer, in bytes of JSON. */
  readonly answerBytesMax: number
}

export type TraceAnswer =
  /** JSON in pieces. */
  { readonly kind: 'traced'; readonly pieces: readonly TextPiece[] } | Exclude<TraceOutcome, { kind: 'traced' }>

/**
 * Runs a trace and writes it as JSON, in the thread that runs it: an answer of many megabytes would keep the RPC thread from its
 * other clients.
 *
 * @param isCancelled - Asked before each transaction.
 */
export async function runTraceJob(
  host: CallHost,
  blocks: PartReader,
  { trace, form, answerBytesMax }: TraceJob,
  isCancelled: () => boolean,
): Promise<TraceAnswer> {
  const request =
    trace.kind === 'transactions'
      ? { ...trace, replay: readPart(blocks, trace.replay) }
      : { ...trace, replay: trace.replay && readPart(blocks, trace.replay) }
  const outcome = await runTrace(host, request, isCancelled)
  if (outcome.kind !== 'traced') return outcome
  const pieces = traceText(outcome.traces, form, answerBytesMax)
  if (pieces !== undefined) return { kind: 'traced', pieces }
  return { kind: 'refused', code: 'too-large', message: `trace too large: the answer exceeds ${answerBytesMax} bytes` }
}
