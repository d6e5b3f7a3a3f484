import type { Result } from '@quoin/protocol'
import type { Awaitable } from '../awaitable.ts'
import { type Config, type ConfigError, changedKeys, LIVE_KEYS, type LoadedConfig } from '../config/index.ts'
import type { Closable } from '../lifecycle.ts'
import type { Logger } from '../logger.ts'
import { CommandError } from './failure.ts'

export interface ReloadOptions {
  readonly config: Config
  /** Reads the configuration from the same sources as the start did. */
  readonly read: () => Promise<Result<LoadedConfig, ConfigError>>
  /** Checks a configuration and returns a function that applies it. Throws CommandError if it cannot be used. */
  readonly prepare: (config: Config) => Awaitable<() => void>
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
}

/** Reloads the settings of a running node on SIGHUP. An invalid file changes nothing. */
export class Reload implements Closable {
  readonly #options: ReloadOptions
  #config: Config
  /** The last reload; reloads run one after another. */
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
      const apply = await prepare(config)
      apply()
      this.#config = config
      const [inForce, later] = [changed.filter((path) => LIVE_KEYS.has(path)), changed.filter((path) => !LIVE_KEYS.has(path))]
      // A change of a shadowed key in the file has no effect: tell the operator.
      log.info({ changed: inForce, ...(shadowed.length === 0 ? {} : { shadowed }) }, 'settings reloaded')
      if (later.length > 0) log.warn({ changed: later }, 'these settings take effect after a restart')
    } catch (failure) {
      if (failure instanceof CommandError) this.#refuse(failure.message)
      else log.error({ err: failure }, 'reloading the settings failed: the old settings stay in force')
    }
  }

  #refuse(reason: string): void {
    this.#options.log.error({ reason }, 'settings not reloaded, because one is invalid: the old settings stay in force')
  }
}
