import type { KvOp } from '@quoin/execution'
import { MemoryKv } from '@quoin/platform'
import type { Kv, KvRange, LogFile } from '../../packages/node/src/powers.ts'
import { FileState } from './file-state.ts'
import { type Life, never } from './life.ts'
import type { SeededRandom } from './random.ts'
import type { World } from './world.ts'

export type WriteKind = 'kv' | 'sync' | 'replace' | 'truncate'

/** Called as each write begins; returns true if the write must never end, because the node crashes during it. */
export type OnWrite = (kind: WriteKind) => boolean

export type DiskFault = 'EIO' | 'ENOSPC'

/** The operating system's error for a failed write. */
class DiskError extends Error {
  readonly code: DiskFault

  constructor(code: DiskFault, kind: WriteKind) {
    super(`${code}: ${code === 'EIO' ? 'i/o error' : 'no space left on device'}, ${kind}`)
    this.code = code
  }
}

/** Content of a disk backup. */
export interface Backup {
  readonly kv: MemoryKv
  readonly wal: Uint8Array
  readonly signState: Uint8Array
}

/**
 * The data that survives a node's crashes. A write is durable when its promise resolves. If a crash interrupts a database batch or a file
 * replacement, it is applied completely or not at all. Of bytes that were appended but not synced any prefix survives, and the bytes after
 * it may be garbage.
 */
export class Disk {
  readonly #world: World
  readonly #random: SeededRandom
  readonly #latencyMs: readonly [number, number]
  kv = new MemoryKv()
  wal = new FileState()
  signState = new FileState()
  /** The first disk was lost with all its data. */
  isAnother = false
  /** Running database batches. */
  readonly #batches = new Set<readonly KvOp[]>()
  onWrite: OnWrite = () => false
  /** If false, `sync` resolves without making anything durable: for proving that the simulator notices. */
  honest = true
  /** Factor by which every write is slower. */
  slowness = 1
  #fault: DiskFault | undefined
  /** The life in which a write failed; it must not send anything more. */
  failed: Life | undefined

  constructor(world: World, latencyMs: readonly [number, number]) {
    this.#world = world
    this.#random = world.random.fork()
    this.#latencyMs = latencyMs
  }

  /** Applies a crash to everything that was not durable. */
  crash(): void {
    for (const batch of this.#batches) if (this.#random.chance(0.5)) this.kv.apply(batch)
    this.#batches.clear()
    this.wal.crash(this.#random)
    this.signState.crash(this.#random)
  }

  /** Makes every write fail from now on; undefined repairs the disk. */
  fail(fault: DiskFault | undefined): void {
    this.#fault = fault
  }

  /** Loses the log, as by a broken sector or an operator's mistake. */
  loseWal(): void {
    this.wal = new FileState()
  }

  /** Replaces the disk by an empty one. The operator reports the loss at the next start. */
  wipe(): void {
    this.isAnother = true
    this.kv = new MemoryKv()
    this.wal = new FileState()
    this.signState = new FileState()
  }

  /** Removes the database and the log, which are rebuilt from the network. The sign state stays, as the advice for operators says. */
  wipeButSignState(): void {
    this.kv = new MemoryKv()
    this.wal = new FileState()
  }

  backup(): Backup {
    return { kv: this.kv.clone(), wal: this.wal.durableContent(), signState: this.signState.durableContent() }
  }

  restore({ kv, wal, signState }: Backup): void {
    this.kv = kv.clone()
    this.wal = new FileState(wal)
    this.signState = new FileState(signState)
  }

  open(life: Life): { readonly kv: Kv; readonly wal: LogFile; readonly signState: LogFile } {
    return { kv: this.#openKv(life), wal: this.#openFile(this.wal, life), signState: this.#openFile(this.signState, life) }
  }

  /** Resolves after the disk's latency, and never for a dead node; `effect` happens just before. Rejects while the disk fails. */
  #later(kind: WriteKind, life: Life, effect: () => void): Promise<void> {
    if (!life.alive || this.onWrite(kind)) return never()
    const ms = this.#random.between(...this.#latencyMs) * this.slowness
    return new Promise((resolve, reject) => {
      // The disk continues while the process is stopped.
      this.#world.after(ms, () => {
        if (!life.alive) return
        const fault = this.#fault
        if (fault === undefined) effect()
        life.give(() => {
          if (fault === undefined) return resolve()
          this.failed = life
          reject(new DiskError(fault, kind))
        })
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
