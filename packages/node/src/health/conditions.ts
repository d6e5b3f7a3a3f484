/**
 * Problems of a running node, by severity. `fatal`: the node cannot continue and its process ends. `unready`: it should be sent no requests
 * until the problem is over. `warning`: it works, but an operator should look. `docs/operations.md` says what to do about each.
 */
export const CONDITIONS = {
  halted: 'fatal',
  'scheduled-stop': 'fatal',
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
  /** The problem, with figures, and what to do about it. */
  readonly message: string
}

/** Returns the current problems of one part of the node. Must be cheap: called once a second and by each probe. */
export type ConditionSource = () => readonly Condition[]
