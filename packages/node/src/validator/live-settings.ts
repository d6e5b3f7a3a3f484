import type { Result } from '@quoin/protocol'
import { type Config, type ConfigError, changedKeys, LIVE_KEYS, type LoadedConfig } from '../config/index.ts'
import type { Closable } from '../lifecycle.ts'
import type { Logger } from '../logger.ts'
import { CommandError } from './failure.ts'

export interface ReloadOptions {
  readonly config: Config
  /** Reads the configuration as the start did. */
  readonly read: () => Promise<Result<LoadedConfig, ConfigError>>
  /** Makes ready what follows from a configuration, and returns what puts it in force. Throws CommandError where it cannot be used. */
  readonly prepare: (config: Config) => () => void
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
}

/** Reads the settings of a running node again when it gets SIGHUP. A wrong file changes nothing. */
export class Reload implements Closable {
  readonly #options: ReloadOptions
  #config: Config
  /** One after another. */
  #last: Promise<void> = Promise.resolve()
  readonly #onSignal = (): void => void this.reload()

  constructor(options: ReloadOptions) {
    this.#options = options
    this.#config = options.config
    process.on('SIGHUP', this.#onSignal)
  }

  reload(): Promise<void> {
    this.#last = this.#last.then(() => this.#reload())
    return this.#last
  }

  async close(): Promise<void> {
    process.removeListener('SIGHUP', this.#onSignal)
    await this.#last
  }

  /** Never rejects. */
  async #reload(): Promise<void> {
    const { read, prepare, log } = this.#options
    try {
      const loaded = await read()
      if (!loaded.ok) return this.#refuse(loaded.error.message)
      const { config, shadowed } = loaded.value
      const changed = changedKeys(this.#config, config)
      const apply = prepare(config)
      apply()
      this.#config = config
      const [inForce, later] = [changed.filter((path) => LIVE_KEYS.has(path)), changed.filter((path) => !LIVE_KEYS.has(path))]
      // Whoever changed one of these in the file waits for it in vain.
      log.info({ changed: inForce, ...(shadowed.length === 0 ? {} : { shadowed }) }, 'the settings were read again')
      if (later.length > 0) log.warn({ changed: later }, 'these settings are in force after the next start')
    } catch (failure) {
      if (failure instanceof CommandError) this.#refuse(failure.message)
      else log.error({ err: failure }, 'the settings could not be read again: all stay as they were')
    }
  }

  #refuse(reason: string): void {
    this.#options.log.error({ reason }, 'the settings were not read again, for one is wrong: all stay as they were')
  }
}
