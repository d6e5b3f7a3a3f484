import { createRequire } from 'node:module'

const { version } = createRequire(import.meta.url)('@quoin/contracts/package.json') as { readonly version: string }

/** What a container names as its compiler. */
export const COMPILER = `quoin ${version}`
