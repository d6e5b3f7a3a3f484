/** What an operator does about a database that cannot be used as it is. */
export const DATABASE_ADVICE =
  'Check the disk. Restore a copy of the data directory, or remove its db and wal, keep its keys and sign-state, ' +
  'and let the node fetch the chain from its peers'

/** What is known of a damage, in a form that crosses threads. */
export interface DamageFinding {
  /** What was found, without the advice. */
  readonly finding: string
  /** Of the damaged record, where it is one that can be named. */
  readonly key: Uint8Array | undefined
}

/** The database holds something else than this node wrote. Says where; nothing that depends on the place may be answered. */
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

/** Told of each damage that a read meets, before the read throws. It must not throw. */
export type OnDamage = (damage: DamagedError) => void

/**
 * Collects what every handle of a database finds damaged, in whatever thread, for the one who acts on it. What is found before somebody
 * listens is told then.
 */
export class DamageReports {
  #early: DamagedError[] = []
  #listener: OnDamage = (damage) => {
    if (this.#early.length < DamageReports.earlyCountMax) this.#early.push(damage)
  }
  /** Reports kept until somebody listens. */
  static readonly earlyCountMax = 1_024

  readonly report: OnDamage = (damage) => this.#listener(damage)

  /** Sets who acts; called once. */
  listen(listener: OnDamage): void {
    this.#listener = listener
    for (const damage of this.#early) listener(damage)
    this.#early = []
  }
}
