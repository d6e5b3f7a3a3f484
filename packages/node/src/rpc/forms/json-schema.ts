/** A JSON schema (draft 7), the form of a parameter or of a result. */
export type Schema = Readonly<Record<string, unknown>>
type Members = Readonly<Record<string, Schema>>

const names = new WeakMap<Schema, string>()
const components = new Map<string, Schema>()
const choices = new WeakMap<Schema, readonly Schema[]>()

const COMPONENTS = '#/components/schemas/'

/** Gives a form a name: the document has it once, and refers to it. Throws if the name is taken. */
export function component(name: string, schema: Schema): Schema {
  if (components.has(name)) throw new Error(`there are two components named ${name}`)
  components.set(name, schema)
  names.set(schema, name)
  return schema
}

/** Refers to a component that is not made yet, such as the one around it. */
export const componentNamed = (name: string): Schema => ({ $ref: COMPONENTS + name })

export const text = (pattern: string): Schema => ({ type: 'string', pattern: `^${pattern}$` })
export const oneOf = (...allowed: readonly string[]): Schema => ({ type: 'string', enum: allowed })
export const flag: Schema = { type: 'boolean' }
export const nothing: Schema = { type: 'null' }
export const list = (items: Schema): Schema => ({ type: 'array', items })
export const anyOf = (...alternatives: readonly Schema[]): Schema => ({ anyOf: alternatives })

/** The form holds only where the condition is met. */
export const where = (condition: Schema, form: Schema): Schema => ({ if: { not: condition }, else: form })

/**
 * One of two forms. A check reports the problems of the one that can be meant by the condition, instead of those of both. The document
 * says `anyOf`.
 */
export function either(condition: Schema, met: Schema, otherwise: Schema): Schema {
  const schema = { allOf: [where(condition, met), { if: condition, else: otherwise }] }
  choices.set(schema, [met, otherwise])
  return schema
}
export const orNull = (schema: Schema): Schema => either(nothing, nothing, schema)

/** One form for each value of a member. */
export function byMember<V extends string>(member: string, values: readonly V[], formOf: (value: V) => Schema): Schema {
  const forms = values.map(formOf)
  const schema = {
    ...open({ [member]: oneOf(...values) }),
    allOf: forms.map((form, i) => where({ properties: { [member]: { const: values[i] } } }, form)),
  }
  choices.set(schema, forms)
  return schema
}

/** An object that may have further members. */
export const open = (required: Members, optional: Members = {}): Schema => ({
  type: 'object',
  ...(Object.keys(required).length === 0 ? {} : { required: Object.keys(required) }),
  properties: { ...required, ...optional },
})
/** An object without further members. */
export const closed = (required: Members, optional: Members = {}): Schema => ({
  ...open(required, optional),
  additionalProperties: false,
})
export const mapOf = (values: Schema, memberNames = '.*'): Schema => ({
  type: 'object',
  patternProperties: { [`^${memberNames}$`]: values },
  additionalProperties: false,
})
/** An object that has at most one member of each pair. */
export const notBoth = (schema: Schema, ...pairs: readonly (readonly [string, string])[]): Schema => ({
  ...schema,
  allOf: pairs.map((pair) => ({ not: { required: pair } })),
})

/** A form as the document has it. `use` gets the name of each component that it refers to. */
export function written(schema: Schema, use: (name: string) => void): Schema {
  const name = names.get(schema)
  if (name === undefined) return spelledOut(schema, use)
  use(name)
  return componentNamed(name)
}

/** The form of a component, as the document has it. */
export const writtenComponent = (name: string, use: (name: string) => void): Schema => spelledOut(components.get(name)!, use)

function spelledOut(schema: Schema, use: (name: string) => void): Schema {
  const alternatives = choices.get(schema)
  if (alternatives !== undefined) return { anyOf: alternatives.flatMap((one) => flattened(written(one, use))) }
  return Object.fromEntries(Object.entries(schema).map(([keyword, value]) => [keyword, writtenValue(keyword, value, use)]))
}

const flattened = (schema: Schema): readonly Schema[] =>
  Array.isArray(schema['anyOf']) ? (schema['anyOf'] as readonly Schema[]) : [schema]

function writtenValue(keyword: string, value: unknown, use: (name: string) => void): unknown {
  if (keyword === '$ref') use((value as string).slice(COMPONENTS.length))
  if (Array.isArray(value)) return value.map((one) => writtenValue('', one, use))
  return typeof value === 'object' && value !== null ? written(value as Schema, use) : value
}
