import { createRequire } from 'node:module'
import { executionVersion } from '@quoin/execution'
import { loadCrypto } from '@quoin/node/crypto'

/** Version of this package, from its package.json. */
export const CLI_VERSION = (createRequire(import.meta.url)('../../package.json') as { readonly version: string }).version

export async function versionText(): Promise<string> {
  const crypto = await loadCrypto()
  return [
    `quoin ${CLI_VERSION}`,
    `execution ${executionVersion(crypto)}`,
    `crypto ${crypto.name}`,
    `node ${process.version} ${process.platform}-${process.arch}`,
  ].join('\n')
}
