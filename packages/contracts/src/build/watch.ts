import { existsSync, type FSWatcher, watch as watchDirectory } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { Builder, type BuildOptions, type BuildResult } from './build.ts'
import { BUILD_LIMITS } from './limits.ts'

/** Builds that follow one another until it is closed. */
export interface Watch {
  /** Stops, and waits for a build that is under way. */
  close(): Promise<void>
}

/** What a watch says besides its results. */
export interface WatchHooks {
  /** A build begins. */
  readonly onStart?: () => void
  /** This machine failed, or the build has a bug: no result of the author's. */
  readonly onFault: (fault: unknown) => void
}

/**
 * Builds, and builds again whenever a file changes that the last build read, or that stands in the way of one that failed. `onResult` hears of
 * every build that was not overtaken by a change. The file system's own events start a build: nothing polls.
 */
export function watch(options: BuildOptions, onResult: (result: BuildResult) => void, hooks: WatchHooks): Watch {
  const session = new WatchSession(options, onResult, hooks)
  session.start()
  return session
}

class WatchSession implements Watch {
  readonly #builder: Builder
  readonly #always: readonly string[]
  readonly #onResult: (result: BuildResult) => void
  readonly #hooks: WatchHooks
  readonly #directories = new Map<string, FSWatcher>()
  #watched: ReadonlySet<string> = new Set()
  #timer: NodeJS.Timeout | undefined
  #abort = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(options: BuildOptions, onResult: (result: BuildResult) => void, hooks: WatchHooks) {
    this.#builder = new Builder(options)
    this.#onResult = onResult
    this.#hooks = hooks
    this.#always = [...options.entries, 'tsconfig.json', 'package.json'].map((file) => resolve(options.project, file))
  }

  start(): void {
    this.#listen(this.#always)
    this.#run()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#abort.abort()
    for (const watcher of this.#directories.values()) watcher.close()
    this.#directories.clear()
    await this.#running
    await this.#builder.close()
  }

  /** One build at a time; a change ends the type check of the one that is under way. */
  #run(): void {
    this.#abort.abort()
    const abort = new AbortController()
    this.#abort = abort
    this.#running = this.#running.then(async () => {
      if (abort.signal.aborted) return
      this.#hooks.onStart?.()
      try {
        const result = await this.#builder.build(abort.signal)
        if (this.#isClosed) return
        // What a failed build depends on is not known to the end: what an earlier one did stays watched.
        const inputs = result.ok ? this.#builder.inputs : [...this.#watched, ...this.#builder.inputs]
        this.#listen([...this.#always, ...inputs])
        if (!abort.signal.aborted) this.#onResult(result)
      } catch (fault) {
        this.#hooks.onFault(fault)
      }
    })
  }

  /** Listens to the directories of files, because editors replace files rather than write to them. */
  #listen(files: readonly string[]): void {
    this.#watched = new Set(files)
    const directories = new Set([...this.#watched].map((file) => dirname(file)))
    for (const [directory, watcher] of this.#directories) {
      if (directories.has(directory)) continue
      watcher.close()
      this.#directories.delete(directory)
    }
    for (const directory of directories) {
      if (this.#directories.has(directory) || this.#directories.size >= BUILD_LIMITS.watchedDirectoriesMax) continue
      if (!existsSync(directory)) continue
      const watcher = watchDirectory(directory, (_, name) => this.#changed(directory, name))
      // A directory that is removed takes its watcher with it.
      watcher.on('error', () => this.#directories.delete(directory))
      this.#directories.set(directory, watcher)
    }
  }

  #changed(directory: string, name: string | null): void {
    const isOurs = name === null || this.#watched.has(resolve(directory, name)) || SOURCE.test(basename(name))
    if (!isOurs || this.#isClosed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#run(), BUILD_LIMITS.watchSettleMs)
  }
}

/** A new file beside the others may be the one that an import did not find. */
const SOURCE = /\.[cm]?[jt]sx?$/
