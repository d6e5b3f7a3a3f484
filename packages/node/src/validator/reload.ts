import { loadConfig } from '../config/index.ts'
import { dataDir } from '../keys/data-dir.ts'
import { lockDirectory, wasEverLocked } from '../store/lock.ts'
import { readConfigFile } from './config-file.ts'
import { CommandError, orFail } from './failure.ts'
import { rpcSettingsOf } from './rpc-settings.ts'

/** Tells the node of a data directory to read its settings again, if they are right. Throws CommandError where they are not, or no node runs. */
export async function reload(root: string, print: (line: string) => void): Promise<void> {
  const dir = dataDir(root)
  if (!(await wasEverLocked(dir.root)))
    throw new CommandError(`no node has ever run on ${root}: name the data directory of the one that runs, with --data-dir`)
  const config = orFail(loadConfig({ file: await readConfigFile(dir), env: process.env, flags: {} }), 'configuration')
  rpcSettingsOf(config)
  const lock = await lockDirectory(dir.root)
  if (lock.ok) {
    await lock.value.close()
    throw new CommandError(`no node runs on ${root}: its settings are read when it starts`)
  }
  const { pid } = lock.error
  if (pid === undefined) throw new CommandError(`the node on ${root} is just starting: try again`)
  process.kill(pid, 'SIGHUP')
  print(
    `Process ${pid} reads ${dir.config} again; its log says which settings changed, and which its environment or flags come before.`,
  )
}
