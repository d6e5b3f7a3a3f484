import type { Guest } from './guest.ts'

declare const quoin: Guest

/** Where a contract keeps the layout of its state: a line `name type` for each field. */
const LAYOUT_KEY = '#layout'

/** The layout of a state as text: what it holds, and of which kind. */
export const layoutOf = (state: { readonly [name: string]: { readonly type: string } }): string =>
  Object.keys(state)
    .map((name) => `${name} ${state[name]!.type}`)
    .join('\n')

/** The lines of a former layout that the next one has not: fields that are missing or changed. `quoin build --against` asks here too. */
export function lostFields(former: string, next: string): readonly string[] {
  const kept = next.split('\n')
  return former.split('\n').filter((field) => field !== '' && !kept.includes(field))
}

/** Remembers the layout with which a contract begins. */
export const storeLayout = (layout: string): void => quoin.store('string', LAYOUT_KEY, layout)

/**
 * Replaces the stored layout by that of the new code. Throws when a field is missing or is something else than it was: what lies in storage
 * would be lost or misread. A contract that was made without the kit has no layout and may take any.
 */
export function upgradeLayout(layout: string): void {
  const [lost] = lostFields(quoin.load('string', LAYOUT_KEY) as string, layout)
  if (lost !== undefined)
    throw new Error(`state: "${lost}" is missing or changed; layouts only grow: keep the field and declare a new one beside it`)
  storeLayout(layout)
}
