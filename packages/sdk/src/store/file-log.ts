import { link, mkdir, open, readdir, readFile, rename, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Entries } from './entries.ts'
import { StoreError } from './error.ts'
import type { Change } from './store.ts'

/**
 * The files of a store, shared by several processes without a lock.
 *
 *     first                 name of the first segment
 *     log-3-9f2c…/start     all entries when the segment began
 *     log-3-9f2c…/live      marks a segment that was reached
 *     log-3-9f2c…/1, 2, …   one commit each; the last may name the next segment
 *     tmp-…                 being written; forgotten ones are deleted later
 *
 * A commit is written and synced under another name, then *linked* to the next number. That fails if another process was first, which makes it
 * an atomic comparison: the loser reads the other's commit and decides again. A process may be killed or stopped between any two steps. A
 * segment's directory is made once, before anything names it, so a process that slept through its removal finds no place to write.
 */
export class FileLog {
  readonly #root: string
  readonly #token: () => string
  #segment = ''
  #next = 1
  #segmentUnits = 0
  #compactFrom = SEGMENT_COMMITS_MIN
  #entries = new Entries()

  constructor(root: string, token: () => string) {
    this.#root = root
    this.#token = token
  }

  get entries(): Entries {
    return this.#entries
  }

  async open(): Promise<void> {
    await mkdir(this.#root, { recursive: true })
    await this.#enterNewest()
    await this.#clean()
  }

  /** Reads what others committed; returns the keys that may have changed. */
  async sync(): Promise<readonly string[]> {
    const changed: string[] = []
    for (;;) {
      const record = await this.#read(this.#next)
      if (record === undefined) {
        if (await exists(join(this.#root, this.#segment))) return changed
        changed.push(...(await this.#reload()))
      } else if (record.next !== undefined) changed.push(...(await this.#follow(record.next)))
      else changed.push(...this.#apply(record.changes, record.units))
    }
  }

  /** Appends a commit after the last one that `sync` read. False if another process appended first, or the segment has ended. */
  async append(changes: readonly Change[]): Promise<boolean> {
    const text = JSON.stringify({ changes: changes.map(({ key, value }) => [key, value ?? null]) })
    if (!(await this.#link(text))) return false
    this.#apply(changes, text.length)
    if (this.#next > this.#compactFrom && this.#segmentUnits > this.#entries.size * SEGMENT_FACTOR) await this.#compactOrLater()
    return true
  }

  /** Deletes what killed processes left behind. */
  async #clean(): Promise<void> {
    const current = numberOf(this.#segment)
    for (const name of await readdir(this.#root)) {
      const isOld = name.startsWith('log-') && name !== this.#segment && numberOf(name) <= current
      const isForgotten = /^(tmp|beat)-/.test(name) && (await ageMs(join(this.#root, name))) > FORGOTTEN_MS
      if (isOld || isForgotten) await this.#discard(name)
    }
  }

  async #enterNewest(): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      if (attempt > ATTEMPTS_MAX) throw new StoreError('damaged', `${this.#root} has no complete segment.`)
      const name = (await this.#newest()) ?? (await this.#first())
      if (await this.#enter(name)) return
    }
  }

  /** The live segment with the highest number. */
  async #newest(): Promise<string | undefined> {
    const names = (await readdir(this.#root)).filter((name) => name.startsWith('log-'))
    for (const name of names.sort((a, b) => numberOf(b) - numberOf(a)))
      if (await exists(join(this.#root, name, 'live'))) return name
    return undefined
  }

  async #first(): Promise<string> {
    const path = join(this.#root, 'first')
    const known = await readFile(path, 'utf8').catch(ifMissing)
    if (known !== undefined) return known
    const name = await this.#makeSegment(1, '[]')
    await this.#linkFile(name, path)
    const first = await readFile(path, 'utf8')
    if (first !== name) await this.#discard(name)
    return first
  }

  /** Makes the directory of a segment that nothing names yet. */
  async #makeSegment(number: number, start: string): Promise<string> {
    const name = `log-${number}-${this.#token()}`
    await mkdir(join(this.#root, name))
    await writeSynced(join(this.#root, name, 'start'), start)
    await syncDirectory(join(this.#root, name))
    await syncDirectory(this.#root)
    return name
  }

  /** False if the segment is gone. */
  async #enter(name: string): Promise<boolean> {
    const text = await readFile(join(this.#root, name, 'start'), 'utf8').catch(ifMissing)
    if (text === undefined) return false
    const entries = new Entries(parsed<[string, string][]>(text, join(name, 'start')))
    if (!(await marked(join(this.#root, name, 'live')))) return false
    this.#segment = name
    this.#next = 1
    this.#segmentUnits = 0
    this.#compactFrom = SEGMENT_COMMITS_MIN
    this.#entries = entries
    return true
  }

  async #follow(name: string): Promise<readonly string[]> {
    const before = this.#segment
    const previous = this.#entries
    if (!(await this.#enter(name))) return this.#reload()
    await this.#discard(before)
    return [...previous.keys(), ...this.#entries.keys()]
  }

  async #reload(): Promise<readonly string[]> {
    const previous = this.#entries
    await this.#enterNewest()
    return [...previous.keys(), ...this.#entries.keys()]
  }

  /** The commit before it is durable, whatever happens here: a full disk only delays it. */
  async #compactOrLater(): Promise<void> {
    try {
      await this.#compact()
    } catch (failure) {
      if (codeOf(failure) === undefined) throw failure
      this.#compactFrom = this.#next + SEGMENT_COMMITS_MIN
    }
  }

  /** Starts a segment with all entries, unless another process appends first. */
  async #compact(): Promise<void> {
    const name = await this.#makeSegment(
      numberOf(this.#segment) + 1,
      JSON.stringify(this.#entries.list('', { limit: Number.POSITIVE_INFINITY })),
    )
    if (await this.#link(JSON.stringify({ next: name }))) await this.#follow(name)
    else await this.#discard(name)
  }

  async #read(number: number): Promise<LogRecord | undefined> {
    const place = join(this.#segment, String(number))
    const text = await readFile(join(this.#root, place), 'utf8').catch(ifMissing)
    if (text === undefined) return undefined
    const { next, changes = [] } = parsed<{ next?: string; changes?: [string, string | null][] }>(text, place)
    return { next, changes: changes.map(([key, value]) => ({ key, value: value ?? undefined })), units: text.length }
  }

  #apply(changes: readonly Change[], units: number): readonly string[] {
    this.#entries.apply(changes)
    this.#segmentUnits += units
    this.#next++
    return changes.map(({ key }) => key)
  }

  /** Links a text to the next number of the segment, durably. */
  async #link(text: string): Promise<boolean> {
    const segment = join(this.#root, this.#segment)
    if (!(await this.#linkFile(text, join(segment, String(this.#next))))) return false
    await syncDirectory(segment)
    return true
  }

  async #linkFile(text: string, path: string): Promise<boolean> {
    const temporary = join(this.#root, `tmp-${this.#token()}`)
    await writeSynced(temporary, text)
    try {
      await link(temporary, path)
      return true
    } catch (failure) {
      if (codeOf(failure) === 'EEXIST' || codeOf(failure) === 'ENOENT') return false
      throw failure
    } finally {
      await unlink(temporary)
    }
  }

  /** Removes a directory of the store under another name, so that nobody writes to a half of it. Others may do the same. */
  async #discard(name: string): Promise<void> {
    const trash = join(this.#root, `tmp-${this.#token()}`)
    try {
      await rename(join(this.#root, name), trash)
      // A rename keeps the time of the last change.
      await utimes(trash, new Date(), new Date())
      await rm(trash, { recursive: true, force: true })
    } catch (failure) {
      // On Windows a directory with an open file cannot be moved; it is cleaned at the next start.
      if (!['ENOENT', 'EPERM', 'EACCES', 'EBUSY', 'ENOTEMPTY'].includes(codeOf(failure) ?? '')) throw failure
    }
  }
}

interface LogRecord {
  readonly next: string | undefined
  readonly changes: readonly Change[]
  readonly units: number
}

/** A segment is replaced after this many commits, once they are this many times as long as the entries. */
const SEGMENT_COMMITS_MIN = 256
const SEGMENT_FACTOR = 2
/** Temporary files of living processes are younger. */
const FORGOTTEN_MS = 60_000
/** The newest segment can be replaced while it is entered, but not this often. */
const ATTEMPTS_MAX = 1_000

const numberOf = (segment: string): number => Number(segment.split('-')[1])

function parsed<T>(text: string, place: string): T {
  try {
    return JSON.parse(text) as T
  } catch (failure) {
    throw new StoreError('damaged', `The store's file ${place} is damaged.`, failure)
  }
}

export const codeOf = (failure: unknown): string | undefined => (failure as NodeJS.ErrnoException | undefined)?.code

export function ifMissing(failure: unknown): undefined {
  if (codeOf(failure) !== 'ENOENT') throw failure
}

const exists = async (path: string): Promise<boolean> => (await stat(path).catch(ifMissing)) !== undefined

/** Creates an empty file. False if its directory is gone. */
async function marked(path: string): Promise<boolean> {
  try {
    await writeFile(path, '')
    return true
  } catch (failure) {
    ifMissing(failure)
    return false
  }
}

async function ageMs(path: string): Promise<number> {
  const found = await stat(path).catch(ifMissing)
  return found === undefined ? 0 : Date.now() - found.mtimeMs
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx')
  try {
    await file.writeFile(text)
    await file.datasync()
  } finally {
    await file.close()
  }
}

/** Makes names in a directory durable. Windows has no such call and needs none. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const directory = await open(path, 'r').catch(ifMissing)
  if (directory === undefined) return
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
