import { executionVersion } from '@quoin/execution'
import { loadCrypto } from '@quoin/node/crypto'
import { CLI_VERSION } from '../cli-version.ts'

export async function versionText(): Promise<string> {
  const crypto = await loadCrypto()
  return [
    `quoin ${CLI_VERSION}`,
    `execution ${executionVersion(crypto)}`,
    `crypto ${crypto.name}`,
    `node ${process.version} ${process.platform}-${process.arch}`,
  ].join('\n')
}
