import { copyFile, open, readdir, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { unlessMissing } from '../unless-missing.ts'
import { syncDirectory } from './file-log.ts'
import { findLogFault } from './level-log.ts'
import { searchTable, type TableFault } from './level-table.ts'

/**
 * What LevelDB's own checksums say about its files. LevelDB writes them and, as classic-level opens it, looks at few of them.
 */

/** Put behind the name of a file that LevelDB shall not read any more. */
export const DAMAGED_SUFFIX = '.damaged'

const LOG = /^(\d+)\.log$/
const TABLE = /^(\d+)\.(?:ldb|sst)$/
const LEVEL_FILE = /^(?:\d+\.(?:log|ldb|sst)|MANIFEST-\d+)$/

/** The names of a directory's files; empty when it does not exist. */
export const levelFiles = async (directory: string): Promise<readonly string[]> => (await unlessMissing(readdir(directory))) ?? []

/** LevelDB takes a directory without CURRENT for an empty one, begins a new database and deletes the files of the old one. */
export const lostCurrent = (files: readonly string[]): boolean =>
  !files.includes('CURRENT') && files.some((name) => LEVEL_FILE.test(name))

const numbered = (files: readonly string[], pattern: RegExp): readonly string[] =>
  files.filter((name) => pattern.test(name)).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))

/** Names of the tables, that written last first. */
export const tablesOf = (files: readonly string[]): readonly string[] => numbered(files, TABLE).toReversed()

export interface DamagedLog {
  readonly name: string
  /** Where the first batch begins that cannot be read, and a later one that proves that it was on disk. */
  readonly at: number
  readonly provenBy: number
  /** This log and those after it. */
  readonly logs: readonly string[]
}

/** The first log that is damaged before its end, in the order in which LevelDB replays them. */
export async function damagedLog(directory: string, files: readonly string[]): Promise<DamagedLog | undefined> {
  const logs = numbered(files, LOG)
  for (const [i, name] of logs.entries()) {
    const fault = findLogFault(await readFile(join(directory, name)))
    if (fault !== undefined) return { name, ...fault, logs: logs.slice(i) }
  }
  return undefined
}

/**
 * Cuts a log before its damage, and takes the logs after it away, so that LevelDB comes to the state before the damaged batch instead of one
 * from which batches are missing. Keeps copies. Durable when it resolves.
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

/** A table that is damaged. */
export interface DamagedTable extends TableFault {
  readonly name: string
  readonly sizeBytes: number
  readonly mtimeMs: number
}

/** Whether it is the same file, as it was. */
export const isSameTable = (a: DamagedTable, b: DamagedTable): boolean =>
  a.name === b.name && a.sizeBytes === b.sizeBytes && a.mtimeMs === b.mtimeMs

/** Reads a table and checks all of it. `bytes` is its size; 0 when LevelDB has deleted it meanwhile. */
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

/** Runs a search to its end, with a turn of the event loop at each of its pauses. */
async function withPauses<T>(search: Generator<undefined, T, void>): Promise<T> {
  for (;;) {
    const step = search.next()
    if (step.done === true) return step.value
    await nextTurn()
  }
}
