import { access, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { err, ok, type Result } from '@quoin/protocol'
import { ClassicLevel } from 'classic-level'
import type { Closable } from '../lifecycle.ts'
import { unlessMissing } from '../unless-missing.ts'

export interface LockRefusal {
  readonly code: 'locked'
  /** Process that holds the directory; undefined when it has not said so yet. */
  readonly pid: number | undefined
  readonly message: string
}

const HOLDER_FILE = 'holder'

/**
 * Keeps every other process out of a data directory until closed. The lock is the one that the operating system gives LevelDB on an
 * empty database in `<directory>/lock`: it goes when the process does, `kill -9` included, so that no lock is ever stale, which a file
 * with a process id cannot promise (ids are used again, in containers by the very next start). Such a file only says who holds it.
 *
 * Rejects when the directory cannot be written.
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
      message: `${holder} uses the data directory ${directory}: stop it, or choose another directory`,
    })
  }
  await writeFile(join(path, HOLDER_FILE), `${process.pid}\n`)
  return ok({ close: () => level.close() })
}

/** Whether a process has ever held the directory. Creates nothing. */
export async function wasEverLocked(directory: string): Promise<boolean> {
  // LevelDB's own, which is there before the holder says who it is.
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
  // None: the holder is between locking and saying who it is.
  const pid = Number.parseInt((await unlessMissing(readFile(join(path, HOLDER_FILE), 'utf8'))) ?? '', 10)
  return Number.isNaN(pid) ? undefined : pid
}
