import type { Fields } from './state/field.ts'

type AnyFunction = (...values: never[]) => unknown
export type Functions = { readonly [name: string]: AnyFunction }

/** The argument of `contract` or `part`, without its exact types. */
export interface Declared {
  readonly uses?: readonly Declared[]
  readonly abi?: readonly unknown[]
  readonly state?: Fields
  readonly functions?: Functions
  /** Modifiers by function. */
  readonly modifiers?: { readonly [name: string]: readonly AnyFunction[] }
  readonly reentrant?: readonly string[]
}

/** A declaration merged with all of its parts. */
export interface Merged {
  /** Every item once, in order. */
  readonly abi: readonly unknown[]
  readonly state: Fields
  readonly functions: Functions
}

/**
 * Merges a declaration with its parts. Parts that are used several times count once. A function overrides the functions with the same name in the
 * parts that its own part or contract uses. The build (`description.ts`) finds all other errors, so that deployments do not pay for these checks.
 *
 * @throws TypeError for two fields with one name, or a function that several parts have and no user of them overrides
 */
export function merge(declared: Declared): Merged {
  const abi = new Set<unknown>()
  const state = Object.create(null) as { [name: string]: Fields[string] }
  const functions = Object.create(null) as { [name: string]: AnyFunction }
  /** By function: the parts whose function is not overridden. */
  const writers = Object.create(null) as { [name: string]: readonly Declared[] }
  const modifiers = Object.create(null) as { [name: string]: readonly AnyFunction[] }
  for (const part of partsOf(declared)) {
    for (const item of part.abi ?? []) abi.add(item)
    for (const name of Object.keys(part.state ?? {})) {
      if (name in state && state[name] !== part.state![name]) throw new TypeError(`the state has two fields of the name ${name}`)
      state[name] = part.state![name]!
    }
    for (const name of Object.keys(part.functions ?? {})) {
      const run = part.functions![name]!
      const others = writers[name]?.filter((writer) => writer.functions![name] !== run && !partsOf(part).has(writer)) ?? []
      writers[name] = [...others, part]
      functions[name] = run
    }
    for (const name of Object.keys(part.modifiers ?? {}))
      modifiers[name] = [...(modifiers[name] ?? []), ...part.modifiers![name]!]
  }
  for (const name of Object.keys(writers))
    if (writers[name]!.length > 1) throw new TypeError(`write it in the contract, for two parts have a function ${name}`)
  for (const name of Object.keys(modifiers)) functions[name] = modified(modifiers[name]!, functions[name]!)
  return { abi: [...abi], state, functions }
}

/** The parts of a declaration, each once, then the declaration itself. A part comes after the parts that it uses. */
export function partsOf(declared: Declared, parts = new Set<Declared>()): ReadonlySet<Declared> {
  for (const used of declared.uses ?? []) if (!parts.has(used)) partsOf(used, parts)
  return parts.add(declared)
}

/** A function that runs its modifiers first. */
function modified(modifiers: readonly AnyFunction[], run: AnyFunction): AnyFunction {
  return (...values) => {
    for (const modifier of modifiers) modifier(...values)
    return run(...values)
  }
}
