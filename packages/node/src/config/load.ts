import { err, ok, type Result } from '@quoin/protocol'
import { parse, TomlError } from 'smol-toml'
import { allowed, type Config, type ConfigKey, type NamedKey, namedKeys, RENAMED_KEYS } from './keys.ts'

export interface ConfigError {
  readonly code: 'invalid-config'
  /** Names the key, the place where it was set, and the allowed values. */
  readonly message: string
}

/** Sources of values, lowest precedence first: defaults, file, environment, flags. */
export interface ConfigSources {
  /** Content of the TOML file, and its name for messages; undefined if there is no file. */
  readonly file: { readonly name: string; readonly text: string } | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** Values by flag, such as `--rpc-port`. */
  readonly flags: Readonly<Record<string, string | undefined>>
}

class Refusal extends Error {}

/** A configuration, and the keys of its file that the environment or a flag overrides. */
export interface LoadedConfig {
  readonly config: Config
  /** Keys whose value in the file is overridden with a different one, such as `rpc.port by --rpc-port`. */
  readonly shadowed: readonly string[]
}

/**
 * Builds the configuration of a node from all its sources and checks every value.
 *
 * @returns The configuration, or an error that names the first invalid key, section or variable.
 */
export function loadConfig(sources: ConfigSources): Result<Config, ConfigError> {
  const loaded = loadWithShadows(sources)
  return loaded.ok ? ok(loaded.value.config) : loaded
}

/** As `loadConfig`; also reports which keys of the file are overridden. */
export function loadWithShadows(sources: ConfigSources): Result<LoadedConfig, ConfigError> {
  try {
    return ok(resolve(sources))
  } catch (failure) {
    if (failure instanceof Refusal) return err({ code: 'invalid-config', message: failure.message })
    throw failure
  }
}

function resolve({ file, env, flags }: ConfigSources): LoadedConfig {
  const fromFile = file === undefined ? new Map<string, unknown>() : readFile(file.name, file.text)
  refuseUnknownVariables(env)
  const config: Record<string, Record<string, unknown>> = {}
  const shadowed: string[] = []
  for (const named of namedKeys) {
    const section = (config[named.section] ??= {})
    const value = valueOf(named, fromFile, file?.name ?? '', env, flags)
    section[named.name] = value
    const isShadowed = fromFile.has(named.path) && JSON.stringify(fromFile.get(named.path)) !== JSON.stringify(value)
    if (isShadowed) shadowed.push(`${named.path} by ${flags[named.flag] === undefined ? named.env : named.flag}`)
  }
  return { config: config as unknown as Config, shadowed }
}

function valueOf(
  named: NamedKey,
  fromFile: ReadonlyMap<string, unknown>,
  fileName: string,
  env: ConfigSources['env'],
  flags: ConfigSources['flags'],
): unknown {
  const { key, path } = named
  const flag = flags[named.flag]
  if (flag !== undefined) return check(key, parseText(key, flag), `${named.flag} ${flag}`)
  const variable = env[named.env]
  if (variable !== undefined) return check(key, parseText(key, variable), `${named.env}=${variable}`)
  if (fromFile.has(path)) return check(key, fromFile.get(path), `${path} in ${fileName}`)
  return key.default
}

/** Values by path. Refuses unknown sections and keys, so that a misspelled setting is not silently ignored. */
function readFile(name: string, content: string): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>()
  for (const [section, keys] of Object.entries(parseToml(name, content))) {
    const known = namedKeys.filter((named) => named.section === section)
    if (known.length === 0)
      throw new Refusal(
        `${name}: unknown section [${section}]; known sections are ${[...new Set(namedKeys.map((named) => named.section))].join(', ')}`,
      )
    if (typeof keys !== 'object' || keys === null || Array.isArray(keys))
      throw new Refusal(`${name}: ${section} must be a section, written [${section}]`)
    for (const [key, value] of Object.entries(keys)) {
      const renamed = RENAMED_KEYS.get(`${section}.${key}`)
      if (renamed !== undefined) throw new Refusal(`${name}: ${section}.${key} was renamed to ${renamed}: rename it in the file`)
      if (!known.some((named) => named.name === key)) {
        throw new Refusal(
          `${name}: unknown key ${section}.${key}; known keys in [${section}] are ${known.map((named) => named.name).join(', ')}`,
        )
      }
      values.set(`${section}.${key}`, value)
    }
  }
  return values
}

function parseToml(name: string, content: string): Readonly<Record<string, unknown>> {
  try {
    return parse(content)
  } catch (failure) {
    if (failure instanceof TomlError)
      throw new Refusal(
        `${name} is not valid TOML: line ${failure.line}, column ${failure.column}: ${failure.message.split('\n')[0]}`,
      )
    throw failure
  }
}

function refuseUnknownVariables(env: ConfigSources['env']): void {
  const prefixes = [...new Set(namedKeys.map(({ section }) => `QUOIN_${section.toUpperCase()}_`))]
  const known = new Set(namedKeys.map((named) => named.env))
  for (const name of Object.keys(env)) {
    if (!prefixes.some((prefix) => name.startsWith(prefix)) || known.has(name)) continue
    const section = prefixes.find((prefix) => name.startsWith(prefix))!
    throw new Refusal(
      `unknown environment variable ${name}; known ones are ${[...known].filter((other) => other.startsWith(section)).join(', ')}`,
    )
  }
}

/** Parses text from the environment or a flag. Text that does not parse is returned unchanged, and `check` then refuses it. */
function parseText(key: ConfigKey, value: string): unknown {
  if (key.kind === 'integer' && /^-?\d{1,15}$/.test(value)) return Number(value)
  if (key.kind === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
  if (key.kind === 'list') return parseList(value)
  return value
}

/** A list separated by commas, or in JSON as messages and the configuration file show it. */
function parseList(value: string): unknown {
  if (value.trim() === '') return []
  if (!value.trimStart().startsWith('[')) return value.split(',').map((item) => item.trim())
  try {
    return JSON.parse(value)
  } catch (failure) {
    if (failure instanceof SyntaxError) return value
    throw failure
  }
}

function check(key: ConfigKey, value: unknown, where: string): unknown {
  if (fits(key, value)) return value
  throw new Refusal(`${where}: must be ${allowed(key)}`)
}

function fits(key: ConfigKey, value: unknown): boolean {
  switch (key.kind) {
    case 'integer':
      return typeof value === 'number' && Number.isSafeInteger(value) && value >= key.min && value <= key.max
    case 'boolean':
      return typeof value === 'boolean'
    case 'choice':
      return typeof value === 'string' && key.choices.includes(value)
    case 'text':
      return typeof value === 'string' && value.length <= key.charsMax
    case 'list':
      return (
        Array.isArray(value) &&
        value.length <= key.itemsMax &&
        value.every((item) => typeof item === 'string' && item.length <= key.charsMax)
      )
  }
}

/**
 * Makes the text of a configuration file with every key, its description and its value.
 *
 * @param overrides - Values by path, used instead of the defaults.
 */
export function configTemplate(overrides: Readonly<Record<string, unknown>> = {}): string {
  let text = '# Configuration of a Quoin node. Environment variables (QUOIN_SECTION_KEY) and flags (--section-key) override it.\n'
  let section = ''
  for (const named of namedKeys) {
    if (named.section !== section) text += `\n[${named.section}]\n`
    section = named.section
    text += `# ${named.key.help} Allowed: ${allowed(named.key)}.\n${named.name} = ${JSON.stringify(overrides[named.path] ?? named.key.default)}\n`
  }
  return text
}
