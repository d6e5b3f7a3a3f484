/** Bounds for the end of the process, in ms from the signal on. */
export const SHUTDOWN_LIMITS = {
  /** Work in progress may finish until then. Then its threads are terminated. */
  gracefulMs: 1_500,
  /** Then the process kills itself, because something that cannot be terminated holds it up. Every file of a node survives that. */
  killMs: 4_500,
  /** Documented upper bound. */
  totalMs: 5_000,
} as const

/** Threads that can be terminated while they work. */
export interface Terminable {
  /** Ends the threads at once; everything that waits for them fails with an error. */
  terminate(): void
}

export interface ShutdownPowers {
  /** Runs an action later. The timer must not keep the process alive. */
  readonly after: (ms: number, action: () => void) => void
  /** Kills the process at once. */
  readonly kill: () => void
  readonly warn: (message: string) => void
}

/**
 * Makes sure that the process ends once it is told to, whatever its threads do. First it may end by itself, then its threads are
 * terminated, then it is killed.
 */
export class Shutdown {
  readonly #powers: ShutdownPowers
  readonly #threads: Terminable[] = []
  #hasBegun = false
  #isForced = false

  constructor(powers: ShutdownPowers) {
    this.#powers = powers
  }

  /** Whether the process was told to end. */
  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** Whether its threads were terminated while they worked. Later errors are then consequences of that. */
  get isForced(): boolean {
    return this.#isForced
  }

  own<T extends Terminable>(threads: T): T {
    this.#threads.push(threads)
    if (this.#isForced) threads.terminate()
    return threads
  }

  /** Starts the shutdown timers. */
  begin(): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    const { after, kill, warn } = this.#powers
    const { gracefulMs, killMs } = SHUTDOWN_LIMITS
    after(gracefulMs, () => {
      this.#isForced = true
      warn(`not stopped within ${gracefulMs} ms: terminating the worker threads`)
      for (const threads of this.#threads) threads.terminate()
    })
    after(killMs, () => {
      warn(`not stopped within ${killMs} ms: killing the process. No data is lost: the next start recovers as after kill -9`)
      kill()
    })
  }
}

/** The shutdown of this process, with real timers and SIGKILL. */
export const systemShutdown = (warn: (message: string) => void): Shutdown =>
  new Shutdown({
    after: (ms, action) => void setTimeout(action, ms).unref(),
    kill: () => process.kill(process.pid, 'SIGKILL'),
    warn,
  })
