import { createRequire } from 'node:module'

const { version } = createRequire(import.meta.url)('../../package.json') as { readonly version: string }

/** What `web3_clientVersion` answers. */
export const CLIENT_VERSION = `quoin/v${version}/${process.platform}-${process.arch}/node${process.version}`
