/** Encoding of values between a test and its contract as text. Contracts bundle this module, so it uses only plain JavaScript. */
export type Wire = bigint | boolean | string | Uint8Array | undefined | readonly Wire[] | { readonly [name: string]: Wire }

type Tagged = string | boolean | null | readonly Tagged[] | { readonly [name: string]: Tagged }

export const encodeWire = (value: Wire): string => JSON.stringify(tag(value))
export const decodeWire = (text: string): Wire => untag(JSON.parse(text) as Tagged)

function tag(value: Wire): Tagged {
  if (value === undefined) return null
  if (typeof value === 'boolean') return value
  if (typeof value === 'bigint') return `n${value}`
  if (typeof value === 'string') return `s${value}`
  if (value instanceof Uint8Array) return `x${[...value].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
  if (Array.isArray(value)) return (value as readonly Wire[]).map(tag)
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, tag(member as Wire)]))
}

function untag(value: Tagged): Wire {
  if (value === null) return undefined
  if (typeof value === 'boolean') return value
  if (typeof value === 'string') return untagText(value[0]!, value.slice(1))
  if (Array.isArray(value)) return (value as readonly Tagged[]).map(untag)
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, untag(member as Tagged)]))
}

function untagText(kind: string, rest: string): Wire {
  if (kind === 'n') return BigInt(rest)
  if (kind === 's') return rest
  return Uint8Array.from({ length: rest.length / 2 }, (_, i) => Number.parseInt(rest.slice(2 * i, 2 * i + 2), 16))
}

/**
 * A step of a contract of `contract.ts`. `do` calls `verb` on the field that `keys` lead to through mappings; the verb `*` returns all values. `each`
 * iterates over a table's range and makes a list of changes at each step. `call` makes the other contract run a program and catches its failure.
 */
export type Step =
  | {
      readonly kind: 'do'
      readonly field: string
      readonly keys: readonly Wire[]
      readonly verb: string
      readonly args: readonly Wire[]
    }
  | {
      readonly kind: 'each'
      readonly field: string
      readonly keys: readonly Wire[]
      readonly range: Wire
      readonly changes: readonly (readonly Wire[])[]
    }
  | { readonly kind: 'call'; readonly program: Program; readonly fails: boolean }
export type Program = readonly Step[]
