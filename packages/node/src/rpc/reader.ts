import { z } from 'zod'
import type { Schema } from './forms/json-schema.ts'
import type { RpcLimits } from './limits.ts'
import { usualOf } from './schema.ts'

/**
 * Reads a parameter that clients can make large. It is written by hand because zod checks all items of a list before it counts them, and
 * continues after an error: 65,000 invalid items took 260 ms. A Reader counts first and stops at the first error.
 */
export interface Reader<T> {
  /** Throws Misfit if the value is invalid. An absent parameter is undefined. */
  read(value: unknown, limits: RpcLimits): T
  /** What it reads, for `rpc.discover`. Without the limits, which are settings, and without null for what may be absent. */
  readonly form: Schema
}

export const reader = <T>(form: Schema, read: (value: unknown, limits: RpcLimits) => T): Reader<T> => ({ read, form })

const DESCRIPTION_CHARS_MAX = 300

/** An invalid value: the problem, and the path to it within the parameter. */
export class Misfit extends Error {
  readonly problem: string
  path: string

  constructor(problem: string, path = '') {
    super(problem)
    this.problem = problem
    this.path = path
  }

  /** For the error message. May quote what the client sent, up to a bound. */
  get description(): string {
    return (this.path === '' ? this.problem : `${this.path} ${this.problem}`).slice(0, DESCRIPTION_CHARS_MAX)
  }
}

/** Adds a member or index to the path of a Misfit. */
function within(failure: unknown, name: string | number): unknown {
  if (failure instanceof Misfit) failure.path = failure.path === '' ? String(name) : `${name}.${failure.path}`
  return failure
}

const SHOWN_CHARS = 100
/** Shortens a client's text for messages. */
export const shown = (name: string): string => name.slice(0, SHOWN_CHARS)

/** Reads a value with a schema. Only for values that are small, or bounded by the schema. Throws Misfit. */
export function readBy<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const usual = usualOf(schema, value)
  if (usual !== undefined) return usual as z.output<S>
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new Misfit(issue?.message ?? 'is not valid', issue?.path.join('.'))
}

export const by =
  <S extends z.ZodType>(schema: S) =>
  (value: unknown): z.output<S> =>
    readBy(schema, value)

/** Reads a list. Counts its items before it reads any of them. */
export function readList<T>(value: unknown, max: number, what: string, item: (value: unknown) => T): T[] {
  if (!Array.isArray(value)) throw new Misfit('must be an array')
  requireFew(value.length, max, what)
  const items: T[] = []
  let i = 0
  try {
    for (; i < value.length; i++) items.push(item(value[i]))
  } catch (failure) {
    throw within(failure, i)
  }
  return items
}

/** Throws Misfit if there are more than `max`. */
export function requireFew(count: number, max: number, what: string): void {
  if (count > max) throw new Misfit(`has ${count} ${what}, the limit is ${max}`)
}

export type Members = Readonly<Record<string, unknown>>

export function readObject(value: unknown): Members {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members
  throw new Misfit('must be an object')
}

/** Whether an optional member is present. Null is the same as absent, as in go-ethereum. */
export const isGiven = (object: Members, name: string): boolean => object[name] !== undefined && object[name] !== null

/** Throws Misfit if the object has a member that is not known: a misspelt one would silently have no effect. */
export function requireKnown(object: Members, known: ReadonlySet<string>): void {
  for (const name of Object.keys(object))
    if (!known.has(name) && isGiven(object, name))
      throw new Misfit(`has the unknown field ${shown(name)}, allowed are ${[...known].join(', ')}`)
}

/** Reads a required member. */
export function member<T>(object: Members, name: string, read: (value: unknown) => T): T {
  try {
    return read(object[name])
  } catch (failure) {
    throw within(failure, name)
  }
}

/** Reads an optional member. */
export const optional = <T>(object: Members, name: string, read: (value: unknown) => T): T | undefined =>
  isGiven(object, name) ? member(object, name, read) : undefined
