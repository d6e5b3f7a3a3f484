import type { Fields } from './state/field.ts'
import { membersOf } from './state/spec.ts'

type AnyFunction = (...values: never[]) => unknown
export type Functions = { readonly [name: string]: AnyFunction }

/** What the author gave to `contract` or `part`, types aside. */
export interface Declared {
  readonly uses?: readonly Declared[]
  readonly abi?: readonly unknown[]
  readonly state?: Fields
  readonly functions?: Functions
  /** By function. */
  readonly modifiers?: { readonly [name: string]: readonly AnyFunction[] }
}

/** A declaration and all of its parts in one. */
export interface Merged {
  readonly abi: readonly unknown[]
  readonly state: readonly (readonly [name: string, field: Fields[string]])[]
  readonly functions: readonly (readonly [name: string, run: AnyFunction])[]
}

/** Items of an ABI, parts and fields that a declaration may have: what a deployment can evaluate. */
const ABI_ITEMS_MAX = 512
const PARTS_MAX = 64
const FIELDS_MAX = 256

/** Merges a declaration with its parts. Throws TypeError where they contradict each other, or are no plain data. */
export function merge(declared: Declared): Merged {
  const parts = partsOf(declared)
  const abi = new Map<string, unknown>()
  const state = new Map<string, Fields[string]>()
  const functions = new Map<string, AnyFunction>()
  const modifiers = new Map<string, readonly AnyFunction[]>()
  for (const part of parts) {
    for (const item of part.abi ?? []) {
      const copy = dataOf(item, 'an item of the abi')
      abi.set(typeof copy === 'string' ? copy.replace(/\s+/g, ' ').trim() : JSON.stringify(copy), copy)
    }
    for (const [name, field] of membersOf(part.state ?? {}, 'the state')) {
      if (state.has(name) && state.get(name) !== field) throw new TypeError(`the state has two fields of the name ${name}`)
      if (typeof field?.open !== 'function' || typeof field.type !== 'string')
        throw new TypeError(`state.${name} is no field: use value, mapping, set, list or table`)
      state.set(name, field)
    }
    for (const [name, run] of functionsOf(part)) {
      const isOwn = part === declared
      if (!isOwn && functions.has(name) && functions.get(name) !== run)
        throw new TypeError(`two parts have a function ${name}: the contract must say which, with a function of its own`)
      functions.set(name, run)
    }
    for (const [name, list] of Object.entries(part.modifiers ?? {}))
      modifiers.set(name, [...(modifiers.get(name) ?? []), ...list])
  }
  for (const name of modifiers.keys())
    if (!functions.has(name)) throw new TypeError(`there are modifiers of ${name}, and no such function`)
  if (abi.size > ABI_ITEMS_MAX) throw new TypeError(`the abi has ${abi.size} items, at most ${ABI_ITEMS_MAX} are allowed`)
  if (state.size > FIELDS_MAX) throw new TypeError(`the state has ${state.size} fields, at most ${FIELDS_MAX} are allowed`)
  return {
    abi: [...abi.values()],
    state: [...state],
    functions: [...functions].map(([name, run]) => [name, modified(modifiers.get(name) ?? [], run)]),
  }
}

/** A function behind its modifiers. */
function modified(modifiers: readonly AnyFunction[], run: AnyFunction): AnyFunction {
  if (modifiers.length === 0) return run
  return (...values) => {
    for (const modifier of modifiers) modifier(...values)
    return run(...values)
  }
}

/** The parts of a declaration, those that others use first, each once, and the declaration itself at the end. */
function partsOf(declared: Declared): readonly Declared[] {
  const parts = new Set<Declared>()
  const visit = (part: Declared, path: readonly Declared[]) => {
    if (path.length > PARTS_MAX || parts.size > PARTS_MAX) throw new TypeError(`more than ${PARTS_MAX} parts`)
    for (const used of part.uses ?? []) visit(used, [...path, part])
    parts.add(part)
  }
  visit(declared, [])
  return [...parts]
}

/** Functions go by name or signature, so that their names are checked against the ABI and not here. */
function functionsOf({ functions = {} }: Declared): readonly (readonly [string, AnyFunction])[] {
  return Object.entries(Object.getOwnPropertyDescriptors(functions)).map(([name, { value }]) => {
    if (typeof value !== 'function') throw new TypeError(`functions.${name} is no function`)
    return [name, value as AnyFunction] as const
  })
}

/** A frozen copy of plain data; whoever changes the original later changes nothing here. */
function dataOf(value: unknown, what: string): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === undefined) return value
  if (typeof value !== 'object' || value === null) throw new TypeError(`${what} is neither text nor JSON`)
  if (Array.isArray(value)) return Object.freeze(value.map((item) => dataOf(item, what)))
  return Object.freeze(
    Object.fromEntries(membersOf(value as { [name: string]: unknown }, what).map(([name, item]) => [name, dataOf(item, what)])),
  )
}
