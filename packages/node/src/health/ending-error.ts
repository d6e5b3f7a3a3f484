import type { Condition, FatalCode } from './conditions.ts'

/** The reason why a node cannot continue. */
export type Ending = Condition<FatalCode>

/** Thrown if a node must not start. */
export class EndingError extends Error {
  readonly ending: Ending

  constructor(ending: Ending) {
    super(ending.message)
    this.ending = ending
  }
}
