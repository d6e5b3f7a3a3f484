import { existsSync, type FSWatcher, watch as watchDirectory } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { Builder, type BuildOptions, type BuildResult } from './build.ts'
import { BUILD_LIMITS } from './limits.ts'

/** A running watch. */
export interface Watch {
  /** Stops the watch and waits for a running build. */
  close(): Promise<void>
}

/** Further callbacks of a watch. */
export interface WatchHooks {
  /** Called when a build begins. */
  readonly onStart?: () => void
  /** Called when a build throws: a fault of this machine or a bug in the build, not an error of the author. */
  readonly onFault: (fault: unknown) => void
}

/**
 * Builds contracts, and builds them again when a file changes that the last build read. After a failed build, the files of earlier builds are still
 * watched. Uses file system events; it does not poll.
 *
 * @param onResult called after each build, unless a change has started another one
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

  /** Runs one build at a time. A change aborts the type check of the running build. */
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
        // A failed build does not know all of its inputs: keep watching the inputs of earlier builds.
        const inputs = result.ok ? this.#builder.inputs : [...this.#watched, ...this.#builder.inputs]
        this.#listen([...this.#always, ...inputs])
        if (!abort.signal.aborted) this.#onResult(result)
      } catch (fault) {
        this.#hooks.onFault(fault)
      }
    })
  }

  /** Watches the directories of files, because editors replace files instead of writing to them. */
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
      // Removing a directory closes its watcher.
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

/** Any source file in a watched directory counts: a new file may be one that an import did not find. */
const SOURCE = /\.[cm]?[jt]sx?$/
