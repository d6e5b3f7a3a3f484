import type { Guest } from '../guest.ts'
import { registry } from '../registry.ts'
import type { Spec, SpecValue } from '../value-types.ts'

declare const quoin: Guest

/** Conversion of a spec's values between contract and host. */
export interface Shape<V> {
  /** ABI name of the type. */
  readonly type: string
  /** Undefined if host and contract use the same form. */
  readonly pack?: ((value: V) => unknown) | undefined
  readonly unpack?: ((stored: unknown) => V) | undefined
}

/** The conversion of a spec. In the build, throws for an invalid type, as found by the host's ABI encoder. Deployments skip this check to save gas. */
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
