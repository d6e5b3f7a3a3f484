import type { Fields } from './state/field.ts'

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
  /** Every item once. */
  readonly abi: readonly unknown[]
  readonly state: Fields
  readonly functions: Functions
}

/**
 * Merges a declaration with its parts: what two of them share is there once, a function of the contract replaces a part's. What else would be
 * wrong with a declaration is found by the build (`description.ts`) and not paid for at each deployment.
 */
export function merge(declared: Declared): Merged {
  const abi = new Set<unknown>()
  const state: { [name: string]: Fields[string] } = Object.create(null)
  const functions: { [name: string]: AnyFunction } = Object.create(null)
  const modifiers: { [name: string]: readonly AnyFunction[] } = Object.create(null)
  const parts = partsOf(declared)
  for (const part of parts) {
    for (const item of part.abi ?? []) abi.add(item)
    addAll(state, part.state, 'the state has two fields of the name')
    if (part !== declared) addAll(functions, part.functions, 'write it in the contract, for two parts have a function')
    for (const name of Object.keys(part.modifiers ?? {}))
      modifiers[name] = [...(modifiers[name] ?? []), ...part.modifiers![name]!]
  }
  Object.assign(functions, declared.functions)
  for (const name of Object.keys(modifiers)) functions[name] = modified(modifiers[name]!, functions[name]!)
  return { abi: [...abi], state, functions }
}

/** The parts of a declaration, those that others use first, each once, and the declaration itself at the end. */
export function partsOf(declared: Declared, parts = new Set<Declared>()): ReadonlySet<Declared> {
  for (const used of declared.uses ?? []) if (!parts.has(used)) partsOf(used, parts)
  return parts.add(declared)
}

function addAll<T>(all: { [name: string]: T }, some: { readonly [name: string]: T } | undefined, problem: string): void {
  for (const name of Object.keys(some ?? {})) {
    if (name in all && all[name] !== some![name]) throw new TypeError(`${problem} ${name}`)
    all[name] = some![name]!
  }
}

/** A function behind its modifiers. */
function modified(modifiers: readonly AnyFunction[], run: AnyFunction): AnyFunction {
  return (...values) => {
    for (const modifier of modifiers) modifier(...values)
    return run(...values)
  }
}
