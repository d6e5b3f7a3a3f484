import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { lockDirectory } from '@quoin/node/directory'
import { type Closable, CommandError, unlessMissing } from '@quoin/node/process'

const SETTINGS = 'devnet.json'
const LOCK = 'lock'
const OWN_ENTRY = /^(?:devnet\.json|genesis\.json|lock|validator-\d+(?:\.log)?)$/
const VALIDATOR = /^validator-\d+$/

/** The directory of a devnet, held by this process: nobody else runs the devnet or one of its validators. */
export interface HeldDirectory extends Closable {
  /** A chain lies there, with its settings. */
  readonly isWhole: boolean
  /** Deletes what a devnet wrote, and nothing else. Only before `releaseValidators`. */
  clear(): Promise<void>
  /** Lets the validators' own processes take their directories. */
  releaseValidators(): Promise<void>
}

/**
 * Looks at a directory and takes all locks in it, before anything is written or deleted. Throws CommandError where something lies there
 * that no devnet wrote and there are no settings; where the settings are gone and a chain would be lost that nobody said to `reset`; and
 * where the devnet or one of its validators is running.
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
      // The settings first: what is left after a cut is never taken for a whole devnet.
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
      `${directory} has no ${SETTINGS}, so it is not a devnet's directory (it holds ${foreign ?? entries[0]}): it is not touched. Choose another one with --data-dir, or delete it yourself`,
    )
  }
  if (reset) return
  for (const name of validators) {
    if (!(await exists(join(directory, name, 'db')))) continue
    throw new CommandError(
      `${directory} holds a chain, but its ${SETTINGS} is gone, without which it cannot go on: add --reset to delete the chain and start a new one`,
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
