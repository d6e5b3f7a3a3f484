import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Height } from '@quoin/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LogRecorder } from '../../test/chain.ts'
import { openClassicKv } from './classic-kv.ts'
import { DamagedError } from './damage.ts'
import { openDatabase } from './database.ts'
import { checkTable, damagedLog, levelFiles, tablesOf } from './level-files.ts'
import { findLogFault } from './level-log.ts'
import { heightKey, heightOfKey } from './schema.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quoin-level-'))
})
afterEach(() => rm(directory, { recursive: true }))

const path = (name: string) => join(directory, name)
const keyOf = (i: number) => heightKey('body', Height(i))
/** Bytes that do not repeat. */
const valueOf = (i: number, length: number) => Uint8Array.from({ length }, (_, at) => (at * 31 + i * 17 + (at >> 8)) & 0xff)

/** A database whose entries are all in its log: one batch each. */
async function writeLog(lengths: readonly number[]): Promise<string> {
  const kv = await openClassicKv(directory)
  for (const [i, length] of lengths.entries()) await kv.write([{ key: keyOf(i), value: valueOf(i, length) }])
  await kv.close()
  return (await levelFiles(directory)).find((name) => name.endsWith('.log'))!
}

/** A database whose entries are all in tables. */
async function writeTable(count: number, space: 'body' | 'receipts' = 'body'): Promise<string> {
  const kv = await openClassicKv(directory)
  await kv.write(Array.from({ length: count }, (_, i) => ({ key: heightKey(space, Height(i)), value: valueOf(i, 300) })))
  await kv.compact({ from: Uint8Array.of(0), to: Uint8Array.of(255) })
  await kv.close()
  return tablesOf(await levelFiles(directory))[0]!
}

async function flip(name: string, at: number, count = 1): Promise<void> {
  const bytes = await readFile(path(name))
  for (let i = at; i < at + count; i++) bytes[i]! ^= 0xff
  await writeFile(path(name), bytes)
}

const open = (log = new LogRecorder()) => openDatabase(directory, { onDamage: () => {}, logger: log })

async function entriesLeft(count: number): Promise<number> {
  const opened = await open()
  if (!opened.ok) throw new Error(opened.error.message)
  const left = Array.from({ length: count }, (_, i) => opened.value.get(keyOf(i))).filter((value) => value !== undefined)
  await opened.value.close()
  return left.length
}

describe('the log of the database', () => {
  it('is intact, however its batches are spread over the blocks', async () => {
    const name = await writeLog([10, 40_000, 100, 32_768, 200_000, 1])
    expect(findLogFault(await readFile(path(name)))).toBeUndefined()
    expect(await entriesLeft(6)).toBe(6)
  })

  it.each([
    ['small batches', Array.from({ length: 40 }, () => 500)],
    ['batches over several blocks', Array.from({ length: 8 }, () => 70_000)],
  ])('damaged in the middle is cut there, and a copy is kept: %s', async (_, lengths) => {
    const name = await writeLog(lengths)
    const { length } = await readFile(path(name))
    await flip(name, Math.floor(length / 2), 64)
    const damaged = await readFile(path(name))
    const log = new LogRecorder()
    const opened = await open(log)
    if (!opened.ok) throw new Error(opened.error.message)
    const kv = opened.value
    const left = lengths.map((_length, i) => kv.get(keyOf(i)) !== undefined)
    await kv.close()
    // All entries up to one position, and none after it: nothing is missing in the middle.
    const first = left.indexOf(false)
    expect(first).toBeGreaterThan(0)
    expect(left.slice(first)).not.toContain(true)
    expect(Math.abs(first - lengths.length / 2)).toBeLessThanOrEqual(1)
    expect(log.lines).toMatchObject([{ level: 'error', message: expect.stringContaining('was cut at the damage') }])
    expect(await readFile(path(`${name}.damaged`))).toEqual(damaged)
  })

  it('that a crash cut off in its last batch, or left holes there, is no damage', async () => {
    const lengths = [500, 500, 200_000]
    const name = await writeLog(lengths)
    const bytes = await readFile(path(name))
    const torn = bytes.subarray(0, bytes.length - 100)
    const holed = Buffer.from(bytes)
    holed.fill(0, 40_000, 80_000)
    for (const crashed of [torn, holed, bytes.subarray(0, 1_100)]) expect(findLogFault(crashed)).toBeUndefined()
    await writeFile(path(name), holed)
    expect(await entriesLeft(3)).toBe(2)
  })

  it('is searched for damage anywhere: no flipped byte before the last batch goes unnoticed', async () => {
    const name = await writeLog([300, 300, 300])
    const bytes = await readFile(path(name))
    const lastBatch = bytes.length - 300
    for (let at = 0; at < lastBatch - 100; at += 3) {
      const damaged = Buffer.from(bytes)
      damaged[at]! ^= 0x10
      expect(findLogFault(damaged), `byte ${at}`).toBeDefined()
    }
  })

  it('is replayed after earlier ones: those behind the damage are taken away', async () => {
    const name = await writeLog([400, 400, 400])
    const number = Number.parseInt(name, 10)
    const later = `${String(number + 1).padStart(6, '0')}.log`
    await writeFile(path(later), await readFile(path(name)))
    await flip(name, 20)
    expect(await damagedLog(directory, await levelFiles(directory))).toMatchObject({ name, at: 0, logs: [name, later] })
    expect(await entriesLeft(3)).toBe(0)
    expect(await levelFiles(directory)).toContain(`${later}.damaged`)
  })
})

describe('a table of the database', () => {
  it('is whole', async () => {
    const name = await writeTable(300)
    expect(await checkTable(directory, name)).toMatchObject({ fault: undefined })
    expect(await entriesLeft(300)).toBe(300)
  })

  it('has no bit that can change without notice: in a value, a key, the filter, the index or the footer', async () => {
    const name = await writeTable(60)
    const bytes = await readFile(path(name))
    const seen = new Set<string>()
    // The bytes after the handles in the footer are padding.
    const padding = [bytes.length - 48 + 10, bytes.length - 8] as const
    for (let at = 0; at < bytes.length; at += at < bytes.length - 2_000 ? 29 : 7) {
      if (at >= padding[0] && at < padding[1]) continue
      const damaged = Buffer.from(bytes)
      damaged[at]! ^= 1
      await writeFile(path(name), damaged)
      const { fault } = await checkTable(directory, name)
      expect(fault, `byte ${at} of ${bytes.length}`).toBeDefined()
      seen.add(fault!.what)
    }
    expect([...seen].sort()).toEqual(['data block', 'filter', 'footer', 'index'])
  })

  it('with one bit changed is refused, with the place and what to do', async () => {
    const name = await writeTable(300, 'receipts')
    await flip(name, 10_000)
    const opened = await open()
    expect(opened).toMatchObject({ ok: false, error: { code: 'damaged' } })
    expect(!opened.ok && opened.error.message).toMatch(
      /table \d+\.ldb fails LevelDB's checksum in the data block at byte \d+ \(keys after the receipts of height 2\d up to the receipts of height 3\d\)\. .*let the node fetch/,
    )
  })

  it('is opened if peers can supply its damaged records: each is reported', async () => {
    const name = await writeTable(300)
    await flip(name, 10_000)
    const told: DamagedError[] = []
    const opened = await openDatabase(directory, { onDamage: (damage) => told.push(damage), logger: new LogRecorder() })
    if (!opened.ok) throw new Error(opened.error.message)
    expect(told).toHaveLength(1)
    const height = heightOfKey(told[0]!.key!)!
    expect(() => opened.value.get(heightKey('body', height))).toThrow(DamagedError)
    expect(opened.value.get(heightKey('body', Height(height + 1)))).toEqual(valueOf(height + 1, 300))
    await opened.value.close()
  })

  it.each([0x01, 0x40])('is refused where a key in it has changed: what is gone there nobody knows (%i)', async (change) => {
    const name = await writeTable(300)
    const bytes = await readFile(path(name))
    // A key that shares all but its last byte with the previous key: three lengths, that byte, LevelDB's 8, the value.
    const at = bytes.indexOf(Buffer.from(valueOf(30, 300))) - 9
    expect(bytes[at]).toBe(30)
    bytes[at]! ^= change
    await writeFile(path(name), bytes)
    expect(await open()).toMatchObject({ ok: false, error: { code: 'damaged' } })
  })

  it('is refused if a record of genesis is damaged, which no peer supplies', async () => {
    const kv = await openClassicKv(directory)
    const records = (['header', 'body'] as const).flatMap((space) =>
      Array.from({ length: 60 }, (_, i) => ({ key: heightKey(space, Height(i)), value: valueOf(i, 300) })),
    )
    await kv.write(records)
    await kv.compact({ from: Uint8Array.of(0), to: Uint8Array.of(255) })
    await kv.close()
    const name = tablesOf(await levelFiles(directory))[0]!
    const bytes = await readFile(path(name))
    await flip(name, bytes.lastIndexOf(Buffer.from(valueOf(0, 300))))
    expect(await open()).toMatchObject({ ok: false, error: { message: expect.stringContaining('after the header') } })
  })

  it('that was cut off is refused', async () => {
    const name = await writeTable(300)
    await writeFile(path(name), (await readFile(path(name))).subarray(0, 9_000))
    expect(await open()).toMatchObject({ ok: false, error: { message: expect.stringContaining('in the footer') } })
  })
})

it('without CURRENT nothing is deleted: LevelDB would start a new database', async () => {
  await writeTable(10)
  await rm(path('CURRENT'))
  const before = await levelFiles(directory)
  expect(await open()).toMatchObject({ ok: false, error: { code: 'incomplete', message: expect.stringContaining('CURRENT') } })
  expect(await levelFiles(directory)).toEqual(before)
})
