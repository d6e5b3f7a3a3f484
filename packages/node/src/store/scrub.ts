import type { Clock, Kv } from '../powers.ts'
import { DamagedError, type OnDamage } from './damage.ts'
import { reportTable } from './database.ts'
import { checkTable, type DamagedTable, isSameTable, levelFiles, tablesOf } from './level-files.ts'
import { describeKey, gapBetween, keyBehind } from './schema.ts'

/** Speed of the scrub: a hundredth of a disk's throughput, and a few milliseconds of a core per second. */
export const SCRUB_LIMITS = {
  intervalMs: 1_000,
  /** Records per step, and their bytes (may be exceeded by one record). */
  recordsMax: 2_000,
  recordBytesMax: 1024 * 1024,
  /**
   * Tables per step; LevelDB makes tables of 2 MiB. The first pass is faster: entries may be missing in tables that were not read since the
   * start.
   */
  tablesMax: 1,
  tablesOfFirstPassMax: 8,
  /** Times that a table must be found damaged before it is reported: LevelDB may be writing it. */
  looksMin: 10,
} as const

export interface ScrubOptions {
  readonly kv: Kv
  /** The database's directory. */
  readonly path: string
  readonly clock: Clock
  readonly onDamage: OnDamage
  /** Called when the scrub ends because of a read error that is not damage. */
  readonly onFailure: (error: unknown) => void
}

/** Totals since the start. A pass is one complete read. */
export interface ScrubStats {
  readonly records: number
  readonly recordBytes: number
  readonly recordPasses: number
  readonly tables: number
  readonly tableBytes: number
  readonly tablePasses: number
  readonly faults: number
}

/**
 * Reads the whole database again and again, slowly, so that damage is found while there are peers and copies to repair it. Records are
 * checked by their own checksums, which finds damage that LevelDB has copied; tables by LevelDB's checksums, which finds missing entries.
 */
export class Scrub {
  readonly #options: ScrubOptions
  readonly #stats = { records: 0, recordBytes: 0, recordPasses: 0, tables: 0, tableBytes: 0, tablePasses: 0, faults: 0 }
  #next: Uint8Array = new Uint8Array(0)
  #last: Uint8Array = new Uint8Array(0)
  #tables: string[] = []
  #suspect: { readonly table: DamagedTable; looks: number } | undefined
  /** Tables that were reported. */
  readonly #reported = new Set<string>()
  #cancel: () => void
  #step: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: ScrubOptions) {
    this.#options = options
    this.#cancel = this.#schedule()
  }

  get stats(): ScrubStats {
    return this.#stats
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancel()
    await this.#step
  }

  #schedule(): () => void {
    return this.#options.clock.after(SCRUB_LIMITS.intervalMs, () => {
      this.#step = this.step().then(
        () => {
          if (!this.#closed) this.#cancel = this.#schedule()
        },
        (error: unknown) => this.#options.onFailure(error),
      )
    })
  }

  /** One step for records and one for tables; tests call it instead of the clock. */
  async step(): Promise<void> {
    await this.#scrubRecords()
    const tables = this.#stats.tablePasses === 0 ? SCRUB_LIMITS.tablesOfFirstPassMax : SCRUB_LIMITS.tablesMax
    for (let i = 0; i < tables && !this.#closed; i++) {
      await this.#scrubTable()
      // Check this table again in the next step, not now.
      if (this.#suspect !== undefined) return
    }
  }

  async #scrubRecords(): Promise<void> {
    const range = { from: this.#next, to: END, limit: SCRUB_LIMITS.recordsMax }
    let bytes = 0
    let isEnd = true
    try {
      for await (const [key, value] of this.#options.kv.scan(range)) {
        this.#findGap(key)
        this.#next = keyBehind(key)
        this.#stats.records++
        isEnd = false
        bytes += key.length + value.length
        if (bytes >= SCRUB_LIMITS.recordBytesMax || this.#closed) break
      }
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error
      // The database has reported it. Without a key the position is lost.
      this.#stats.faults++
      isEnd = error.key === undefined
      this.#last = error.key ?? this.#last
      this.#next = error.key === undefined ? this.#next : keyBehind(error.key)
    }
    this.#stats.recordBytes += bytes
    if (!isEnd) return
    this.#next = new Uint8Array(0)
    this.#last = this.#next
    this.#stats.recordPasses++
  }

  /** Each height must have its records. A missing one is damage that no checksum shows. */
  #findGap(key: Uint8Array): void {
    const gap = gapBetween(this.#last, key)
    this.#last = key
    if (gap === undefined) return
    this.#stats.faults++
    this.#options.onDamage(new DamagedError(`the ${describeKey(gap)} is missing`, gap))
  }

  async #scrubTable(): Promise<void> {
    const { path } = this.#options
    const name = this.#suspect?.table.name ?? this.#tables.pop()
    if (name === undefined) {
      this.#tables = [...tablesOf(await levelFiles(path))]
      if (this.#stats.tables > 0) this.#stats.tablePasses++
      return
    }
    const { bytes, fault } = await checkTable(path, name)
    this.#stats.tables++
    this.#stats.tableBytes += bytes
    if (fault === undefined || this.#reported.has(name)) this.#suspect = undefined
    else await this.#suspectTable(fault)
  }

  async #suspectTable(table: DamagedTable): Promise<void> {
    const looks = this.#suspect !== undefined && isSameTable(this.#suspect.table, table) ? this.#suspect.looks + 1 : 1
    this.#suspect = { table, looks }
    if (looks < SCRUB_LIMITS.looksMin) return
    this.#suspect = undefined
    this.#reported.add(table.name)
    this.#stats.faults++
    await reportTable(this.#options.kv, table, this.#options.onDamage)
  }
}

/** After every key. */
const END = Uint8Array.of(0xff)
