import type { Guest } from './guest.ts'

declare const quoin: Guest

/** Storage key of the state layout: one line `name type` for each field. */
const LAYOUT_KEY = '#layout'

/** The layout of a state as text: one line `name type` for each field. */
export const layoutOf = (state: { readonly [name: string]: { readonly type: string } }): string =>
  Object.keys(state)
    .map((name) => `${name} ${state[name]!.type}`)
    .join('\n')

/** Lines of `former` that `next` lacks: fields that are missing or have another type. `quoin build --against` uses this too. */
export function lostFields(former: string, next: string): readonly string[] {
  const kept = next.split('\n')
  return former.split('\n').filter((field) => field !== '' && !kept.includes(field))
}

/** Stores the first layout of a contract. */
export const storeLayout = (layout: string): void => quoin.store('string', LAYOUT_KEY, layout)

/**
 * Replaces the stored layout with that of the new code. A contract that was made without the kit has no layout, so that any layout can follow.
 *
 * @throws Error when a field is missing or has another type, because its values in storage would be lost or misread
 */
export function upgradeLayout(layout: string): void {
  const [lost] = lostFields(quoin.load('string', LAYOUT_KEY) as string, layout)
  if (lost !== undefined)
    throw new Error(`state: "${lost}" is missing or changed; layouts only grow: keep the field and declare a new one beside it`)
  storeLayout(layout)
}
