import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Closable, CommandError, unlessMissing } from '@quoin/node/process'
import { lockDirectory } from '@quoin/validator/directory'

const SETTINGS = 'devnet.json'
const LOCK = 'lock'
const OWN_ENTRY = /^(?:devnet\.json|genesis\.json|lock|validator-\d+(?:\.log)?)$/
const VALIDATOR = /^validator-\d+$/

/** The directory of a devnet, locked by this process: no other process runs the devnet or one of its validators. */
export interface HeldDirectory extends Closable {
  /** The directory contains a chain and its settings. */
  readonly isWhole: boolean
  /** Deletes only the files that a devnet writes. Call it only before `releaseValidators`. */
  clear(): Promise<void>
  /** Releases the validators' directories, so that their processes can lock them. */
  releaseValidators(): Promise<void>
}

/**
 * Checks a directory and takes all locks in it, before anything is written or deleted.
 *
 * @param reset whether the user allows deleting an existing chain
 * @throws CommandError when the directory has no settings file but contains other files than a devnet's; when it contains a chain without
 * settings and `reset` is false; and when the devnet or one of its validators is running
 */
export async function holdDirectory(directory: string, reset: boolean): Promise<HeldDirectory> {
  const entries = await entriesOf(directory)
  const isWhole = entries.includes(SETTINGS)
  const validators = entries.filter((name) => VALIDATOR.test(name))
  if (!isWhole) await requireOurs(directory, entries, validators, reset)
  const own = await hold(directory, `the devnet in ${directory} is running`)
  const held: Closable[] = []
  const release = async (): Promise<void> => {
    for (const lock of held.splice(0)) await lock.close()
  }
  try {
    for (const name of validators) held.push(await hold(join(directory, name), `${name} in ${directory} is running`))
  } catch (failure) {
    await release()
    await own.close()
    throw failure
  }
  return {
    isWhole,
    releaseValidators: release,
    async clear() {
      // The settings first: after an interruption, the rest is not taken for a complete devnet.
      await rm(join(directory, SETTINGS), { force: true })
      for (const name of await entriesOf(directory))
        if (OWN_ENTRY.test(name) && name !== LOCK) await rm(join(directory, name), { recursive: true })
    },
    async close() {
      await release()
      await own.close()
    },
  }
}

const entriesOf = async (directory: string): Promise<readonly string[]> => (await unlessMissing(readdir(directory))) ?? []

async function requireOurs(
  directory: string,
  entries: readonly string[],
  validators: readonly string[],
  reset: boolean,
): Promise<void> {
  const foreign = entries.find((name) => !OWN_ENTRY.test(name))
  if (foreign !== undefined || (entries.length > 0 && validators.length === 0 && !entries.includes(LOCK))) {
    throw new CommandError(
      `${directory} is not a devnet directory: it has no ${SETTINGS}, but contains ${foreign ?? entries[0]}. Nothing was changed. Choose another directory with --data-dir, or delete this one yourself`,
    )
  }
  if (reset) return
  for (const name of validators) {
    if (!(await exists(join(directory, name, 'db')))) continue
    throw new CommandError(
      `${directory} contains a chain that cannot be continued, because its ${SETTINGS} is missing: add --reset to delete the chain and start a new one`,
    )
  }
}

async function hold(directory: string, running: string): Promise<Closable> {
  const lock = await lockDirectory(directory)
  if (lock.ok) return lock.value
  const { pid } = lock.error
  throw new CommandError(`${running}${pid === undefined ? '' : ` (process ${pid})`}: stop it first. Nothing was changed`)
}

const exists = async (path: string): Promise<boolean> => (await unlessMissing(stat(path))) !== undefined
