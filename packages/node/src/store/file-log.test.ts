import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { behind, openFileLog } from './file-log.ts'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quoin-log-'))
  path = join(directory, 'wal')
})
afterEach(() => rm(directory, { recursive: true }))

const text = (value: string) => new TextEncoder().encode(value)

type Step =
  | { readonly kind: 'append' | 'replace'; readonly bytes: Uint8Array }
  | { readonly kind: 'sync' | 'await' | 'reopen' | 'truncate' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('append' as const), bytes: fc.uint8Array({ maxLength: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replace' as const), bytes: fc.uint8Array({ maxLength: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('sync' as const, 'await' as const, 'reopen' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('truncate' as const) }) },
)

it('what a write left is written next', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 4 }), { maxLength: 5 }), fc.nat(20), (chunks, written) => {
      const all = chunks.flatMap((chunk) => [...chunk])
      expect(behind(chunks, Math.min(written, all.length)).flatMap((chunk) => [...chunk])).toEqual(all.slice(written))
    }),
  )
})

describe('openFileLog', () => {
  it('holds what a byte array would, for any order of operations, awaited or not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
        await rm(path, { force: true })
        let log = await openFileLog(path)
        let durable: number[] = []
        let appended: number[] = []
        let last: Promise<void> = Promise.resolve()
        for (const next of steps) {
          if (next.kind === 'append') {
            log.append(next.bytes)
            appended.push(...next.bytes)
          } else if (next.kind === 'sync') {
            last = log.sync()
            durable = [...durable, ...appended]
            appended = []
          } else if (next.kind === 'replace') {
            last = log.replace(next.bytes)
            durable = [...next.bytes]
            appended = []
          } else if (next.kind === 'truncate') {
            const length = Math.floor(durable.length / 2)
            last = log.truncate(length)
            durable = durable.slice(0, length)
          } else if (next.kind === 'await') {
            await last
            expect([...(await readFile(path))]).toEqual(durable)
          } else {
            await log.close()
            appended = []
            log = await openFileLog(path)
            expect([...(await log.read())]).toEqual(durable)
          }
        }
        await log.close()
        expect([...(await readFile(path))]).toEqual(durable)
      }),
      { numRuns: 60 },
    )
  })

  it('writes nothing before sync, and everything appended before it once it resolves', async () => {
    const log = await openFileLog(path)
    log.append(text('a'))
    log.append(text('b'))
    expect(await readFile(path, 'utf8')).toBe('')
    const first = log.sync()
    log.append(text('c'))
    const second = log.sync()
    await first
    await second
    expect(await readFile(path, 'utf8')).toBe('abc')
    await log.close()
  })

  it('lets syncs that wait for the disk share one write', async () => {
    const log = await openFileLog(path)
    log.append(text('a'))
    const running = log.sync()
    await Promise.resolve()
    log.append(text('b'))
    const joined = log.sync()
    log.append(text('c'))
    expect(log.sync()).toBe(joined)
    await Promise.all([running, joined])
    expect(await readFile(path, 'utf8')).toBe('abc')
    await log.close()
  })

  it('keeps the order of calls that nobody waits for: a later sync never joins one before a replacement or a cut', async () => {
    const log = await openFileLog(path)
    log.append(text('abc'))
    void log.sync()
    void log.replace(text('new'))
    log.append(text('d'))
    void log.sync()
    void log.truncate(1)
    log.append(text('e'))
    await log.sync()
    expect(await readFile(path, 'utf8')).toBe('ne')
    await log.close()
  })

  it('survives a crash in the middle of a replacement: the old content stays, the leftover does no harm', async () => {
    await writeFile(path, 'old')
    await writeFile(`${path}.new`, 'half of the ne')
    const log = await openFileLog(path)
    expect(new TextDecoder().decode(await log.read())).toBe('old')
    await log.replace(text('new'))
    expect(await readFile(path, 'utf8')).toBe('new')
    expect(await readdir(directory)).toEqual(['wal'])
    await log.close()
  })

  it('refuses everything after a failure, because the content on disk is unknown', async () => {
    const log = await openFileLog(path)
    await expect(log.truncate(5)).rejects.toThrow('cannot truncate')
    expect(() => log.append(text('a'))).toThrow('cannot truncate')
    await expect(log.sync()).rejects.toThrow('cannot truncate')
    await log.close()
  })

  it('refuses use after close, which may be called twice', async () => {
    const log = await openFileLog(path)
    await log.close()
    await log.close()
    expect(() => log.append(text('a'))).toThrow('closed')
    await expect(log.sync()).rejects.toThrow('closed')
  })
})
