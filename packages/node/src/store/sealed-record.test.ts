import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Height } from '@quoin/protocol'
import { ClassicLevel } from 'classic-level'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Kv } from '../powers.ts'
import { openClassicKv } from './classic-kv.ts'
import { DamagedError } from './damage.ts'
import { heightKey, singleKey } from './schema.ts'
import { RecordSealer, unseal } from './sealed-record.ts'

const body = heightKey('body', Height(7))
const other = heightKey('body', Height(8))
const value = Uint8Array.from({ length: 50 }, (_, i) => i)

describe('a sealed record', () => {
  it('opens to its value, of any length', () => {
    const sealer = new RecordSealer()
    for (const length of [0, 1, 50, 70_000, 3]) {
      const long = new Uint8Array(length).fill(7)
      expect(unseal(body, sealer.seal(body, long).slice())).toEqual(long)
    }
  })

  it('opens no more when any bit of it, or of its key, is another one', () => {
    const record = new RecordSealer().seal(body, value).slice()
    for (let bit = 0; bit < 8 * record.length; bit++) {
      const flipped = record.with(bit >> 3, record[bit >> 3]! ^ (1 << (bit & 7)))
      expect(() => unseal(body, flipped)).toThrow(DamagedError)
    }
    expect(() => unseal(other, record)).toThrow('the record of the body of height 8 fails its checksum')
    expect(() => unseal(body, record.subarray(0, 3))).toThrow('the record of the body of height 7 is cut off')
  })

  it('leaves the format record unchanged, because every release reads it', () => {
    const format = Uint8Array.of(0, 0, 0, 9)
    expect(new RecordSealer().seal(singleKey('format'), format)).toEqual(format)
    expect(unseal(singleKey('format'), format)).toEqual(format)
  })
})

describe('every read of the database', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'quoin-sealed-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  /** What LevelDB holds below our checksums. */
  async function spoil(key: Uint8Array, change: (record: Uint8Array) => Uint8Array): Promise<void> {
    const level = new ClassicLevel<Uint8Array, Uint8Array>(directory, { keyEncoding: 'view', valueEncoding: 'view' })
    await level.open()
    await level.put(key, change((await level.get(key))!))
    await level.close()
  }

  const reads: Record<string, (kv: Kv) => unknown> = {
    get: (kv) => kv.get(body),
    getMany: (kv) => kv.getMany([other, body]),
    scan: async (kv) => {
      for await (const _ of kv.scan({ from: body, to: Uint8Array.of(255) }));
    },
  }

  it.each(Object.entries(reads))('%s finds a changed byte, reports it once and throws', async (_, read) => {
    const before = await openClassicKv(directory)
    await before.write([body, other].map((key) => ({ key, value })))
    await before.close()
    await spoil(body, (record) => record.with(5, 99))
    const told: DamagedError[] = []
    const kv = await openClassicKv(directory, { onDamage: (damage) => told.push(damage) })
    await expect(Promise.resolve(kv).then(read)).rejects.toThrow('the body of height 7 fails its checksum')
    expect(told).toMatchObject([{ finding: 'the record of the body of height 7 fails its checksum', key: body }])
    expect(kv.get(other)).toEqual(value)
    await kv.close()
  })
})
