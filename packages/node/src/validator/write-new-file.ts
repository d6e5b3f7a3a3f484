import { writeFile } from 'node:fs/promises'
import { CommandError } from './failure.ts'

/**
 * Writes a file that a command creates for its user. Checks and creates in one step, so that two commands cannot both create it.
 *
 * @param force - Replaces an existing file.
 * @throws {CommandError} If the file exists and `force` is false.
 */
export async function writeNewFile(path: string, text: string, force: boolean): Promise<void> {
  try {
    await writeFile(path, text, { flag: force ? 'w' : 'wx' })
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'EEXIST') throw failure
    throw new CommandError(`${path} already exists: choose another file with --out, or add --force to replace it`)
  }
}
