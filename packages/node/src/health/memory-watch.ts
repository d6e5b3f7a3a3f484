import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import type { Closable } from '../lifecycle.ts'
import type { Logger } from '../logger.ts'
import type { Clock } from '../powers.ts'
import { repeat } from '../repeat.ts'
import type { Condition } from './conditions.ts'

export const MEMORY_LIMITS = {
  intervalMs: 1_000,
  /** Memory is short above `highPercent` of a limit, until it falls below `lowPercent`. */
  highPercent: 95,
  lowPercent: 85,
  /** Default limit, as a percentage of the memory of the machine or container. */
  defaultPercent: 90,
} as const

export interface MemoryUse {
  /** Resident set size of the process, all threads included. */
  readonly residentBytes: number
  /** Used JavaScript heap of the main thread. */
  readonly heapBytes: number
  /** V8's limit for that heap. */
  readonly heapBytesMax: number
}

export interface MemoryWatchOptions {
  readonly residentBytesMax: number
  readonly clock: Pick<Clock, 'after'>
  readonly logger: Pick<Logger, 'info' | 'warn'>
  readonly read?: () => MemoryUse
}

/** Checks the memory of the process regularly, so that caches are dropped and reads refused before the system kills it (OOM). */
export class MemoryWatch implements Closable {
  readonly #options: MemoryWatchOptions
  #use: MemoryUse
  readonly #reclaimers: (() => void)[] = []
  #isHigh = false
  readonly #cancel: () => void

  constructor(options: MemoryWatchOptions) {
    this.#options = options
    this.#use = this.#read()
    this.#cancel = repeat(options.clock, MEMORY_LIMITS.intervalMs, () => this.#look())
  }

  /** Adds a function that frees memory, such as caches. It is called when memory becomes short, and each second while it is. */
  onShort(reclaim: () => void): void {
    this.#reclaimers.push(reclaim)
  }

  get isHigh(): boolean {
    return this.#isHigh
  }

  get use(): MemoryUse {
    return this.#use
  }

  conditions(): readonly Condition[] {
    return this.#isHigh
      ? [{ code: 'memory-high', message: `memory is short, ${this.#figures()}: caches are dropped and reads are refused` }]
      : []
  }

  close(): void {
    this.#cancel()
  }

  #read(): MemoryUse {
    return (this.#options.read ?? systemMemory)()
  }

  #look(): void {
    const { logger } = this.#options
    this.#use = this.#read()
    const wasHigh = this.#isHigh
    this.#isHigh = this.#isAbove(wasHigh ? MEMORY_LIMITS.lowPercent : MEMORY_LIMITS.highPercent)
    if (this.#isHigh) for (const reclaim of this.#reclaimers) reclaim()
    if (this.#isHigh && !wasHigh)
      logger.warn(this.#use, `memory is short, ${this.#figures()}: caches are dropped and reads are refused`)
    if (!this.#isHigh && wasHigh) logger.info(this.#use, 'memory is no longer short: reads are answered again')
  }

  #isAbove(percent: number): boolean {
    const { residentBytes, heapBytes, heapBytesMax } = this.#use
    return 100 * residentBytes > percent * this.#options.residentBytesMax || 100 * heapBytes > percent * heapBytesMax
  }

  #figures(): string {
    const { residentBytes, heapBytes, heapBytesMax } = this.#use
    const used = (bytes: number, max: number) => `${mebibytes(bytes)} of ${mebibytes(max)} MiB`
    return `resident ${used(residentBytes, this.#options.residentBytesMax)}, heap ${used(heapBytes, heapBytesMax)}`
  }
}

const mebibytes = (bytes: number): number => Math.floor(bytes / (1024 * 1024))

function systemMemory(): MemoryUse {
  const { used_heap_size: heapBytes, heap_size_limit: heapBytesMax } = getHeapStatistics()
  return { residentBytes: process.memoryUsage.rss(), heapBytes, heapBytesMax }
}

/** @returns The configured limit, or by default `defaultPercent` of the memory of the machine or container. */
export function residentBytesMax(configured: number): number {
  if (configured > 0) return configured
  return Math.floor((Math.min(totalmem(), process.constrainedMemory() || Infinity) * MEMORY_LIMITS.defaultPercent) / 100)
}
