import type { LayoutField } from '../kit/description.ts'
import { layoutOf, lostFields } from '../kit/layout.ts'

/** A field that keeps a new layout from replacing an old one. */
export interface LayoutProblem {
  /** Name of the field. */
  readonly name: string
  readonly message: string
}

/**
 * Compares the state layouts of a deployed and a new version of a contract. The kit's `migrate` decides on the chain, by the same function.
 *
 * @returns one problem for each field of `former` that is missing or has another type in `next`
 */
export function checkLayout(former: readonly LayoutField[], next: readonly LayoutField[]): readonly LayoutProblem[] {
  const lost = lostFields(textOf(former), textOf(next))
  const types = new Map(next.map(({ name, type }) => [name, type]))
  return former
    .filter((field) => lost.includes(textOf([field])))
    .map(({ name, type }) => {
      const now = types.get(name)
      const message =
        now === undefined
          ? `state.${name} is missing: it was ${type}, and its values are still in storage. Keep the declaration`
          : `state.${name} changed from ${type} to ${now}. Keep the old field, and declare a new one that reads through to it`
      return { name, message }
    })
}

const textOf = (fields: readonly LayoutField[]): string =>
  layoutOf(Object.fromEntries(fields.map((field) => [field.name, field])))
