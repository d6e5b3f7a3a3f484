import { readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/**
 * Reader of the Informal Trace Format (Apalache ADR-015). Decoded: integers to number, tuples, sets and sequences to arrays, maps to Map, records to
 * objects, and Quint's sum types to `{ tag, value }`.
 */
export type Itf = number | string | boolean | readonly Itf[] | Map<Itf, Itf> | { readonly [field: string]: Itf }
export type ItfRecord = { readonly [field: string]: Itf }
export interface Tagged<Value = Itf> {
  readonly tag: string
  readonly value: Value
}

export interface Trace {
  readonly name: string
  /** One record of state variables a step; names without their module path. */
  readonly states: readonly ItfRecord[]
}

const VECTORS = new URL('./vectors/tendermint-itf/', import.meta.url)

/** Traces whose file name begins with the prefix, in order of name. */
export const readTraces = (prefix: string): readonly Trace[] =>
  readdirSync(VECTORS)
    .filter((name) => name.startsWith(prefix) && name.endsWith('.itf.json.gz'))
    .sort()
    .map((name) => {
      const { states } = JSON.parse(gunzipSync(readFileSync(new URL(name, VECTORS))).toString())
      return { name: name.replace(/_\d+\.itf\.json\.gz$/, ''), states: states.map(decodeState) }
    })

function decodeState(state: Record<string, unknown>): ItfRecord {
  const variables = Object.entries(state).filter(([name]) => name !== '#meta')
  return Object.fromEntries(variables.map(([name, value]) => [name.slice(name.lastIndexOf(':') + 1), decode(value)]))
}

function decode(value: unknown): Itf {
  if (Array.isArray(value)) return value.map(decode)
  if (typeof value !== 'object' || value === null) return value as Itf
  const record = value as Record<string, unknown>
  if ('#bigint' in record) return Number(record['#bigint'])
  if ('#tup' in record) return decode(record['#tup'])
  if ('#set' in record) return decode(record['#set'])
  if ('#map' in record)
    return new Map((record['#map'] as [unknown, unknown][]).map(([key, entry]) => [decode(key), decode(entry)]))
  return Object.fromEntries(Object.entries(record).map(([name, field]) => [name, decode(field)]))
}
