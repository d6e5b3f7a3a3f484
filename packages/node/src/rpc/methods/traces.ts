import type { Tracer } from '@quoin/execution'
import type { Height } from '@quoin/protocol'
import { linkDeadline } from '../../abort.ts'
import type { BlockPart } from '../../executor/block-part.ts'
import type { UnreadTrace } from '../../executor/trace-job.ts'
import type { RpcBackend } from '../backend.ts'
import { blockContextOf } from '../block-context.ts'
import { findTransaction, headOf, requireHeight } from '../blocks.ts'
import { callObject } from '../call-schema.ts'
import { RpcError } from '../errors.ts'
import type { Position } from '../format.ts'
import * as forms from '../forms/index.ts'
import { type JsonText, takeText } from '../json-text.ts'
import { type CallContext, type Methods, method } from '../method.ts'
import { type BlockReference, blockNumber, blockReference, hash } from '../schema.ts'
import { callTraceOptions, type TraceOptions, traceOptions } from '../trace-schema.ts'
import type { TraceForm } from '../trace-text.ts'
import { unavailable } from './calls.ts'
import { stateOf } from './state.ts'

const notTraceable = (message: string): RpcError => new RpcError('not-traceable', message)

/** The first transactions of a block, all by default, to be run again. Throws RpcError for block 0, and if the state before the block is gone. */
function partOf(backend: RpcBackend, height: Height, count = Number.POSITIVE_INFINITY): BlockPart {
  if (height === 0) throw notTraceable('genesis is not traceable')
  stateOf(backend, { height: height - 1 })
  return { height, count }
}

/** Runs a trace within its timeout. Throws RpcError if there is no answer. */
async function answer(
  backend: RpcBackend,
  trace: UnreadTrace,
  form: TraceForm,
  timeoutMs: number,
  call: CallContext,
): Promise<JsonText> {
  const { signal, unlink } = linkDeadline(Math.min(timeoutMs, call.limits.requestMs), [call.signal])
  const job = { trace, form, answerBytesMax: call.limits.responseBytesMax }
  try {
    const answered = await backend.calls.run('trace', job, signal, call.identity)
    if (!answered.ok) throw unavailable(answered.error)
    const outcome = answered.value
    if (outcome.kind === 'traced') return await takeText(outcome.pieces, call)
    if (outcome.code === 'too-large') throw new RpcError('answer-too-large', `${outcome.message}; ${SMALLER}`)
    throw new RpcError(outcome.code, outcome.message, undefined, 'calls')
  } catch (failure) {
    // go-ethereum's words.
    if (signal.aborted && !call.isGivenUp) throw new RpcError('timeout', 'execution timeout')
    throw failure
  } finally {
    unlink()
  }
}

const SMALLER = 'trace one transaction instead of a block, or use onlyTopCall, disableCode or disableStorage'

/** Traces one final transaction. Throws RpcError if there is no answer. */
export function traceTransaction(
  backend: RpcBackend,
  { block, index }: Position,
  tracer: Tracer,
  form: TraceForm,
  timeoutMs: number,
  call: CallContext,
): Promise<JsonText> {
  const replay = partOf(backend, block.header.number, index + 1)
  return answer(backend, { kind: 'transactions', tracer, replay, first: index }, form, timeoutMs, call)
}

function traceBlock(backend: RpcBackend, reference: BlockReference, options: TraceOptions, call: CallContext): Promise<JsonText> {
  const replay = partOf(backend, requireHeight(backend, reference))
  const { tracer, state, timeoutMs } = options
  const form = { kind: 'geth', isList: true, state } as const
  return answer(backend, { kind: 'transactions', tracer, replay, first: 0 }, form, timeoutMs, call)
}

const isPending = (reference: BlockReference): boolean => 'tag' in reference && reference.tag === 'pending'

/**
 * Traces, as in go-ethereum (eth/tracers/api.go). A transaction is run again on the state before it, together with those before it in
 * its block.
 */
export const traceMethods: Methods<RpcBackend> = {
  debug_traceTransaction: method(
    { summary: 'The trace of a transaction.', params: ['hash', 'options'], result: forms.trace },
    [hash, traceOptions],
    (backend: RpcBackend, [transactionHash, options], call) => {
      const found = findTransaction(backend, transactionHash)
      if (found === undefined) throw new RpcError('transaction-not-found', 'transaction not found', headOf(backend))
      const { tracer, state, timeoutMs } = options
      return traceTransaction(backend, found, tracer, { kind: 'geth', isList: false, state }, timeoutMs, call)
    },
  ),
  debug_traceBlockByNumber: method(
    { summary: 'The traces of the transactions of a block.', params: ['block', 'options'], result: forms.list(forms.blockTrace) },
    [blockNumber, traceOptions],
    (backend: RpcBackend, [reference, options], call) => {
      if (isPending(reference)) throw notTraceable('pending block is not available')
      return traceBlock(backend, reference, options, call)
    },
  ),
  debug_traceBlockByHash: method(
    { summary: 'The traces of the transactions of a block.', params: ['hash', 'options'], result: forms.list(forms.blockTrace) },
    [hash, traceOptions],
    (backend: RpcBackend, [blockHash, options], call) => traceBlock(backend, { hash: blockHash }, options, call),
  ),
  debug_traceCall: method(
    { summary: 'The trace of a call that is not sent.', params: ['call', 'block', 'options'], result: forms.trace },
    [callObject, blockReference, callTraceOptions],
    (backend: RpcBackend, [given, reference, options], call) => {
      if (isPending(reference)) throw notTraceable('tracing on top of pending is not supported')
      stateOf(backend, reference)
      const height = requireHeight(backend, reference)
      const { header } = backend.blocks.header(height)!
      const { tracer, state, timeoutMs, stateOverrides, blockOverrides, txIndex } = options
      const trace = {
        ...({ kind: 'call', tracer, call: given, block: blockContextOf(header), stateOverrides, blockOverrides } as const),
        replay: txIndex === undefined ? undefined : before(backend, height, txIndex),
        gasMax: call.limits.callGasMax,
      }
      return answer(backend, trace, { kind: 'geth', isList: false, state }, timeoutMs, call)
    },
  ),
}

/** The transactions of a block before one of them. */
function before(backend: RpcBackend, height: Height, index: number): BlockPart {
  const count = backend.blocks.senders(height)?.length ?? 0
  if (index >= count) throw notTraceable(`transaction index ${index} out of range for block ${height}, which has ${count}`)
  return partOf(backend, height, index)
}
