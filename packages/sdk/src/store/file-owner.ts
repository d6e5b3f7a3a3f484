import { readFileSync, readlinkSync } from 'node:fs'
import { open, stat, unlink, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { codeOf, ifMissing } from './file-log.ts'
import type { Change, OwnOptions } from './store.ts'

/** What ownership needs of the store. */
interface Records {
  get(key: string): Promise<string | undefined>
  commit(changes: readonly Change[], conditions: readonly Change[]): Promise<boolean>
  watch(prefix: string, listener: () => void): () => void
}

/** Who owns a name. */
interface Holder {
  /** Names the file that the holder touches as long as it lives. */
  readonly token: string
  readonly pid: number
  /** Start of the process, where the system tells: process ids are given again. */
  readonly started: string
  /** Where the process id means something. */
  readonly place: string
}

/** Names of owners are entries of the store that no list shows. They come after all others. */
const OWNER_PREFIX = '\uffff\uffffowner/'
export const isOwnerKey = (key: string): boolean => key.startsWith(OWNER_PREFIX)

const BEAT_MS = 1_000
/** An owner in another container is dead after this silence. */
const SILENT_MS_MAX = 4_000
/** An owner whose process exists may be stopped or busy: it keeps the name longer. */
const STOPPED_MS_MAX = 10_000
/** The least pause between two looks at an owner. */
const LOOK_MS = 250

/**
 * Ownership of names as records of the store, taken and given by conditional commits. A holder touches a file of its own every second. Others
 * see at once that its process has ended, or after some seconds that the file is no longer touched; they compare the file's time with what they
 * saw before, never with a clock.
 */
export class FileOwner {
  readonly #root: string
  readonly #token: () => string
  readonly #records: Records
  readonly #place: string
  /** Tokens of this store, with what ends them. */
  readonly #held = new Map<string, AbortController>()
  readonly #closing = new AbortController()

  constructor(root: string, token: () => string, records: Records) {
    this.#root = root
    this.#token = token
    this.#records = records
    this.#place = place()
  }

  async own<T>(name: string, run: (lost: AbortSignal) => Promise<T>, options: OwnOptions): Promise<T | undefined> {
    const key = OWNER_PREFIX + name
    const holder: Holder = { token: this.#token(), pid: process.pid, started: startOf(process.pid) ?? '', place: this.#place }
    const value = JSON.stringify(holder)
    const beat = join(this.#root, `beat-${holder.token}`)
    // Held before it is written: no other call of this store may take it for a dead process's.
    const lost = new AbortController()
    this.#held.set(holder.token, lost)
    try {
      await (await open(beat, 'w')).close()
      if (!(await this.#take(key, value, beat, options))) return undefined
      const stop = this.#keep(key, value, beat, lost)
      try {
        return await run(lost.signal)
      } finally {
        stop()
        // Without its file the holder counts as dead, so a closed store needs no record of the release.
        if (!this.#closing.signal.aborted) await this.#records.commit([{ key, value: undefined }], [{ key, value }])
      }
    } finally {
      this.#held.delete(holder.token)
      await unlink(beat).catch(ifMissing)
    }
  }

  /** Ends waits and takes all names away. */
  async close(reason: unknown): Promise<void> {
    this.#closing.abort(reason)
    for (const lost of this.#held.values()) lost.abort(reason)
  }

  /** True once the record says `value`; false if it is another's and the caller does not wait. */
  async #take(key: string, value: string, beat: string, { signal, ifAvailable = false }: OwnOptions): Promise<boolean> {
    const seen: Seen = { token: '', changedMs: 0, sinceMs: 0 }
    for (;;) {
      signal?.throwIfAborted()
      this.#closing.signal.throwIfAborted()
      const current = await this.#records.get(key)
      if (current === undefined || (await this.#isDead(JSON.parse(current) as Holder, seen))) {
        if (await this.#records.commit([{ key, value }], [{ key, value: current }])) {
          if (current !== undefined) await this.#forget(JSON.parse(current) as Holder)
          return true
        }
      } else if (ifAvailable) return false
      else {
        await touch(beat)
        await this.#pause(key, signal)
      }
    }
  }

  /** Touches the file, and aborts `lost` when the record is another's. */
  #keep(key: string, value: string, beat: string, lost: AbortController): () => void {
    let isChecking = false
    const check = async (): Promise<void> => {
      if (isChecking) return
      isChecking = true
      try {
        await touch(beat)
        if ((await this.#records.get(key)) !== value) lost.abort(new Error('another process took the ownership'))
      } catch (failure) {
        lost.abort(failure)
      } finally {
        isChecking = false
      }
    }
    const timer = setInterval(() => void check(), BEAT_MS).unref()
    const unwatch = this.#records.watch(key, () => void check())
    return () => {
      clearInterval(timer)
      unwatch()
    }
  }

  async #isDead({ token, pid, started, place }: Holder, seen: Seen): Promise<boolean> {
    if (this.#held.has(token)) return false
    const isHere = place === this.#place && pid !== process.pid
    if (isHere && startOf(pid) !== started) return true
    const found = await stat(join(this.#root, `beat-${token}`)).catch(ifMissing)
    // The file is older than the record and is deleted after it.
    if (found === undefined) return true
    const now = performance.now()
    if (seen.token !== token || seen.changedMs !== found.mtimeMs) {
      seen.token = token
      seen.changedMs = found.mtimeMs
      seen.sinceMs = now
    }
    return now - seen.sinceMs > (isHere ? STOPPED_MS_MAX : SILENT_MS_MAX)
  }

  async #forget({ token }: Holder): Promise<void> {
    await unlink(join(this.#root, `beat-${token}`)).catch(ifMissing)
  }

  /** Until the record changes, or it is time for another look. */
  #pause(key: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        unwatch()
        signal?.removeEventListener('abort', end)
        this.#closing.signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, LOOK_MS)
      timer.unref()
      const unwatch = this.#records.watch(key, end)
      signal?.addEventListener('abort', end)
      this.#closing.signal.addEventListener('abort', end)
    })
  }
}

/** What was last seen of a holder's file. */
interface Seen {
  token: string
  changedMs: number
  sinceMs: number
}

async function touch(path: string): Promise<void> {
  const now = new Date()
  // Whoever deleted it took the name too, and the record tells that.
  await utimes(path, now, now).catch(ifMissing)
}

/** When a process started, in clock ticks of the system, or an empty text where it does not tell. Undefined if the process has ended. */
function startOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      // The name, in parentheses, may contain anything. The state follows it, and the start is the twentieth field from there (proc(5)).
      const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ')
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
    } catch (failure) {
      if (codeOf(failure) === 'ENOENT' || codeOf(failure) === 'ESRCH') return undefined
      throw failure
    }
  }
  try {
    process.kill(pid, 0)
    return ''
  } catch (failure) {
    return codeOf(failure) === 'EPERM' ? '' : undefined
  }
}

/** The machine, and on Linux the namespace of process ids: containers that share a directory do not share those. */
function place(): string {
  if (process.platform !== 'linux') return hostname()
  return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`
}
