import { type Declared, type Merged, partsOf } from './declaration.ts'
import { registry } from './registry.ts'

/** A field in the state layout: its name and its type in canonical form. */
export interface LayoutField {
  readonly name: string
  /** `value(uint256)`, `mapping(address,mapping(address,uint256))`, … */
  readonly type: string
}

/** A contract's declaration without its code, including all parts. */
export interface Description {
  /** Items in the form of the declaration: human-readable lines or JSON. */
  readonly abi: readonly unknown[]
  readonly layout: readonly LayoutField[]
  /** `none`, `deployer` or an address. */
  readonly upgradeAuthority: string
  /** Names or signatures of functions that allow re-entrant calls. */
  readonly reentrant: readonly string[]
}

const ABI_ITEMS_MAX = 512
const PARTS_MAX = 64
const FIELDS_MAX = 256
const LAYOUT_CHARS_MAX = 16_384

const descriptions = new WeakMap<object, Description>()

/** The declaration that `contract` got for this module; undefined for anything else. For the build: contracts do not import this. */
export const descriptionOf = (module: unknown): Description | undefined =>
  typeof module === 'object' && module !== null ? descriptions.get(module) : undefined

/**
 * Copies a declaration when `contract` is called. Throws if it is not plain data or contradicts itself. It runs in the build only, because a deployment
 * would pay for it.
 */
registry.declared = (module, declared, merged) => {
  const parts = partsOf(declared)
  atMost('parts', parts.size, PARTS_MAX)
  for (const part of parts) checkMembers(part, part === declared ? CONTRACT_MEMBERS : PART_MEMBERS)
  const { upgradeAuthority = 'none' } = declared as { upgradeAuthority?: string }
  const reentrant = new Set([...parts].flatMap((part) => listOf(part.reentrant ?? [], 'reentrant')))
  if (typeof upgradeAuthority !== 'string' || !/^(?:none|deployer|0x[\da-fA-F]{40})$/.test(upgradeAuthority))
    throw new TypeError(`upgradeAuthority must be 'none', 'deployer' or an address`)
  atMost('items in the abi', merged.abi.length, ABI_ITEMS_MAX)
  descriptions.set(module, {
    abi: merged.abi.map((item) => dataOf(item, 'an item of the abi')),
    layout: layoutFields(merged),
    upgradeAuthority,
    reentrant: [...reentrant],
  })
}

const PART_MEMBERS = ['uses', 'abi', 'state', 'modifiers', 'functions', 'reentrant']
const CONTRACT_MEMBERS = [...PART_MEMBERS, ...['constructor', 'receive', 'fallback', 'migrate', 'upgradeAuthority']]

function atMost(what: string, count: number, max: number): void {
  if (count > max) throw new TypeError(`${count} ${what}, at most ${max} are allowed`)
}

function checkMembers(declared: Declared, allowed: readonly string[]): void {
  for (const [name] of membersOf(declared, 'the declaration'))
    if (!allowed.includes(name)) throw new TypeError(`the declaration has no member ${name}: allowed are ${allowed.join(', ')}`)
  for (const [name] of membersOf(declared.state ?? {}, 'the state'))
    if (!IDENTIFIER.test(name)) throw new TypeError(`state.${name}: a field's name is an identifier of at most 64 characters`)
  for (const [name, run] of membersOf(declared.functions ?? {}, 'functions'))
    if (typeof run !== 'function') throw new TypeError(`functions.${name} is not a function`)
  for (const [name, list] of membersOf(declared.modifiers ?? {}, 'modifiers'))
    if (!Array.isArray(list) || !list.every((item) => typeof item === 'function'))
      throw new TypeError(`modifiers.${name} is not a list of functions`)
}

const IDENTIFIER = /^(?!__proto__$)[A-Za-z_$][\w$]{0,63}$/

const INTEGER =
  /u?int(?:8|16|24|32|40|48|56|64|72|80|88|96|1(?:04|12|20|28|36|44|52|60|68|76|84|92)|2(?:00|08|16|24|32|40|48|56))/
const BYTES = /bytes(?:[1-9]|[12]\d|3[012])/
const KEY_TYPE = new RegExp(`^(?:address|bool|(?:mapping|set) (?:string|bytes)|${BYTES.source}|${INTEGER.source})$`)

/** Types of the keys in a field's type. `string` and `bytes` are prefixed with the kind of field, because tables do not allow them. */
const keyTypesOf = (type: string): readonly string[] =>
  [...type.matchAll(/\b(mapping|set|table)\((?=([^();]*))/g)].flatMap(([, kind, types]) => {
    const keys = types!.split(',')
    return (kind === 'mapping' ? keys.slice(0, 1) : keys).map((key) => (/^(?:string|bytes)$/.test(key) ? `${kind} ${key}` : key))
  })

function layoutFields({ state }: Merged): readonly LayoutField[] {
  const layout = membersOf(state, 'the state').map(([name, field]) => {
    if (typeof field?.open !== 'function' || typeof field.type !== 'string' || /\s*\n/.test(field.type))
      throw new TypeError(`state.${name} is not a field: use value, mapping, set, list or table`)
    for (const type of keyTypesOf(field.type))
      if (!KEY_TYPE.test(type)) throw new TypeError(`state.${name}: keys cannot have the type ${type || 'nothing'}`)
    return { name, type: field.type }
  })
  atMost('fields in the state', layout.length, FIELDS_MAX)
  atMost(
    'characters of layout',
    layout.reduce((sum, { name, type }) => sum + name.length + type.length + 2, 0),
    LAYOUT_CHARS_MAX,
  )
  return layout
}

/**
 * Names and values of a declaration, in order. Getters are errors, because a getter could return one value for the check and another one for the use.
 */
function membersOf<V>(declaration: { readonly [name: string]: V } | object, what: string): readonly (readonly [string, V])[] {
  return Reflect.ownKeys(declaration).map((name) => {
    const member = Object.getOwnPropertyDescriptor(declaration, name)!
    if (typeof name !== 'string') throw new TypeError(`${what} has the symbol ${String(name)} as a name`)
    if ('get' in member) throw new TypeError(`${what} has a getter, ${name}: it must be a plain value`)
    return [name, member.value as V] as const
  })
}

function listOf(value: unknown, what: string): readonly string[] {
  if (!Array.isArray(value)) throw new TypeError(`${what} is not a list`)
  return dataOf(value, what) as readonly string[]
}

/** Copies plain data, so that later changes of the original have no effect. */
function dataOf(value: unknown, what: string): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === undefined) return value
  if (typeof value !== 'object' || value === null) throw new TypeError(`${what} is neither a string nor JSON`)
  if (Array.isArray(value))
    return membersOf(value, what).flatMap(([name, item]) => (name === 'length' ? [] : [dataOf(item, what)]))
  return Object.fromEntries(membersOf(value, what).map(([name, item]) => [name, dataOf(item, what)]))
}
