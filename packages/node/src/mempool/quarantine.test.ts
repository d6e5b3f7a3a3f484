import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryKv } from '@quoin/platform'
import { Hash } from '@quoin/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Kv } from '../powers.ts'
import { type OwnedKv, openClassicKv } from '../store/classic-kv.ts'
import { quarantineRange } from '../store/schema.ts'
import { POOL_LIMITS } from './limits.ts'
import { Quarantine } from './quarantine.ts'

const hashOf = (i: number): Hash => {
  const bytes = new Uint8Array(32).fill(0xff)
  new DataView(bytes.buffer).setUint32(28, i)
  return Hash(bytes)
}
const hashes = (from: number, count: number) => Array.from({ length: count }, (_, i) => hashOf(from + i))

const entriesIn = async (kv: Kv): Promise<number> => {
  let count = 0
  for await (const _ of kv.scan(quarantineRange)) count++
  return count
}

describe('Quarantine', () => {
  let directory: string
  let kv: OwnedKv
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'quoin-quarantine-'))
    kv = await openClassicKv(directory)
  })
  afterEach(async () => {
    await kv.close()
    await rm(directory, { recursive: true })
  })

  it('survives the end of the process, and leaves the neighbouring spaces alone', async () => {
    const neighbours = [0x0b, 0x0d].map((space) => ({ key: Uint8Array.of(space, 1), value: Uint8Array.of(1) }))
    await kv.write(neighbours)
    const before = await Quarantine.open(kv)
    expect(before.size).toBe(0)
    await before.add([hashOf(1), hashOf(2)], 7)
    await kv.close()
    kv = await openClassicKv(directory)
    const after = await Quarantine.open(kv)
    expect([hashOf(1), hashOf(2), hashOf(3)].map((hash) => after.has(hash))).toEqual([true, true, false])
    expect(after.size).toBe(2)
  })

  it('forgets those of the lowest heights first, on disk too', async () => {
    const memory = new MemoryKv()
    const first = await Quarantine.open(memory)
    // The height decides, not the hash, even where the bytes of the height carry over.
    await first.add([hashOf(900_000)], 255)
    await first.add(hashes(0, POOL_LIMITS.quarantinedMax - 1), 256)
    const second = await Quarantine.open(memory)
    expect(second.has(hashOf(900_000))).toBe(true)
    await second.add([hashOf(800_000)], 300)
    for (const quarantine of [second, await Quarantine.open(memory)]) {
      expect(quarantine.size).toBe(POOL_LIMITS.quarantinedMax)
      expect(quarantine.has(hashOf(900_000))).toBe(false)
      expect(quarantine.has(hashOf(800_000))).toBe(true)
      expect(quarantine.has(hashOf(0))).toBe(true)
    }
    expect(await entriesIn(memory)).toBe(POOL_LIMITS.quarantinedMax)
  })

  it('holds more than its bound at no time', async () => {
    const memory = new MemoryKv()
    const quarantine = await Quarantine.open(memory)
    await quarantine.add(hashes(0, POOL_LIMITS.quarantinedMax + 5), 1)
    expect(quarantine.size).toBe(POOL_LIMITS.quarantinedMax)
    expect(await entriesIn(memory)).toBe(POOL_LIMITS.quarantinedMax)
  })

  it('keeps one entry a transaction', async () => {
    const memory = new MemoryKv()
    const quarantine = await Quarantine.open(memory)
    for (const height of [3, 4]) await quarantine.add([hashOf(1)], height)
    expect(await entriesIn(memory)).toBe(1)
  })
})
