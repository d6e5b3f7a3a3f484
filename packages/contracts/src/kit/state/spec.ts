import type { Spec, SpecValue } from '../value-types.ts'

/** How values of a spec pass to the host and back. */
export interface Shape<V> {
  /** The ABI's name of the type. */
  readonly type: string
  /** Undefined where host and contract have the same form. */
  readonly pack: ((value: V) => unknown) | undefined
  readonly unpack: ((stored: unknown) => V) | undefined
}

const TYPE =
  /^(?:address|bool|string|bytes(?:[1-9]|[12]\d|3[0-2])?|u?int(?:8|16|24|32|40|48|56|64|72|80|88|96|104|112|120|128|136|144|152|160|168|176|184|192|200|208|216|224|232|240|248|256))(?:\[\d*\])*$/

/** What a spec means; throws TypeError where it is none. */
export function shapeOf<T extends Spec>(spec: T): Shape<SpecValue<T>> {
  return shapeOfSpec(spec, '') as unknown as Shape<SpecValue<T>>
}

function shapeOfSpec(spec: Spec, path: string): Shape<never> {
  if (typeof spec === 'string') {
    if (!TYPE.test(spec)) throw new TypeError(`${path}"${spec}" is not the canonical name of an ABI type (uint256, not uint)`)
    return { type: spec, pack: undefined, unpack: undefined }
  }
  return structShape(
    membersOf(spec, 'a struct').map(([name, member]) => [name, shapeOfSpec(member, `${path}${name}: `)] as const),
  )
}

type Member = readonly [name: string, shape: Shape<never>]

function structShape(members: readonly Member[]): Shape<never> {
  if (members.length === 0) throw new TypeError('a struct has one member at least')
  return {
    type: `(${members.map(([, { type }]) => type).join(',')})`,
    pack: (value: { readonly [name: string]: never }) =>
      members.map(([name, { pack }]) => (pack === undefined ? value[name] : pack(value[name]!))),
    unpack: (stored) => {
      const value: { [name: string]: unknown } = {}
      for (let i = 0; i < members.length; i++) {
        const [name, { unpack }] = members[i]!
        const item = (stored as readonly unknown[])[i]
        value[name] = unpack === undefined ? item : unpack(item)
      }
      return value as never
    },
  }
}

/**
 * Names and values of a declaration, in order. What a declaration holds is data: a getter could say one thing when it is checked and
 * another when it is used.
 */
export function membersOf<V>(declaration: { readonly [name: string]: V }, what: string): readonly (readonly [string, V])[] {
  return Reflect.ownKeys(declaration).map((name) => {
    const { value, get, set } = Object.getOwnPropertyDescriptor(declaration, name)!
    if (typeof name !== 'string' || !/^[A-Za-z_$][\w$]{0,63}$/.test(name) || name === '__proto__')
      throw new TypeError(`${what} has the name ${String(name)}: names are identifiers of at most 64 characters`)
    if (get !== undefined || set !== undefined) throw new TypeError(`${what} has a getter, ${name}: it must be a plain value`)
    return [name, value as V] as const
  })
}
