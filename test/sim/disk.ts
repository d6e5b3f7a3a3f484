import { MemoryKv } from '@quoin/contracts/platform'
import type { KvOp } from '@quoin/execution'
import type { Kv, KvRange, LogFile } from '../../packages/node/src/powers.ts'
import type { SeededRandom } from './random.ts'
import { type Life, never, type World } from './world.ts'

/** Told of each write as it begins; true when it shall never end: the node crashes while it is under way. */
export type OnWrite = (kind: 'kv' | 'sync' | 'replace' | 'truncate') => boolean

/**
 * What survives a node's crashes. A write is durable when its promise resolves. Of one that is under way at a crash, a database batch or a
 * replaced file is there wholly or not at all; of bytes that were appended but not synced any beginning is there, and what lies behind
 * it may be garbage.
 */
export class Disk {
  readonly #world: World
  readonly #random: SeededRandom
  readonly #latencyMs: readonly [number, number]
  readonly kv = new MemoryKv()
  wal = new FileState()
  readonly signState = new FileState()
  /** Database batches under way. */
  readonly #batches = new Set<readonly KvOp[]>()
  onWrite: OnWrite = () => false
  /** When off, `sync` resolves without making anything durable: for proving that the simulator notices. */
  honest = true

  constructor(world: World, latencyMs: readonly [number, number]) {
    this.#world = world
    this.#random = world.random.fork()
    this.#latencyMs = latencyMs
  }

  /** Applies what a crash does to everything that was not durable. */
  crash(): void {
    for (const batch of this.#batches) if (this.#random.chance(0.5)) this.kv.apply(batch)
    this.#batches.clear()
    this.wal.crash(this.#random)
    this.signState.crash(this.#random)
  }

  /** The log is gone: a broken sector, an operator's mistake. */
  loseWal(): void {
    this.wal = new FileState()
  }

  open(life: Life): { readonly kv: Kv; readonly wal: LogFile; readonly signState: LogFile } {
    return { kv: this.#openKv(life), wal: this.#openFile(this.wal, life), signState: this.#openFile(this.signState, life) }
  }

  /** Resolves after the disk's latency, and never for a dead node; `effect` happens just before. */
  #later(kind: Parameters<OnWrite>[0], life: Life, effect: () => void): Promise<void> {
    if (!life.alive || this.onWrite(kind)) return never()
    return new Promise((resolve) => {
      this.#world.after(this.#random.between(...this.#latencyMs), () => {
        if (!life.alive) return
        effect()
        resolve()
      })
    })
  }

  #openKv(life: Life): Kv {
    const { kv } = this
    return {
      get: (key) => kv.get(key),
      getMany: (keys) => kv.getMany(keys),
      scan: (range: KvRange) => kv.scan(range),
      write: (ops) => {
        this.#batches.add(ops)
        return this.#later('kv', life, () => {
          this.#batches.delete(ops)
          kv.apply(ops)
        })
      },
    }
  }

  #openFile(file: FileState, life: Life): LogFile {
    return {
      read: async () => file.content(),
      append: (bytes) => {
        if (life.alive) file.append(bytes)
      },
      sync: () => {
        const length = file.length
        return this.#later('sync', life, () => {
          if (this.honest) file.syncTo(length)
        })
      },
      replace: (content) => {
        file.replacing = content.slice()
        return this.#later('replace', life, () => file.finishReplace())
      },
      truncate: (length) => this.#later('truncate', life, () => file.truncate(length)),
      close: async () => {},
    }
  }
}

/** One append-only file: what is durable, and what is not yet. */
export class FileState {
  #bytes: Uint8Array = new Uint8Array(0)
  #durable = 0
  /** A replacement under way. */
  replacing: Uint8Array | undefined

  get length(): number {
    return this.#bytes.length
  }

  content(): Uint8Array {
    return this.#bytes.slice()
  }

  append(bytes: Uint8Array): void {
    const grown = new Uint8Array(this.#bytes.length + bytes.length)
    grown.set(this.#bytes)
    grown.set(bytes, this.#bytes.length)
    this.#bytes = grown
  }

  syncTo(length: number): void {
    this.#durable = Math.max(this.#durable, Math.min(length, this.#bytes.length))
  }

  truncate(length: number): void {
    this.#bytes = this.#bytes.slice(0, length)
    this.#durable = length
  }

  finishReplace(): void {
    this.#bytes = this.replacing ?? this.#bytes
    this.replacing = undefined
    this.#durable = this.#bytes.length
  }

  crash(random: SeededRandom): void {
    if (this.replacing !== undefined && random.chance(0.5)) return this.finishReplace()
    this.replacing = undefined
    const kept = random.between(this.#durable, this.#bytes.length)
    const tail = this.#bytes.slice(this.#durable, random.chance(0.5) ? kept : this.#bytes.length)
    // Behind what was written in order, pages may be missing (zeros) or stale.
    for (let i = kept - this.#durable; i < tail.length; i++) tail[i] = random.chance(0.5) ? 0 : random.u32() & 0xff
    const left = new Uint8Array(this.#durable + tail.length)
    left.set(this.#bytes.subarray(0, this.#durable))
    left.set(tail, this.#durable)
    this.#bytes = left
    this.#durable = left.length
  }
}
