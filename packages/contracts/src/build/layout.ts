import type { LayoutField } from '../kit/description.ts'

/** A way in which a layout does not follow from another. */
export interface LayoutProblem {
  /** The field. */
  readonly name: string
  readonly message: string
}

/**
 * Why a contract with the layout `next` cannot take the place of one with the layout `former`: nothing when all fields are still there as they
 * were. The kit's `migrate` decides the same on the chain.
 */
export function checkLayout(former: readonly LayoutField[], next: readonly LayoutField[]): readonly LayoutProblem[] {
  const types = new Map(next.map(({ name, type }) => [name, type]))
  return former.flatMap(({ name, type }) => {
    const now = types.get(name)
    if (now === type) return []
    const message =
      now === undefined
        ? `state.${name} is missing: it was ${type}, and its values are still in the storage. Keep declaring it`
        : `state.${name} was ${type} and is ${now} now. Declare a new field beside it that reads through to the old one`
    return [{ name, message }]
  })
}
