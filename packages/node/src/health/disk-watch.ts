import { statfs } from 'node:fs/promises'
import type { Closable } from '../lifecycle.ts'
import type { Clock } from '../powers.ts'
import type { Condition } from './conditions.ts'
import { EndingError } from './ending.ts'

export const DISK_LIMITS = {
  /** Interval between checks of the free space. A chain with full blocks writes at most about 10 MB a second. */
  intervalMs: 5_000,
} as const

export interface DiskWatchOptions {
  readonly directory: string
  /** Free bytes below which the node warns. 0 disables the warning. */
  readonly warnBytes: number
  /** Free bytes below which the node stops. 0 disables the check. */
  readonly stopBytes: number
  readonly clock: Pick<Clock, 'after'>
  /** Bytes that this process can still write to the directory's file system. */
  readonly freeBytes?: (directory: string) => Promise<number>
  /** Called when the space fell below `stopBytes`, or can no longer be read. */
  readonly onExhausted: (error: unknown) => void
}

/** Checks the free space of the data directory regularly, so that a node shuts down cleanly before a write fails. */
export class DiskWatch implements Closable {
  readonly #options: DiskWatchOptions
  #freeBytes: number
  #cancel: () => void = () => {}
  #looking: Promise<void> | undefined
  #isClosed = false

  /** @throws {EndingError} If there is already too little space. */
  static async start(options: DiskWatchOptions): Promise<DiskWatch> {
    const free = await readFree(options)
    if (free < options.stopBytes) throw exhausted(options, free)
    return new DiskWatch(options, free)
  }

  private constructor(options: DiskWatchOptions, freeBytes: number) {
    this.#options = options
    this.#freeBytes = freeBytes
    this.#schedule()
  }

  get freeBytes(): number {
    return this.#freeBytes
  }

  conditions(): readonly Condition[] {
    const { directory, warnBytes, stopBytes } = this.#options
    if (this.#freeBytes >= warnBytes) return []
    const message = `${mebibytes(this.#freeBytes)} are free in ${directory}, less than ${mebibytes(warnBytes)} (health.disk-warn-bytes): free some disk space. The node stops below ${mebibytes(stopBytes)}`
    return [{ code: 'disk-low', message }]
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    await this.#looking
  }

  #schedule(): void {
    if (this.#isClosed) return
    this.#cancel = this.#options.clock.after(DISK_LIMITS.intervalMs, () => {
      this.#looking = this.#look()
    })
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { stopBytes, onExhausted } = this.#options
    try {
      this.#freeBytes = await readFree(this.#options)
    } catch (error) {
      return onExhausted(error)
    }
    if (this.#freeBytes < stopBytes) onExhausted(exhausted(this.#options, this.#freeBytes))
    else this.#schedule()
  }
}

const readFree = ({ directory, freeBytes = systemFreeBytes }: DiskWatchOptions): Promise<number> => freeBytes(directory)

/** Counts only space that unprivileged processes may use. */
async function systemFreeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize
}

function exhausted({ directory, stopBytes }: DiskWatchOptions, free: number): EndingError {
  const message = `the disk is almost full: ${mebibytes(free)} are free in ${directory}, less than ${mebibytes(stopBytes)} (health.disk-stop-bytes). Free some disk space and start again; no final block is lost`
  return new EndingError({ code: 'disk-full', message })
}

const mebibytes = (bytes: number): string => `${Math.floor(bytes / (1024 * 1024))} MiB`
