export { allowed, type Config, changedKeys, LIVE_KEYS, type NamedKey, namedKeys } from './keys.ts'
export { type ConfigError, type ConfigSources, configTemplate, type LoadedConfig, loadConfig, loadWithShadows } from './load.ts'
