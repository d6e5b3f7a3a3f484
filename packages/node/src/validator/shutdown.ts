/** How long the end of the process takes at the most, from the signal on. */
export const SHUTDOWN_LIMITS = {
  /** Work that is under way may end by itself for so long. Then the threads are ended that do it. */
  gracefulMs: 1_500,
  /** Then the process kills itself: whatever holds it, it is something that nobody can end. Every file of a node survives that. */
  killMs: 4_500,
  /** What is promised. */
  totalMs: 5_000,
} as const

/** Threads that can be ended in the midst of their work. */
export interface Terminable {
  /** Ends them at once, and all that waits for them with an error. */
  terminate(): void
}

export interface ShutdownPowers {
  /** Runs an action later, without keeping the process alive for it. */
  readonly after: (ms: number, action: () => void) => void
  /** Ends the process on the spot. */
  readonly kill: () => void
  readonly warn: (message: string) => void
}

/** Sees to it that the process ends once it is told to, whatever its threads do: first by itself, then without them, then by force. */
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

  /** Whether its threads were ended in the midst of their work: what fails after that is a consequence. */
  get isForced(): boolean {
    return this.#isForced
  }

  own<T extends Terminable>(threads: T): T {
    this.#threads.push(threads)
    if (this.#isForced) threads.terminate()
    return threads
  }

  /** The process is to end from now on. */
  begin(): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    const { after, kill, warn } = this.#powers
    const { gracefulMs, killMs } = SHUTDOWN_LIMITS
    after(gracefulMs, () => {
      this.#isForced = true
      warn(`not stopped within ${gracefulMs} ms: worker threads are ended in the midst of their work`)
      for (const threads of this.#threads) threads.terminate()
    })
    after(killMs, () => {
      warn(`not stopped within ${killMs} ms: the process is killed. It starts again as after kill -9, without loss`)
      kill()
    })
  }
}

/** Of this process. */
export const systemShutdown = (warn: (message: string) => void): Shutdown =>
  new Shutdown({
    after: (ms, action) => void setTimeout(action, ms).unref(),
    kill: () => process.kill(process.pid, 'SIGKILL'),
    warn,
  })
