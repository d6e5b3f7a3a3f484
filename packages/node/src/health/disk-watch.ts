import { statfs } from 'node:fs/promises'
import type { Closable } from '../lifecycle.ts'
import type { Clock } from '../powers.ts'
import type { Condition } from './conditions.ts'
import { EndingError } from './ending.ts'

export const DISK_LIMITS = {
  /** How often the free space is looked at. A chain that fills its blocks writes some 10 MB a second at the most. */
  intervalMs: 5_000,
} as const

export interface DiskWatchOptions {
  readonly directory: string
  /** Free bytes below which the node warns, and below which it stops. 0 turns either off. */
  readonly warnBytes: number
  readonly stopBytes: number
  readonly clock: Pick<Clock, 'after'>
  /** Bytes that this process may still write in the file system of a directory. */
  readonly freeBytes?: (directory: string) => Promise<number>
  /** The space fell below `stopBytes`, or it cannot be read any more. */
  readonly onExhausted: (error: unknown) => void
}

/** Looks at the free space of the data directory, so that a node stops in order before a write fails. */
export class DiskWatch implements Closable {
  readonly #options: DiskWatchOptions
  #freeBytes: number
  #cancel: () => void = () => {}
  #looking: Promise<void> | undefined
  #isClosed = false

  /** Rejects with EndingError when there is too little space to begin with. */
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
    const message = `${mebibytes(this.#freeBytes)} are free in ${directory}, less than ${mebibytes(warnBytes)}: make room. The node stops at ${mebibytes(stopBytes)}`
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

/** What is free for processes without privileges. */
async function systemFreeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize
}

function exhausted({ directory, stopBytes }: DiskWatchOptions, free: number): EndingError {
  const message = `the disk is almost full: ${mebibytes(free)} are free in ${directory}, less than ${mebibytes(stopBytes)} (health.disk-stop-bytes). Make room and start again, nothing that was final is lost`
  return new EndingError({ code: 'disk-full', message })
}

const mebibytes = (bytes: number): string => `${Math.floor(bytes / (1024 * 1024))} MiB`
