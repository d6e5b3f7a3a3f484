/** Advice for an operator whose database cannot be used. */
export const DATABASE_ADVICE =
  'Check the disk. Restore a copy of the data directory, or remove its db and wal, keep its keys and sign-state, ' +
  'and let the node fetch the chain from its peers'

/** A damage report in a form that can be sent between threads. */
export interface DamageFinding {
  /** What was found, without the advice. */
  readonly finding: string
  /** Key of the damaged record, if it is known. */
  readonly key: Uint8Array | undefined
}

/**
 * The database contains something that this node did not write. The message says where. Nothing that depends on that record may be
 * answered.
 */
export class DamagedError extends Error implements DamageFinding {
  readonly finding: string
  readonly key: Uint8Array | undefined

  constructor(finding: string, key?: Uint8Array, cause?: unknown) {
    super(`the database is damaged: ${finding}. ${DATABASE_ADVICE}`, cause === undefined ? undefined : { cause })
    this.name = 'DamagedError'
    this.finding = finding
    this.key = key
  }
}

/** Called with each damage that a read finds, before the read throws. It must not throw. */
export type OnDamage = (damage: DamagedError) => void

/**
 * Collects the damage that all handles of a database find, in any thread, for one listener. Damage found earlier is reported when the
 * listener is set.
 */
export class DamageReports {
  #early: DamagedError[] = []
  #listener: OnDamage = (damage) => {
    if (this.#early.length < DamageReports.earlyCountMax) this.#early.push(damage)
  }
  /** Reports kept until a listener is set. */
  static readonly earlyCountMax = 1_024

  readonly report: OnDamage = (damage) => this.#listener(damage)

  /** Sets the listener; called once. */
  listen(listener: OnDamage): void {
    this.#listener = listener
    for (const damage of this.#early) listener(damage)
    this.#early = []
  }
}
