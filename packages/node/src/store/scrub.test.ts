import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Height } from '@quoin/protocol'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ManualClock } from '../../test/clock.ts'
import { type OwnedKv, openClassicKv } from './classic-kv.ts'
import type { DamagedError } from './damage.ts'
import { levelFiles, tablesOf } from './level-files.ts'
import { heightKey, heightOfKey } from './schema.ts'
import { SCRUB_LIMITS, Scrub } from './scrub.ts'

const heights = 4_000
let directory: string
let kv: OwnedKv
let told: DamagedError[]
let scrub: Scrub

const keyOf = (space: 'body' | 'receipts', i: number) => heightKey(space, Height(i))
const recordsOf = (i: number) =>
  (['body', 'receipts'] as const).map((space) => ({ key: keyOf(space, i), value: new Uint8Array(400).fill(i) }))

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quoin-scrub-'))
  kv = await openClassicKv(directory)
  await kv.write(Array.from({ length: heights }, (_, i) => recordsOf(i)).flat())
  await kv.compact({ from: Uint8Array.of(0), to: Uint8Array.of(255) })
  await kv.close()
})
afterEach(async () => {
  await scrub.close()
  await kv.close()
  await rm(directory, { recursive: true })
})

async function begin(): Promise<void> {
  told = []
  const onDamage = (damage: DamagedError) => void told.push(damage)
  kv = await openClassicKv(directory, { onDamage })
  const onFailure = (error: unknown) => {
    throw error
  }
  scrub = new Scrub({ kv, path: directory, clock: new ManualClock(), onDamage, onFailure })
}

async function untilPassed(kind: 'recordPasses' | 'tablePasses'): Promise<number> {
  let steps = 0
  for (; scrub.stats[kind] === 0; steps++) await scrub.step()
  return steps
}

/** Changes a byte in the middle of a data block of the first table. */
async function spoil(): Promise<void> {
  const path = join(directory, tablesOf(await levelFiles(directory)).at(-1)!)
  const bytes = await readFile(path)
  const value = bytes.indexOf(Buffer.from(new Uint8Array(300).fill(77)))
  bytes[value + 20]! ^= 1
  await writeFile(path, bytes)
}

it('reads every record and every table, a bounded number a step', async () => {
  await begin()
  const steps = await untilPassed('recordPasses')
  expect(scrub.stats).toMatchObject({ records: 2 * heights, recordBytes: 2 * heights * 409, faults: 0 })
  expect(steps).toBeGreaterThanOrEqual((2 * heights * 409) / SCRUB_LIMITS.recordBytesMax)
  await untilPassed('tablePasses')
  expect(scrub.stats.tableBytes).toBeGreaterThan(2 * heights * 409)
  expect(told).toEqual([])
})

it('finds a damaged record and goes on behind it, in every pass', async () => {
  await spoil()
  await begin()
  await untilPassed('recordPasses')
  expect(told.map(({ key }) => key && heightOfKey(key))).toEqual([77])
  expect(scrub.stats.records).toBe(2 * heights - 1)
})

it('finds a damaged table, after enough checks that nobody can be writing it', async () => {
  await spoil()
  await begin()
  for (let i = 1; i < SCRUB_LIMITS.looksMin; i++) await scrub.step()
  // Each of the two passes over the records found the record itself.
  expect(told).toHaveLength(2)
  await scrub.step()
  expect(told).toHaveLength(3)
  expect(told.every(({ key }) => key !== undefined && heightOfKey(key) === 77)).toBe(true)
})

it('finds that a height has no record', async () => {
  await begin()
  await kv.write([{ key: keyOf('receipts', 1_234), value: undefined }])
  await untilPassed('recordPasses')
  expect(told.map(({ finding }) => finding)).toEqual(['the receipts of height 1234 is missing'])
})
