import { readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/**
 * A value of the Informal Trace Format (Apalache ADR-015), decoded: integers to number, tuples, sets and sequences to arrays, maps to Map, records to
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
  /** The part of the specification that was run: one of its modules, or a whole system of validators. A test of pure functions has no states. */
  readonly subject: 'vote keeper' | 'state machine' | 'system' | 'functions'
  /** A record of state variables for each step. Names do not have their module path. */
  readonly states: readonly ItfRecord[]
}

const VECTORS = new URL('./vectors/tendermint-itf/', import.meta.url)

/** Reads every trace in the folder, in order of name. A file with another kind of name does not belong there. */
export function readTraces(): readonly Trace[] {
  const files = readdirSync(VECTORS).filter((name) => name !== 'README.md')
  return files.sort().map((name) => {
    if (!name.endsWith('.itf.json.gz'))
      throw new Error(`${name} in ${VECTORS.pathname} is not a trace: the name must end with .itf.json.gz`)
    const { states } = JSON.parse(gunzipSync(readFileSync(new URL(name, VECTORS))).toString())
    return readTrace(name.replace(/_\d+\.itf\.json\.gz$/, ''), states)
  })
}

export function readTrace(name: string, states: readonly Record<string, unknown>[]): Trace {
  const decoded = states.map(decodeState)
  const variables = Object.keys(decoded[0] ?? {})
  const subject = SUBJECTS.find(({ variable }) => variables.includes(variable))?.subject
  if (subject === undefined) throw new Error(`${name}: unknown kind of trace, with variables ${variables.join(', ') || 'none'}`)
  return { name, subject, states: decoded }
}

/** The state variable by which a module of the specification is recognised. Only this module has it. */
const SUBJECTS = [
  { variable: 'bookkeeper', subject: 'vote keeper' },
  { variable: 'system', subject: 'system' },
  { variable: 'state', subject: 'state machine' },
] as const

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
