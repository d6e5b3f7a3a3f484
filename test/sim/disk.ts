import type { KvOp } from '@quoin/execution'
import { MemoryKv } from '@quoin/platform'
import type { Kv, KvRange, LogFile } from '../../packages/node/src/powers.ts'
import { FileState } from './file-state.ts'
import { type Life, never } from './life.ts'
import type { SeededRandom } from './random.ts'
import type { World } from './world.ts'

export type WriteKind = 'kv' | 'sync' | 'replace' | 'truncate'

/** Told of each write as it begins; true when it shall never end: the node crashes while it is under way. */
export type OnWrite = (kind: WriteKind) => boolean

export type DiskFault = 'EIO' | 'ENOSPC'

/** What the operating system says of a write that it could not make. */
class DiskError extends Error {
  readonly code: DiskFault

  constructor(code: DiskFault, kind: WriteKind) {
    super(`${code}: ${code === 'EIO' ? 'i/o error' : 'no space left on device'}, ${kind}`)
    this.code = code
  }
}

/** What a copy of a disk holds. */
export interface Backup {
  readonly kv: MemoryKv
  readonly wal: Uint8Array
  readonly signState: Uint8Array
}

/**
 * What survives a node's crashes. A write is durable when its promise resolves. Of one that is under way at a crash, a database batch or a
 * replaced file is there wholly or not at all; of bytes that were appended but not synced any beginning is there, and what lies behind
 * it may be garbage.
 */
export class Disk {
  readonly #world: World
  readonly #random: SeededRandom
  readonly #latencyMs: readonly [number, number]
  kv = new MemoryKv()
  wal = new FileState()
  signState = new FileState()
  /** The first one was lost with all that it held. */
  isAnother = false
  /** Database batches under way. */
  readonly #batches = new Set<readonly KvOp[]>()
  onWrite: OnWrite = () => false
  /** When off, `sync` resolves without making anything durable: for proving that the simulator notices. */
  honest = true
  /** Every write takes so many times its time. */
  slowness = 1
  #fault: DiskFault | undefined
  /** The life in which a write failed: it has nothing more to say. */
  failed: Life | undefined

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

  /** From now on every write fails; the operator mends that with undefined. */
  fail(fault: DiskFault | undefined): void {
    this.#fault = fault
  }

  /** The log is gone: a broken sector, an operator's mistake. */
  loseWal(): void {
    this.wal = new FileState()
  }

  /** Another disk, empty. The operator says so with the next start. */
  wipe(): void {
    this.isAnother = true
    this.kv = new MemoryKv()
    this.wal = new FileState()
    this.signState = new FileState()
  }

  /** The database and the log are made anew from the network; the sign state stays, as the operator was told. */
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
      // The disk works on while the process is stopped.
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
