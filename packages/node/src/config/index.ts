export { allowed, type Config, type NamedKey, namedKeys } from './keys.ts'
export { type ConfigError, type ConfigSources, configTemplate, loadConfig } from './load.ts'
