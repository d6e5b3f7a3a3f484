import type { Guest } from '../guest.ts'
import { registry } from '../registry.ts'
import type { Spec, SpecValue } from '../value-types.ts'

declare const quoin: Guest

/** How values of a spec pass to the host and back. */
export interface Shape<V> {
  /** The ABI's name of the type. */
  readonly type: string
  /** Undefined where host and contract have the same form. */
  readonly pack?: ((value: V) => unknown) | undefined
  readonly unpack?: ((stored: unknown) => V) | undefined
}

/** What a spec means. Throws in the build where it is none: the host's library knows the ABI's types. A deployment does not pay for that again. */
export function shapeOf<T extends Spec>(spec: T): Shape<SpecValue<T>> {
  const shape = shapeOfSpec(spec)
  if (registry.declared) quoin.abiEncode(`${shape.type}[]`, [[]])
  return shape as unknown as Shape<SpecValue<T>>
}

function shapeOfSpec(spec: Spec): Shape<never> {
  if (typeof spec === 'string') return { type: spec }
  const members = Object.keys(spec).map((name) => ({ name, shape: shapeOfSpec(spec[name]!) }))
  return {
    type: `(${members.map(({ shape }) => shape.type).join()})`,
    pack: (value: { readonly [name: string]: never }) =>
      members.map(({ name, shape: { pack } }) => (pack ? pack(value[name]!) : value[name])),
    unpack: (stored) => {
      const value: { [name: string]: unknown } = {}
      members.forEach(({ name, shape: { unpack } }, i) => {
        const item = (stored as readonly unknown[])[i]
        value[name] = unpack ? unpack(item) : item
      })
      return value as never
    },
  }
}
