import { loadConfig } from '../config/index.ts'
import { dataDir } from '../keys/data-dir.ts'
import { lockDirectory, wasEverLocked } from '../store/lock.ts'
import { readConfigFile } from './config-file.ts'
import { CommandError, orFail } from './failure.ts'
import { readRpcFiles } from './rpc-files.ts'
import { rpcSettingsOf } from './rpc-settings.ts'

/**
 * Makes the running node of a data directory reload its settings, by SIGHUP.
 *
 * @throws {CommandError} If the settings are invalid, or no node runs on the directory.
 */
export async function reload(root: string, print: (line: string) => void): Promise<void> {
  const dir = dataDir(root)
  if (!(await wasEverLocked(dir.root)))
    throw new CommandError(`no node has ever run on ${root}: use --data-dir to name the data directory of the running node`)
  const config = orFail(loadConfig({ file: await readConfigFile(dir), env: process.env, flags: {} }), 'configuration')
  rpcSettingsOf(config, await readRpcFiles(config, dir.root))
  const lock = await lockDirectory(dir.root)
  if (lock.ok) {
    await lock.value.close()
    throw new CommandError(`no node runs on ${root}: nothing to reload, a node reads its settings when it starts`)
  }
  const { pid } = lock.error
  if (pid === undefined) throw new CommandError(`the node on ${root} is still starting: try again in a moment`)
  process.kill(pid, 'SIGHUP')
  print(
    `Process ${pid} reloads ${dir.config}. Its log says which settings changed, and which are overridden by its environment or flags.`,
  )
}
