import { copyFile, open, readdir, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { unlessMissing } from '../unless-missing.ts'
import { syncDirectory } from './file-log.ts'
import { findLogFault } from './level-log.ts'
import { searchTable, type TableFault } from './level-table.ts'

/** Checks LevelDB's files by LevelDB's own checksums. LevelDB writes them, but verifies few of them the way classic-level opens it. */

/** Appended to the name of a file that LevelDB must not read any more. */
export const DAMAGED_SUFFIX = '.damaged'

const LOG = /^(\d+)\.log$/
const TABLE = /^(\d+)\.(?:ldb|sst)$/
const LEVEL_FILE = /^(?:\d+\.(?:log|ldb|sst)|MANIFEST-\d+)$/

/** File names of a directory; empty if it does not exist. */
export const levelFiles = async (directory: string): Promise<readonly string[]> => (await unlessMissing(readdir(directory))) ?? []

/** LevelDB treats a directory without CURRENT as empty: it starts a new database and deletes the files of the old one. */
export const lostCurrent = (files: readonly string[]): boolean =>
  !files.includes('CURRENT') && files.some((name) => LEVEL_FILE.test(name))

const numbered = (files: readonly string[], pattern: RegExp): readonly string[] =>
  files.filter((name) => pattern.test(name)).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))

/** Names of the tables, newest first. */
export const tablesOf = (files: readonly string[]): readonly string[] => numbered(files, TABLE).toReversed()

/** Damage in the middle of a log. */
export interface DamagedLog {
  readonly name: string
  /** Start of the first unreadable batch, and of a later batch that proves that the first was on disk. */
  readonly at: number
  readonly provenBy: number
  /** This log and those after it. */
  readonly logs: readonly string[]
}

/** The first log, in LevelDB's replay order, that is damaged before its end. */
export async function damagedLog(directory: string, files: readonly string[]): Promise<DamagedLog | undefined> {
  const logs = numbered(files, LOG)
  for (const [i, name] of logs.entries()) {
    const fault = findLogFault(await readFile(join(directory, name)))
    if (fault !== undefined) return { name, ...fault, logs: logs.slice(i) }
  }
  return undefined
}

/**
 * Cuts a log before its damage and moves the logs after it away, so that LevelDB restores the state before the damaged batch, instead of a
 * state with missing batches. Keeps copies. Durable when it resolves.
 */
export async function cutDamagedLog(directory: string, { name, at, logs }: DamagedLog): Promise<void> {
  const path = join(directory, name)
  await copyFile(path, `${path}${DAMAGED_SUFFIX}`)
  for (const later of logs.slice(1)) await rename(join(directory, later), join(directory, `${later}${DAMAGED_SUFFIX}`))
  // A crash between the cut and the renames would leave a hole that nothing shows.
  await syncDirectory(directory)
  const file = await open(path, 'r+')
  try {
    await file.truncate(at)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** A damaged table. */
export interface DamagedTable extends TableFault {
  readonly name: string
  readonly sizeBytes: number
  readonly mtimeMs: number
}

/** Whether both are the same, unchanged file. */
export const isSameTable = (a: DamagedTable, b: DamagedTable): boolean =>
  a.name === b.name && a.sizeBytes === b.sizeBytes && a.mtimeMs === b.mtimeMs

/** Reads a table and checks all of it. `bytes` is its size; 0 if LevelDB has deleted it in the meantime. */
export async function checkTable(
  directory: string,
  name: string,
): Promise<{ readonly bytes: number; readonly fault: DamagedTable | undefined }> {
  const path = join(directory, name)
  const status = await unlessMissing(stat(path))
  const bytes = await unlessMissing(readFile(path))
  if (status === undefined || bytes === undefined) return { bytes: 0, fault: undefined }
  const fault = await withPauses(searchTable(bytes))
  return { bytes: bytes.length, fault: fault && { ...fault, name, sizeBytes: bytes.length, mtimeMs: status.mtimeMs } }
}

/** Runs a search to its end, yielding to the event loop at each of its pauses. */
async function withPauses<T>(search: Generator<undefined, T, void>): Promise<T> {
  for (;;) {
    const step = search.next()
    if (step.done === true) return step.value
    await nextTurn()
  }
}
