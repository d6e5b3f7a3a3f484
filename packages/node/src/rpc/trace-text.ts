import {
  type AccountState,
  type CallFrame,
  decodeErrorString,
  type Trace,
  type Traced,
  type UsedAccountState,
} from '@quoin/execution'
import { bytesToHex, equalBytes } from '@quoin/protocol'
import { quantityHex, storageWord } from './format.ts'
import { FRAME_TYPES } from './frame-type.ts'
import { JsonPieces } from './json-text.ts'
import { type OtterscanForm, otterscanTexts } from './otterscan-traces.ts'

/*
 * The JSON of go-ethereum's callTracer (eth/tracers/native/call.go) and prestateTracer (prestate.go). Members that it does not have
 * are in one member `quoin`, so that they can never meet one of its own.
 */

export type TraceForm = GethForm | OtterscanForm

export interface GethForm {
  readonly kind: 'geth'
  /** One result, or a block's list of results with the hashes of their transactions. */
  readonly isList: boolean
  /** prestateTracer: how accounts are shown. */
  readonly state: StateForm
}

/** `before`: all accounts that were used. `diff`: what changed, before and after. */
export type StateForm = { readonly kind: 'diff' } | { readonly kind: 'before'; readonly includeEmpty: boolean }

/** The JSON of traces in pieces; undefined if it would be longer than `bytesMax`. */
export function traceText(traces: readonly Traced[], form: TraceForm, bytesMax: number): readonly string[] | undefined {
  const pieces = new JsonPieces()
  let bytes = 0
  for (const text of textsOf(traces, form)) {
    // The reasons and details of failures are any text.
    bytes += Buffer.byteLength(text)
    if (bytes > bytesMax) return undefined
    pieces.add(text)
  }
  return pieces.end()
}

function* textsOf(traces: readonly Traced[], form: TraceForm): Generator<string> {
  const [only] = traces
  if (form.kind !== 'geth' || !form.isList) {
    if (only === undefined) throw new Error('a trace has no result')
    yield* form.kind === 'geth' ? traceTexts(only.trace, form) : otterscanTexts(only.trace, form)
    return
  }
  yield '['
  for (const [i, { hash, trace }] of traces.entries()) {
    yield `${i === 0 ? '' : ','}{"txHash":${JSON.stringify(hash)},"result":`
    yield* traceTexts(trace, form)
    yield '}'
  }
  yield ']'
}

function traceTexts(trace: Trace, { state }: GethForm): Iterable<string> {
  if (trace.kind === 'calls') return frameTexts(trace.frame)
  return state.kind === 'diff' ? diffTexts(trace.accounts) : beforeTexts(trace.accounts, state.includeEmpty)
}

function* frameTexts(frame: CallFrame): Generator<string> {
  const { kind, from, to, value, input, gas, gasUsed, logs, calls } = frame
  const fields = {
    type: FRAME_TYPES[kind],
    from,
    ...(to === undefined ? {} : { to }),
    ...(kind === 'static-call' ? {} : { value: quantityHex(value) }),
    gas: quantityHex(gas),
    gasUsed: quantityHex(gasUsed),
    input: bytesToHex(input),
    ...endOf(frame),
  }
  const text = JSON.stringify(fields)
  if (logs.length === 0 && calls.length === 0) {
    yield text
    return
  }
  yield text.slice(0, -1)
  for (const [i, { address, topics, data, index, position }] of logs.entries()) {
    const log = { address, topics, data: bytesToHex(data), index: quantityHex(index), position: quantityHex(position) }
    yield `${i === 0 ? ',"logs":[' : ','}${JSON.stringify(log)}`
  }
  if (logs.length > 0) yield ']'
  for (const [i, call] of calls.entries()) {
    yield i === 0 ? ',"calls":[' : ','
    yield* frameTexts(call)
  }
  yield calls.length > 0 ? ']}' : '}'
}

/**
 * The end of a frame. Every failure except the end of the gas is a revert here, because every failure has data that the caller gets. As
 * in go-ethereum, only a revert shows it.
 */
function endOf({ end }: CallFrame) {
  const output = end.output.length === 0 ? {} : { output: bytesToHex(end.output) }
  if (end.kind === 'returned') return output
  const { reason, detail, stack } = end
  const quoin = { reason, ...(detail === undefined ? {} : { detail }), ...(stack === undefined ? {} : { stack }) }
  if (end.kind === 'out-of-gas') return { error: 'out of gas', quoin }
  const revertReason = decodeErrorString(end.output)
  return { error: 'execution reverted', ...output, ...(revertReason === undefined ? {} : { revertReason }), quoin }
}

const isEmpty = ({ nonce, balance, codeHash }: AccountState): boolean => nonce === 0 && balance === 0n && codeHash === undefined

const NOTHING = new Uint8Array(0)

/** The members of an account that are named. go-ethereum writes the nonce as a number, and leaves out what is zero or empty. */
function accountFields({ nonce, balance, code }: Partial<AccountState>) {
  return {
    ...(balance === undefined ? {} : { balance: quantityHex(balance) }),
    ...(nonce === undefined || nonce === 0 ? {} : { nonce }),
    ...(code === undefined ? {} : { code: bytesToHex(code) }),
  }
}

const storageFields = (entries: readonly (readonly [key: Uint8Array, value: Uint8Array | undefined])[]) =>
  entries.length === 0
    ? {}
    : { storage: Object.fromEntries(entries.map(([key, value]) => [bytesToHex(key), bytesToHex(storageWord(value ?? NOTHING))])) }

function* beforeTexts(accounts: readonly UsedAccountState[], includeEmpty: boolean): Generator<string> {
  const shown = accounts.filter(({ before }) => includeEmpty || !isEmpty(before))
  yield* objectTexts(shown, ({ before, storage }) => ({
    ...accountFields(before),
    ...storageFields(storage.map((entry) => [entry.key, entry.before])),
  }))
}

const isSame = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && equalBytes(a, b))

function* diffTexts(accounts: readonly UsedAccountState[]): Generator<string> {
  const changed = accounts.flatMap(({ address, before, after, storage }) => {
    const entries = storage.filter((entry) => !isSame(entry.before, entry.after))
    const isChanged =
      before.nonce !== after.nonce || before.balance !== after.balance || before.codeHash !== after.codeHash || entries.length > 0
    return isChanged ? [{ address, before, after, entries }] : []
  })
  yield '{"post":'
  yield* objectTexts(changed, ({ before, after, entries }) => ({
    ...accountFields({
      ...(before.balance === after.balance ? {} : { balance: after.balance }),
      ...(before.nonce === after.nonce ? {} : { nonce: after.nonce }),
      ...(before.codeHash === after.codeHash ? {} : { code: after.code }),
    }),
    ...storageFields(entries.flatMap(({ key, after: value }) => (value === undefined ? [] : [[key, value]]))),
  }))
  yield ',"pre":'
  // An account that the transaction created is not there before it.
  const existing = changed.filter(
    ({ before, entries }) => !isEmpty(before) || entries.some((entry) => entry.before !== undefined),
  )
  yield* objectTexts(existing, ({ before, entries }) => ({
    ...accountFields(before),
    ...storageFields(entries.flatMap(({ key, before: value }) => (value === undefined ? [] : [[key, value]]))),
  }))
  yield '}'
}

/** A JSON object with one member for each account. */
function* objectTexts<T extends { readonly address: string }>(
  accounts: readonly T[],
  fieldsOf: (account: T) => object,
): Generator<string> {
  yield '{'
  for (const [i, account] of accounts.entries())
    yield `${i === 0 ? '' : ','}"${account.address}":${JSON.stringify(fieldsOf(account))}`
  yield '}'
}
