import { createRequire } from 'node:module'

const { version } = createRequire(import.meta.url)('@quoin/contracts/package.json') as { readonly version: string }

/** Compiler name in containers. */
export const COMPILER = `quoin ${version}`
