import { unwrap } from '@quoin/protocol'
import { loadConfig } from '../src/config/index.ts'

/** The settings of a node that sets none. */
export const configDefaults = unwrap(loadConfig({ file: undefined, env: {}, flags: {} }))
