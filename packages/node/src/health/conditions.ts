/**
 * What can be wrong with a node that runs, and what follows. `fatal`: it cannot go on, and its process ends. `unready`: it should be sent
 * no requests until this is over. `warning`: it works, and somebody should look. `docs/operations.md` says for each what to do.
 */
export const CONDITIONS = {
  halted: 'fatal',
  'disk-full': 'fatal',
  storage: 'fatal',
  'untrusted-files': 'fatal',
  failed: 'fatal',
  'not-registered': 'unready',
  'no-peers': 'unready',
  'no-quorum': 'unready',
  syncing: 'unready',
  'memory-high': 'unready',
  'disk-low': 'warning',
  'clock-off': 'warning',
  'head-ahead': 'warning',
  silent: 'warning',
  stalled: 'warning',
} as const

export type ConditionCode = keyof typeof CONDITIONS
export type FatalCode = { [C in ConditionCode]: (typeof CONDITIONS)[C] extends 'fatal' ? C : never }[ConditionCode]

export interface Condition<C extends ConditionCode = ConditionCode> {
  readonly code: C
  /** What is wrong, with its figures, and what to do. */
  readonly message: string
}

/** What is wrong now in one part of the node. Cheap: asked once a second and by each probe. */
export type ConditionSource = () => readonly Condition[]
