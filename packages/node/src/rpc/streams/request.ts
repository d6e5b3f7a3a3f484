import type { Address, Crypto, Hash } from '@quoin/protocol'
import { z } from 'zod'
import * as forms from '../forms/index.ts'
import type { RpcLimits } from '../limits.ts'
import type { LogCriteria } from '../log-matcher.ts'
import { criteriaMembers, criteriaOf } from '../log-query.ts'
import { by, isGiven, type Members, Misfit, member, optional, reader, readList, readObject, requireKnown } from '../reader.ts'
import { address, hash, looseInteger } from '../schema.ts'
import { blockSource } from './block-source.ts'
import { type CursorContent, readCursor } from './cursor.ts'
import { LogSource } from './log-source.ts'
import { ReceiptSource } from './receipt-source.ts'
import type { StreamSource } from './source.ts'
import { TransactionSource } from './transaction-source.ts'

const KINDS = ['blocks', 'logs', 'transactions', 'receipts'] as const
type Kind = (typeof KINDS)[number]

/** Where a stream begins. Undefined: after the head. */
export type StreamStart =
  | { readonly cursor: CursorContent }
  | { readonly block: number }
  /** The first block at or after a time in milliseconds. */
  | { readonly time: number }
  | undefined

/** Kind and filter of a stream. An undefined list means all. */
export type StreamSubject =
  | { readonly kind: 'blocks' }
  | { readonly kind: 'logs'; readonly criteria: LogCriteria }
  | { readonly kind: 'transactions'; readonly accounts: readonly Address[] | undefined }
  | { readonly kind: 'receipts'; readonly hashes: readonly Hash[] | undefined }

export interface StreamRequest {
  readonly subject: StreamSubject
  readonly start: StreamStart
}

export const sourceOf = (crypto: Crypto, subject: StreamSubject): StreamSource => {
  switch (subject.kind) {
    case 'blocks':
      return blockSource
    case 'logs':
      return new LogSource(crypto, subject.criteria)
    case 'transactions':
      return new TransactionSource(subject.accounts ?? [])
    case 'receipts':
      return new ReceiptSource(subject.hashes ?? [])
  }
}

const readKind = by(z.enum(KINDS, { error: `must be one of ${KINDS.join(', ')}` }))
const readInteger = by(looseInteger)
const readAddress = by(address)
const readHash = by(hash)

const FILTER_FIELDS: Readonly<Record<Kind, ReadonlySet<string>>> = {
  blocks: new Set(),
  logs: new Set(['address', 'topics']),
  transactions: new Set(['accounts']),
  receipts: new Set(['hashes']),
}

/** Reads a list that narrows a stream. An empty one would match either everything or nothing, so it is refused. */
function readTerms<T>(value: unknown, max: number, what: string, item: (value: unknown) => T): readonly T[] {
  const items = readList(value, max, what, item)
  if (items.length === 0) throw new Misfit('must not be empty: leave it out for a stream without a filter')
  return items
}

function subjectOf(kind: Kind, filter: Members, limits: RpcLimits): StreamSubject {
  const fields = FILTER_FIELDS[kind]
  if (fields.size === 0 && Object.keys(filter).length > 0) throw new Misfit(`must be absent: a stream of ${kind} has no filter`)
  requireKnown(filter, fields)
  switch (kind) {
    case 'blocks':
      return { kind }
    case 'logs':
      return { kind, criteria: criteriaOf(filter, limits) }
    case 'transactions':
      return {
        kind,
        accounts: optional(filter, 'accounts', (list) => readTerms(list, limits.streamAccountsMax, 'accounts', readAddress)),
      }
    case 'receipts':
      return { kind, hashes: optional(filter, 'hashes', (list) => readTerms(list, limits.streamHashesMax, 'hashes', readHash)) }
  }
}

function readCursorText(value: unknown): CursorContent {
  if (typeof value !== 'string') throw new Misfit('must be the cursor of a batch, unchanged')
  const read = readCursor(value)
  if (!read.ok) throw new Misfit(`${read.error}: it must be the cursor of a batch, unchanged`)
  return read.value
}

const START_FIELDS: ReadonlySet<string> = new Set(['cursor', 'block', 'time'])

function readStart(value: unknown): StreamStart {
  const object = readObject(value)
  requireKnown(object, START_FIELDS)
  const given = [...START_FIELDS].filter((name) => isGiven(object, name))
  if (given.length !== 1) throw new Misfit('must have one of cursor, block and time')
  if (given[0] === 'cursor') return { cursor: member(object, 'cursor', readCursorText) }
  if (given[0] === 'block') return { block: member(object, 'block', readInteger) }
  return { time: member(object, 'time', readInteger) }
}

function requestOf(object: Members, limits: RpcLimits): StreamRequest {
  const kind = member(object, 'stream', readKind)
  const readFilter = (value: unknown): StreamSubject => subjectOf(kind, readObject(value), limits)
  return {
    subject: optional(object, 'filter', readFilter) ?? subjectOf(kind, {}, limits),
    start: optional(object, 'from', readStart),
  }
}

const FIELDS: ReadonlySet<string> = new Set(['stream', 'filter', 'from'])
const POLL_FIELDS: ReadonlySet<string> = new Set([...FIELDS, 'waitMs', 'itemsMax'])

const CRITERIA = forms.closed({}, criteriaMembers)

/** The parameter of `quoin_subscribe`. */
export const streamRequest = reader(forms.streamRequest(CRITERIA), (value, limits): StreamRequest => {
  const object = readObject(value)
  requireKnown(object, FIELDS)
  return requestOf(object, limits)
})

export interface PollRequest extends StreamRequest {
  readonly waitMs: number
  readonly itemsMax: number
}

/** The parameter of `quoin_getStream`. */
export const pollRequest = reader(forms.streamPoll(CRITERIA), (value, limits): PollRequest => {
  const object = readObject(value)
  requireKnown(object, POLL_FIELDS)
  const { streamWaitMsMax, streamItemsMax } = limits
  return {
    ...requestOf(object, limits),
    waitMs: Math.min(optional(object, 'waitMs', readInteger) ?? 0, streamWaitMsMax),
    itemsMax: Math.min(optional(object, 'itemsMax', readInteger) ?? streamItemsMax, streamItemsMax),
  }
})
