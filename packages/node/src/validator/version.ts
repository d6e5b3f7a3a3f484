import { createRequire } from 'node:module'

const { version } = createRequire(import.meta.url)('../../package.json') as { readonly version: string }

/** The answer of `web3_clientVersion`. */
export const CLIENT_VERSION = `quoin/v${version}/${process.platform}-${process.arch}/node${process.version}`
