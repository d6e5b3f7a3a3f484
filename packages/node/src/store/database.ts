import { err, ok, type Result } from '@quoin/protocol'
import type { Logger } from '../logger.ts'
import type { Kv } from '../powers.ts'
import { formatRefusal, type StoreRefusal } from './block-store.ts'
import { type OwnedKv, openClassicKv } from './classic-kv.ts'
import { DATABASE_ADVICE, DamagedError, type OnDamage } from './damage.ts'
import {
  checkTable,
  cutDamagedLog,
  DAMAGED_SUFFIX,
  type DamagedTable,
  damagedLog,
  levelFiles,
  lostCurrent,
  tablesOf,
} from './level-files.ts'
import { areRebuiltSpaces, describeKey, gapBetween, heightOfKey, keyBehind, rebuiltHeight } from './schema.ts'

/**
 * Bytes of tables that are checked before a node opens its database, newest first: some seconds of reading. The scrub checks the others.
 */
export const STARTING_TABLE_BYTES_MAX = 2 * 1024 ** 3

/** Why a database cannot be used. The message says what to do. */
export interface DatabaseRefusal {
  readonly code: 'incomplete' | 'damaged' | StoreRefusal['code']
  readonly message: string
}

export interface DatabaseOptions {
  readonly onDamage: OnDamage
  readonly logger: Logger
}

/**
 * Checks the files of a node's database, then opens it. A log that is damaged in the middle is cut there: the blocks after it are final and
 * are fetched again from the peers, whereas LevelDB would leave a hole. Rejects with LevelDB's error if the directory cannot be used.
 */
export async function openDatabase(
  path: string,
  { onDamage, logger }: DatabaseOptions,
): Promise<Result<OwnedKv, DatabaseRefusal>> {
  const files = await levelFiles(path)
  if (lostCurrent(files)) return err(incomplete(path))
  const log = await damagedLog(path, files)
  if (log !== undefined) {
    await cutDamagedLog(path, log)
    logger.error(
      { log: log.name, at: log.at, provenBy: log.provenBy, copy: `${log.name}${DAMAGED_SUFFIX}` },
      'the log of the database is damaged: it was cut at the damage, and the blocks after it are fetched again from the peers. Check the disk',
    )
  }
  const tables = await damagedTables(path, files)
  const broken = tables.find(({ keys }) => keys === undefined)
  if (broken !== undefined) return err(damagedTable(path, broken))
  const kv = await openClassicKv(path, { onDamage })
  const refusal = formatRefusal(kv) ?? (await tablesRefusal(path, kv, tables))
  if (refusal === undefined) return ok(kv)
  await kv.close()
  return err(refusal)
}

/** The damaged tables among the newest ones. */
async function damagedTables(path: string, files: readonly string[]): Promise<readonly DamagedTable[]> {
  const damaged: DamagedTable[] = []
  let checked = 0
  for (const name of tablesOf(files)) {
    if (checked >= STARTING_TABLE_BYTES_MAX) break
    const { bytes, fault } = await checkTable(path, name)
    if (fault !== undefined) damaged.push(fault)
    checked += bytes
  }
  return damaged
}

async function tablesRefusal(path: string, kv: Kv, tables: readonly DamagedTable[]): Promise<DatabaseRefusal | undefined> {
  for (const table of tables) if (!(await isRebuildable(kv, table))) return damagedTable(path, table)
  return undefined
}

/**
 * Whether a table's damage is limited to records that peers can supply again. Reading them reports each to the database's `onDamage`. Such
 * records are never deleted and have no gaps, so a changed key shows as a gap.
 */
async function isRebuildable(kv: Kv, { keys }: DamagedTable): Promise<boolean> {
  const { after, to } = keys ?? {}
  // Separators of blocks are shortened: only their first byte is certain to be that of a key.
  if (after === undefined || to === undefined || !areRebuiltSpaces(after[0]!, to[0]!)) return false
  let damaged = 0
  let last: Uint8Array = new Uint8Array(0)
  for await (const { key, damage } of entriesOf(kv, after, keyBehind(to))) {
    if (key === undefined || heightOfKey(key) === undefined || gapBetween(last, key) !== undefined) return false
    if (damage && rebuiltHeight(key) === undefined) return false
    last = key
    if (damage) damaged++
  }
  return damaged > 0
}

/** Entries of a range, including damaged ones; an entry without a key ends it. */
async function* entriesOf(
  kv: Kv,
  first: Uint8Array,
  to: Uint8Array,
): AsyncIterable<{ readonly key: Uint8Array | undefined; readonly damage: boolean }> {
  for (let from: Uint8Array | undefined = first; from !== undefined; ) {
    try {
      for await (const [key] of kv.scan({ from, to })) yield { key, damage: false }
      return
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error
      yield { key: error.key, damage: true }
      from = error.key && keyBehind(error.key)
    }
  }
}

/** Reports a damaged table: each damaged record if those can be repaired, otherwise the table. */
export async function reportTable(kv: Kv, table: DamagedTable, onDamage: OnDamage): Promise<void> {
  if (!(await isRebuildable(kv, table))) onDamage(new DamagedError(describeTableFault(table)))
}

/** Refusal of a database whose file CURRENT is missing. */
export const incomplete = (path: string): DatabaseRefusal => ({
  code: 'incomplete',
  message: `the database ${path} has lost its file CURRENT, without which it cannot be read. ${DATABASE_ADVICE}`,
})

/** Refusal of a database with a damaged table. */
export const damagedTable = (path: string, fault: DamagedTable): DatabaseRefusal => ({
  code: 'damaged',
  message: `the database ${path} is damaged: ${describeTableFault(fault)}. ${DATABASE_ADVICE}`,
})

function describeTableFault({ name, at, what, keys }: DamagedTable): string {
  const range =
    keys && ` (keys ${keys.after === undefined ? '' : `after the ${describeKey(keys.after)} `}up to the ${describeKey(keys.to)})`
  return `table ${name} fails LevelDB's checksum in the ${what} at byte ${at}${range ?? ''}`
}
