import { z } from 'zod'
import type { RpcLimits } from './limits.ts'
import { usualOf } from './schema.ts'

/**
 * Parameters that clients can make large are read by hand, for zod looks at all items of a list before it counts them, and goes on behind
 * what is wrong: 65,000 wrong items took it 260 ms. Here counts come before items, and the first thing that is wrong ends the reading.
 */
export interface Reader<T> {
  /** Throws Misfit. An absent parameter is undefined. */
  read(value: unknown, limits: RpcLimits): T
}

export const reader = <T>(read: (value: unknown, limits: RpcLimits) => T): Reader<T> => ({ read })

const DESCRIPTION_CHARS_MAX = 300

/** What is wrong with a value, and where in it. */
export class Misfit extends Error {
  readonly problem: string
  path: string

  constructor(problem: string, path = '') {
    super(problem)
    this.problem = problem
    this.path = path
  }

  /** In words. It may name what the client sent. */
  get description(): string {
    return (this.path === '' ? this.problem : `${this.path} ${this.problem}`).slice(0, DESCRIPTION_CHARS_MAX)
  }
}

/** Says of a failure that it lies in a member or item. */
function within(failure: unknown, name: string | number): unknown {
  if (failure instanceof Misfit) failure.path = failure.path === '' ? String(name) : `${name}.${failure.path}`
  return failure
}

const SHOWN_CHARS = 100
/** A name that a client chose, as messages show it. */
export const shown = (name: string): string => name.slice(0, SHOWN_CHARS)

/** Reads by a schema a value that is small, or that the schema bounds by itself. Throws Misfit. */
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

/** Reads a list whose items are counted before one of them is looked at. */
export function readList<T>(value: unknown, max: number, what: string, item: (value: unknown) => T): T[] {
  if (!Array.isArray(value)) throw new Misfit('must be a list')
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

/** Throws Misfit where there are more than may be. */
export function requireFew(count: number, max: number, what: string): void {
  if (count > max) throw new Misfit(`has ${count} ${what}, at most ${max} are taken`)
}

export type Members = Readonly<Record<string, unknown>>

export function readObject(value: unknown): Members {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members
  throw new Misfit('must be an object')
}

/** Refuses members that are not known. */
export function requireKnown(object: Members, known: ReadonlySet<string>): void {
  for (const name of Object.keys(object)) if (!known.has(name)) throw new Misfit(`has the unknown member ${shown(name)}`)
}

/** Reads a member that must be there. */
export function member<T>(object: Members, name: string, read: (value: unknown) => T): T {
  try {
    return read(object[name])
  } catch (failure) {
    throw within(failure, name)
  }
}

/** Undefined where there is no such member. */
export const optional = <T>(object: Members, name: string, read: (value: unknown) => T): T | undefined =>
  object[name] === undefined ? undefined : member(object, name, read)

/** Undefined where there is no such member, or it is null. */
export const nullish = <T>(object: Members, name: string, read: (value: unknown) => T): T | undefined =>
  object[name] === null ? undefined : optional(object, name, read)
