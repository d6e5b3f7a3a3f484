import { access, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { err, ok, type Result } from '@quoin/protocol'
import { ClassicLevel } from 'classic-level'
import type { Closable } from '../lifecycle.ts'
import { unlessMissing } from '../unless-missing.ts'

/** Another process holds the lock. */
export interface LockRefusal {
  readonly code: 'locked'
  /** Process that holds the directory; undefined if it has not written its id yet. */
  readonly pid: number | undefined
  readonly message: string
}

const HOLDER_FILE = 'holder'

/**
 * Locks a data directory against other processes until closed. The lock is the operating system's lock that LevelDB takes on an empty
 * database in `<directory>/lock`. It is released when the process ends, even by `kill -9`, so it is never stale. A file with a process id
 * cannot guarantee that, because ids are reused (in containers by the very next start). Such a file only tells which process holds the
 * lock. Rejects if the directory cannot be written.
 */
export async function lockDirectory(directory: string): Promise<Result<Closable, LockRefusal>> {
  const path = join(directory, 'lock')
  await mkdir(path, { recursive: true })
  const level = new ClassicLevel(path)
  try {
    await level.open()
  } catch (error) {
    if (!isLocked(error)) throw error
    const pid = await holderOf(path)
    const holder = pid === undefined ? 'another process' : `process ${pid}`
    return err({
      code: 'locked',
      pid,
      message: `${holder} is using the data directory ${directory}: stop it, or choose another directory`,
    })
  }
  await writeFile(join(path, HOLDER_FILE), `${process.pid}\n`)
  return ok({ close: () => level.close() })
}

/** Whether a process has ever locked the directory. Creates nothing. */
export async function wasEverLocked(directory: string): Promise<boolean> {
  // A LevelDB file that exists before the holder's id is written.
  const file = join(directory, 'lock', 'CURRENT')
  return (
    (await unlessMissing(
      access(file).then(() => true),
      ['ENOENT', 'ENOTDIR'],
    )) ?? false
  )
}

function isLocked(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED'
}

async function holderOf(path: string): Promise<number | undefined> {
  // If the file is missing, the holder has locked the directory but not written its id yet.
  const pid = Number.parseInt((await unlessMissing(readFile(join(path, HOLDER_FILE), 'utf8'))) ?? '', 10)
  return Number.isNaN(pid) ? undefined : pid
}
