import { loadConfig } from '../config/index.ts'
import type { DataDir } from '../keys/data-dir.ts'
import { readTokenKeys } from '../rpc/identity/token-keys.ts'
import { systemClock } from '../system-clock.ts'
import { readConfigFile } from './config-file.ts'
import { orFail } from './failure.ts'
import { describeCertificate, readRpcFiles } from './rpc-files.ts'
import { rpcSettingsOf } from './rpc-settings.ts'

/**
 * Checks the certificate, keys and rules of the RPC that the configuration names, as `quoin doctor` does.
 *
 * @throws {CommandError} At the first that a start would refuse, or that clients would.
 */
export async function checkRpcFiles(dir: DataDir, print: (line: string) => void): Promise<void> {
  const config = orFail(loadConfig({ file: await readConfigFile(dir), env: process.env, flags: {} }), 'configuration')
  const files = await readRpcFiles(config, dir.root)
  const { identity } = rpcSettingsOf(config, files)
  const keys = identity?.tokens && readTokenKeys(identity.tokens)
  const algorithms = keys?.ok ? keys.value.map(({ algorithm }) => algorithm) : []
  print(
    `tokens: ${algorithms.length === 0 ? 'none are taken' : `${algorithms.length} keys (${[...new Set(algorithms)].join(', ')})`}`,
  )
  print(`tls: ${files.tls === undefined ? 'off' : describeCertificate(files.tls, systemClock.now())}`)
}
