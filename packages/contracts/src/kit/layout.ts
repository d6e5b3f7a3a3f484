import type { Merged } from './declaration.ts'
import type { LayoutField } from './description.ts'
import type { Guest } from './guest.ts'

declare const quoin: Guest

/** Where a contract keeps the layout of its state: a line `name type` for each field. */
const LAYOUT_KEY = '#layout'
const LAYOUT_CHARS_MAX = 16_384

/** The layout of a declaration. Throws TypeError when it is larger than one may be. */
export function layoutOf({ state }: Merged): readonly LayoutField[] {
  const layout = state.map(([name, { type }]) => ({ name, type }))
  const { length } = textOf(layout)
  if (length > LAYOUT_CHARS_MAX)
    throw new TypeError(`the layout of the state takes ${length} characters, at most ${LAYOUT_CHARS_MAX} are allowed`)
  return layout
}

const textOf = (layout: readonly LayoutField[]): string => layout.map(({ name, type }) => `${name} ${type}`).join('\n')

/** Remembers the layout with which a contract begins. */
export const storeLayout = (layout: readonly LayoutField[]): void => quoin.store('string', LAYOUT_KEY, textOf(layout))

/**
 * Replaces the stored layout by that of the new code. Throws when a field is missing or is something else than it was: what lies in storage
 * would be lost or misread. A contract that was made without the kit has no layout and may take any.
 */
export function upgradeLayout(layout: readonly LayoutField[]): void {
  const problem = layoutProblem(parse(quoin.load('string', LAYOUT_KEY) as string), layout)
  if (problem !== undefined) throw new Error(problem)
  storeLayout(layout)
}

function parse(text: string): readonly LayoutField[] {
  return text === ''
    ? []
    : text.split('\n').map((line) => ({ name: line.slice(0, line.indexOf(' ')), type: line.slice(line.indexOf(' ') + 1) }))
}

/** Why a layout cannot follow another: layouts only grow. */
export function layoutProblem(former: readonly LayoutField[], next: readonly LayoutField[]): string | undefined {
  for (const { name, type } of former) {
    const field = next.find((other) => other.name === name)
    if (field === undefined) return `state.${name} is missing: it was ${type}, and its values are still there; keep declaring it`
    if (field.type !== type)
      return `state.${name} was ${type} and is ${field.type} now: declare a new field beside it (replaces reads through to the old one)`
  }
  return undefined
}
