import { createRequire } from 'node:module'
import { executionVersion } from '@quoin/execution'
import { loadCrypto } from '../crypto/load.ts'

/** Version of this package, as its manifest has it. */
export const NODE_VERSION = (createRequire(import.meta.url)('../../package.json') as { readonly version: string }).version

/** What `web3_clientVersion` answers. */
export const CLIENT_VERSION = `quoin/v${NODE_VERSION}/${process.platform}-${process.arch}/node${process.version}`

export async function versionText(): Promise<string> {
  const crypto = await loadCrypto()
  return [
    `quoin ${NODE_VERSION}`,
    `execution ${executionVersion(crypto)}`,
    `crypto ${crypto.name}`,
    `node ${process.version} ${process.platform}-${process.arch}`,
  ].join('\n')
}
