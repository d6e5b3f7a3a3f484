import { finalTransaction, header, log, receipt } from './chain.ts'
import { anyOf, closed, component, flag, list, oneOf, open, type Schema, text } from './json-schema.ts'
import { address, hash, looseInteger, whole } from './values.ts'

/** Streams (docs/json-rpc.md, "Streams"). */

const cursor = component('Cursor', text('[A-Za-z0-9_-]{51}'))

const start = component('StreamStart', anyOf(closed({ cursor }), closed({ block: looseInteger }), closed({ time: looseInteger })))

const some = (items: Schema): Schema => ({ ...list(items), minItems: 1 })

/** One form for each kind of stream, because each has a filter of its own. */
const requestOf = (criteria: Schema, more: Readonly<Record<string, Schema>>): Schema => {
  const of = (stream: string, filter: Schema) => closed({ stream: oneOf(stream) }, { filter, from: start, ...more })
  return anyOf(
    of('blocks', closed({})),
    of('logs', criteria),
    of('transactions', closed({}, { accounts: some(address) })),
    of('receipts', closed({}, { hashes: some(hash) })),
  )
}

/** @param criteria - The form of the filter of logs. */
export const streamRequest = (criteria: Schema): Schema => component('StreamRequest', requestOf(criteria, {}))
export const streamPoll = (criteria: Schema): Schema =>
  component('StreamPoll', requestOf(criteria, { waitMs: looseInteger, itemsMax: looseInteger }))

export const streamBatch = component(
  'StreamBatch',
  open({
    ...{ cursor, height: whole, blockHash: hash, time: whole, isWithin: flag },
    head: closed({ height: whole, hash, time: whole }),
    items: list(anyOf(header, log, finalTransaction, receipt)),
  }),
)
