import fc from 'fast-check'
import type { Schema } from '../src/rpc/forms/index.ts'

type Members = Readonly<Record<string, Schema>>

/** More levels of objects in objects than any parameter has. */
const DEPTH_MAX = 8
const ITEMS_MAX = 3

/** Values of a schema of an OpenRPC document. What `not` excludes is not left out. */
export function valuesOf(schema: Schema, components: Members, depth = 0): fc.Arbitrary<unknown> {
  if (depth > DEPTH_MAX) throw new Error('a schema is deeper than expected')
  const of = (one: Schema) => valuesOf(one, components, depth + 1)
  const { $ref, anyOf, enum: values, type } = schema
  if (typeof $ref === 'string') return valuesOf(components[$ref.slice('#/components/schemas/'.length)]!, components, depth)
  if (Array.isArray(anyOf)) return fc.oneof(...(anyOf as Schema[]).map(of))
  if (Array.isArray(values)) return fc.constantFrom(...(values as unknown[]))
  if ('const' in schema) return fc.constant(schema['const'])
  if (Array.isArray(type)) return fc.oneof(...type.map((one: unknown) => of({ ...schema, type: one })))
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = schema as { readonly minimum?: number; readonly maximum?: number }
  switch (type) {
    case 'string':
      return typeof schema['pattern'] === 'string' ? fc.stringMatching(new RegExp(schema['pattern'])) : fc.string()
    case 'integer':
      return fc.maxSafeInteger().map((value) => minimum + (Math.abs(value) % (maximum - minimum + 1)))
    case 'number':
      return fc.double({ min: minimum, max: maximum, noNaN: true })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array': {
      const { minItems: minLength = 0 } = schema as { readonly minItems?: number }
      return fc.array(of(schema['items'] as Schema), { minLength, maxLength: ITEMS_MAX })
    }
    case 'object':
      return objectsOf(schema, of)
    case undefined:
      return fc.jsonValue({ maxDepth: 2 })
    default:
      throw new Error(`no values are made for the type ${JSON.stringify(type)}`)
  }
}

function objectsOf(schema: Schema, of: (schema: Schema) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const properties = (schema['properties'] ?? {}) as Members
  const required = (schema['required'] ?? []) as string[]
  const members = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, of(one)]))
  const known = fc.record(members, { requiredKeys: required })
  const { minProperties: minKeys = 0 } = schema as { readonly minProperties?: number }
  const maps = Object.entries((schema['patternProperties'] ?? {}) as Members).map(([pattern, one]) =>
    fc.dictionary(fc.stringMatching(new RegExp(pattern)), of(one), { minKeys, maxKeys: ITEMS_MAX }),
  )
  return fc.tuple(known, ...maps).map((parts) => Object.assign({}, ...parts) as unknown)
}

/** Replaces a part of a value: a member, an item, or the value itself; or adds a member. */
export const mutated = (value: unknown): fc.Arbitrary<unknown> =>
  fc.tuple(fc.infiniteStream(fc.nat()), junk).map(([choices, other]) => replaced(value, other, choices))

/** Hex at the ends of ranges: of 32, 53, 64, 240 and 256 bits, an address, a hash, a storage key. */
const HEX = [1, 2, 8, 9, 14, 15, 16, 17, 40, 60, 61, 64, 65, 255, 256, 257].map((digits) => `0x${'f'.repeat(digits)}`)

const JUNK: readonly unknown[] = [
  ...['', '0x', '0x0', '0x00', '0x01', '0xF', '0xg', '0x1fffffffffffff', '0x20000000000000', ...HEX, '1', 'latest'],
  ...[true, false, null, 0, -1, 0.5, 100, 101, 2 ** 32, 2 ** 53, 1e300, [], {}, [[]], [{}], { a: 1 }, { blockHash: '0x' }],
]
const junk = fc.nat(JUNK.length - 1).map((i) => JUNK[i])

function replaced(value: unknown, other: unknown, choices: Iterator<number>): unknown {
  const choice = choices.next().value as number
  if (typeof value !== 'object' || value === null || choice % 4 === 0) return other
  if (Array.isArray(value)) {
    if (value.length === 0) return [other]
    return value.map((item: unknown, i) => (i === choice % value.length ? replaced(item, other, choices) : item))
  }
  const names = [...Object.keys(value), 'unknown']
  const name = names[choice % names.length]!
  return { ...value, [name]: replaced((value as Readonly<Record<string, unknown>>)[name], other, choices) }
}
