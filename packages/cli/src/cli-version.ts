import { createRequire } from 'node:module'

/** Version of this package, from its package.json. */
export const CLI_VERSION = (createRequire(import.meta.url)('../package.json') as { readonly version: string }).version
