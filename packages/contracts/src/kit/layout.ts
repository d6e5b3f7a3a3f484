import type { Guest } from './guest.ts'
import type { Fields } from './state/field.ts'

declare const quoin: Guest

/** Storage key of the state layout: one line `name type` for each field. */
const LAYOUT_KEY = '#layout'

/** The layout of a state as text: one line `name type` for each field. */
export const layoutOf = (state: Fields): string =>
  Object.keys(state)
    .map((name) => `${name} ${state[name]!.type}`)
    .join('\n')

/** Stores the first layout of a contract. */
export const storeLayout = (layout: string): void => quoin.store('string', LAYOUT_KEY, layout)

/**
 * Replaces the stored layout with that of the new code. A contract that was made without the kit has no layout, so that any layout can follow.
 *
 * @throws Error when a field is missing or has another type, because its values in storage would be lost or misread
 */
export function upgradeLayout(layout: string): void {
  const fields = layout.split('\n')
  for (const field of (quoin.load('string', LAYOUT_KEY) as string).split('\n')) {
    if (field === '' || fields.includes(field)) continue
    throw new Error(`state: "${field}" is missing or changed; layouts only grow: keep the field and declare a new one beside it`)
  }
  storeLayout(layout)
}
