import type { LayoutField } from '../kit/description.ts'
import { layoutOf, lostFields } from '../kit/layout.ts'

/** A way in which a layout does not follow from another. */
export interface LayoutProblem {
  /** The field. */
  readonly name: string
  readonly message: string
}

/** Why a contract with the layout `next` cannot take the place of one with the layout `former`: by the rule of the kit's `migrate`, in words. */
export function checkLayout(former: readonly LayoutField[], next: readonly LayoutField[]): readonly LayoutProblem[] {
  const lost = lostFields(textOf(former), textOf(next))
  const types = new Map(next.map(({ name, type }) => [name, type]))
  return former
    .filter((field) => lost.includes(textOf([field])))
    .map(({ name, type }) => {
      const now = types.get(name)
      const message =
        now === undefined
          ? `state.${name} is missing: it was ${type}, and its values are still in the storage. Keep declaring it`
          : `state.${name} was ${type} and is ${now} now. Declare a new field beside it that reads through to the old one`
      return { name, message }
    })
}

const textOf = (fields: readonly LayoutField[]): string =>
  layoutOf(Object.fromEntries(fields.map((field) => [field.name, field])))
