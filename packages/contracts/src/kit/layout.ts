import type { Guest } from './guest.ts'
import type { Fields } from './state/field.ts'

declare const quoin: Guest

/** Where a contract keeps the layout of its state: a line `name type` for each field. */
const LAYOUT_KEY = '#layout'

/** The layout of a state as text: what it holds, and of which kind. */
export const layoutOf = (state: Fields): string =>
  Object.keys(state)
    .map((name) => `${name} ${state[name]!.type}`)
    .join('\n')

/** Remembers the layout with which a contract begins. */
export const storeLayout = (layout: string): void => quoin.store('string', LAYOUT_KEY, layout)

/**
 * Replaces the stored layout by that of the new code. Throws when a field is missing or is something else than it was: what lies in storage
 * would be lost or misread. A contract that was made without the kit has no layout and may take any.
 */
export function upgradeLayout(layout: string): void {
  const fields = layout.split('\n')
  for (const field of (quoin.load('string', LAYOUT_KEY) as string).split('\n')) {
    if (field === '' || fields.includes(field)) continue
    throw new Error(`state: "${field}" is missing or changed; layouts only grow: keep the field and declare a new one beside it`)
  }
  storeLayout(layout)
}
