import { constants } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { LogFile } from '../powers.ts'

/** A queued write that later `sync` calls can still join: one write and one fdatasync serve all of them. */
interface PendingSync {
  readonly chunks: Uint8Array[]
  readonly done: Promise<void>
}

/** Opens or creates the file; its directory must exist. Rejects with the file system's error. */
export async function openFileLog(path: string): Promise<LogFile> {
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  await syncDirectory(dirname(path))
  const { size } = await handle.stat()
  return new FileLog(path, handle, size)
}

/**
 * `LogFile` over one file. Operations run one after another in the order of the calls. After a failed write or sync the content on disk is
 * unknown (a second fsync reports success for pages that the first one lost), so the file refuses all further operations.
 */
class FileLog implements LogFile {
  readonly #path: string
  #handle: FileHandle
  #size: number
  #appended: Uint8Array[] = []
  #pending: PendingSync | undefined
  #last: Promise<void> = Promise.resolve()
  #failure: { readonly error: unknown } | undefined
  #closed = false

  constructor(path: string, handle: FileHandle, size: number) {
    this.#path = path
    this.#handle = handle
    this.#size = size
  }

  async read(): Promise<Uint8Array> {
    const content = new Uint8Array(this.#size)
    for (let at = 0; at < content.length; ) {
      const { bytesRead } = await this.#handle.read(content, at, content.length - at, at)
      if (bytesRead === 0) throw new Error(`${this.#path} is shorter than expected: it ends at byte ${at} of ${content.length}`)
      at += bytesRead
    }
    return content
  }

  append(bytes: Uint8Array): void {
    this.#assertUsable()
    this.#appended.push(bytes)
  }

  sync(): Promise<void> {
    const chunks = this.#take()
    if (this.#pending !== undefined) {
      this.#pending.chunks.push(...chunks)
      return this.#pending.done
    }
    const pending: PendingSync = {
      chunks,
      done: this.#enqueue(async () => {
        this.#pending = undefined
        await this.#write(pending.chunks)
      }),
    }
    this.#pending = pending
    return pending.done
  }

  replace(content: Uint8Array): Promise<void> {
    this.#take()
    return this.#enqueue(async () => {
      const path = `${this.#path}.new`
      const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC, 0o600)
      try {
        await handle.writeFile(content)
        await handle.sync()
        await rename(path, this.#path)
        await syncDirectory(dirname(this.#path))
      } catch (error) {
        await handle.close()
        throw error
      }
      await this.#handle.close()
      this.#handle = handle
      this.#size = content.length
    })
  }

  truncate(length: number): Promise<void> {
    return this.#enqueue(async () => {
      if (length > this.#size) throw new RangeError(`cannot truncate ${this.#size} bytes to ${length}`)
      await this.#handle.truncate(length)
      await this.#handle.sync()
      this.#size = length
    })
  }

  /** Waits for earlier operations; bytes that were appended but not synced are dropped. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#last
    await this.#handle.close()
  }

  #take(): Uint8Array[] {
    const chunks = this.#appended
    this.#appended = []
    return chunks
  }

  #enqueue(action: () => Promise<void>): Promise<void> {
    this.#pending = undefined
    if (this.#closed) return Promise.reject(new Error(`${this.#path} is closed`))
    const done = this.#last.then(async () => {
      if (this.#failure !== undefined) throw this.#failure.error
      try {
        await action()
      } catch (error) {
        this.#failure = { error }
        throw error
      }
    })
    // The caller gets the failure through `done`; this chain only keeps the order.
    this.#last = done.then(
      () => undefined,
      () => undefined,
    )
    return done
  }

  #assertUsable(): void {
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#closed) throw new Error(`${this.#path} is closed`)
  }

  async #write(chunks: readonly Uint8Array[]): Promise<void> {
    if (chunks.length === 0) return
    for (let left = chunks; left.length > 0; ) {
      const { bytesWritten } = await this.#handle.writev(left, this.#size)
      this.#size += bytesWritten
      left = behind(left, bytesWritten)
    }
    await this.#handle.datasync()
  }
}

/** What is left of chunks after their first bytes. */
export function behind(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let rest = bytes
  for (const [i, chunk] of chunks.entries()) {
    if (rest < chunk.length) return [chunk.subarray(rest), ...chunks.slice(i + 1)]
    rest -= chunk.length
  }
  return []
}

/** Makes the directory's entries durable; until then a new or renamed file is not. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
